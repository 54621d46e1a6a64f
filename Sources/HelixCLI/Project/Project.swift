import HelixInventory
import HelixKinds
package import HelixModel
package import HelixPlan
import HelixPlaybooks
import HelixSSH
import HelixSecrets

/// Everything the user has written down, read and checked: what should be so.
package struct Project {
  let request: PlanRequest
  let inventory: Inventory
  let plays: [PlayDemand]
  package let desired: DesiredState
  /// Every file that was read, with its SHA-256.
  private(set) var sources: [String: String]
  let warnings: [Diagnostic]

  /// Reads an inventory alone.
  static func inventory(of request: PlanRequest) throws(Diagnostics) -> Inventory {
    try InventoryReader.read(folder: request.inventory, reader: diskReader())
  }

  /// Reads inventory and playbooks.
  ///
  /// - Throws: every mistake in them.
  static func load(_ request: PlanRequest) throws(Diagnostics) -> Project {
    let reader = diskReader()
    var project = try load(request, reader: reader)
    project.sources = reader.sources
    return project
  }

  /// Reads inventory and playbooks through any reader.
  ///
  /// - Throws: every mistake in them.
  package static func load(
    _ request: PlanRequest, reader: any SourceReader
  ) throws(Diagnostics) -> Project {
    let inventory = try InventoryReader.read(folder: request.inventory, reader: reader)
    try checkConnections(of: inventory)
    let options = PlaybookOptions(
      limit: request.limit.map {
        Located($0, at: SourceLocation(file: "--limit", line: 1, column: 1))
      },
      tags: request.tags, skipTags: request.skipTags,
      extraVariables: try ExtraVariables.read(request.extraVariables, reader: reader))
    let playbooks = PlaybookReader(
      inventory: inventory, catalogue: Catalogue.specs, sources: reader, options: options)
    let plays =
      try request.playbooks.allSatisfy(isRole)
      ? request.playbooks.map { play(giving: $0, to: inventory) }
      : playbooks.read(request.playbooks)
    try refuseNobody(plays, request)
    let desired = try desiredState(of: plays, inventory: inventory)
    return Project(
      request: request, inventory: inventory, plays: plays,
      desired: try desired.targeting(request.targets), sources: [:],
      warnings: inventory.warnings)
  }

  /// Whether an argument names a native role rather than a file.
  static func isRole(_ name: String) -> Bool { Catalogue.specs.roles.contains { $0.name == name } }

  /// What a playbook would demand that gives a native role to every host.
  private static func play(giving role: String, to inventory: Inventory) -> PlayDemand {
    let hosts = inventory.hosts.map(\.name)
    let here = SourceLocation(file: role, line: 1, column: 1)
    return PlayDemand(
      name: role, hosts: hosts,
      items: [.role(RoleDemand(role: role, hosts: hosts, location: here))],
      location: here)
  }

  /// A limit or tag that leaves nothing of any play would look like a plan without changes.
  private static func refuseNobody(
    _ plays: [PlayDemand], _ request: PlanRequest
  ) throws(Diagnostics) {
    if let limit = request.limit, plays.allSatisfy(\.hosts.isEmpty) {
      throw Diagnostics(
        Diagnostic(
          "--limit \"\(limit)\" leaves no host of any play",
          remedy: "see which hosts there are: helix-infra inventory --graph"))
    }
    if !request.tags.isEmpty, plays.allSatisfy(\.items.isEmpty) {
      throw Diagnostics(
        Diagnostic(
          "--tags \"\(request.tags.joined(separator: ","))\" leaves no task and no role of any play",
          remedy: "correct the tags, or leave them out"))
    }
  }

  /// The hosts that the plays are about, each once, in order.
  package var hosts: [HostName] {
    var seen: Set<HostName> = []
    return plays.flatMap(\.hosts).filter { seen.insert($0).inserted }
  }

  /// Whether a run looks at a host of the cluster or changes one.
  ///
  /// A role that tells the cluster something does it on servers, whichever hosts it is given to.
  var isAboutCluster: Bool {
    guard let k3s = inventory.cluster?.k3s, !k3s.servers.isEmpty else { return false }
    let members = Set(k3s.servers + k3s.agents)
    return hosts.contains(where: members.contains)
      || desired.questions.keys.contains(where: members.contains)
  }

  /// Every secret that what is written down speaks of, whether or not a plan writes it.
  var confidential: [SecretName] {
    let tasks = plays.flatMap(\.items).flatMap { item -> [TaskDemand] in
      if case .tasks(let demands) = item { demands } else { [] }
    }
    return (inventory.cluster?.k3s.secrets ?? []) + inventory.variableSecrets
      + tasks.flatMap { $0.arguments.entries.flatMap(\.value.value.secrets) }
  }

  /// What the inventory declares and this version does not apply.
  var declared: [String] { EstateText.declarations(of: inventory) }

  private static func diskReader() -> DiskSourceReader {
    DiskSourceReader(digest: sha256(of:))
  }

  private static func desiredState(
    of plays: [PlayDemand], inventory: Inventory
  ) throws(Diagnostics) -> DesiredState {
    var problems: [Diagnostic] = []
    var stages: [Stage] = []
    var given: [String: [HostName]] = [:]
    let all = Set(plays.flatMap(\.items).compactMap(\.role))
    for play in plays {
      var items: [Stage.Item] = []
      for var item in play.items.flatMap(oneByOne) {
        if case .role(var demand) = item {
          demand.earlier = given
          demand.given = all
          given[demand.role, default: []] += demand.hosts
          item = .role(demand)
        }
        do throws(Diagnostics) {
          items.append(Stage.Item(resources: try resources(of: item, inventory: inventory)))
        } catch {
          problems += error.all
        }
      }
      stages.append(Stage(title: play.name, items: items))
    }
    guard problems.isEmpty else { throw Diagnostics(problems) }
    return DesiredState(stages: stages)
  }

  /// What the SSH room cannot do is told before anything is asked.
  static func checkConnections(of inventory: Inventory) throws(Diagnostics) {
    let problems = ConnectionCheck.problems(of: inventory.hosts)
    guard problems.isEmpty else { throw Diagnostics(problems) }
  }

  /// A loop's elements as lines of their own: on one host they are done one after the other, since
  /// they may work on the same file.
  private static func oneByOne(_ item: DemandItem) -> [DemandItem] {
    guard case .tasks(let demands) = item else { return [item] }
    var lines: [[TaskDemand]] = []
    var counts: [HostName: Int] = [:]
    for demand in demands {
      let turn = counts[demand.host, default: 0]
      counts[demand.host] = turn + 1
      if turn == lines.count { lines.append([]) }
      lines[turn].append(demand)
    }
    return lines.map(DemandItem.tasks)
  }

  private static func resources(
    of item: DemandItem, inventory: Inventory
  ) throws(Diagnostics) -> [any Resource] {
    switch item {
    case .role(let demand): return try Catalogue.resources(for: demand, inventory: inventory)
    case .tasks(let demands):
      var problems: [Diagnostic] = []
      var resources: [any Resource] = []
      for demand in demands {
        do throws(Diagnostics) {
          resources.append(try Catalogue.resource(for: demand))
        } catch {
          // One task on many hosts is wrong once.
          problems += error.all.filter { !problems.contains($0) }
        }
      }
      guard problems.isEmpty else { throw Diagnostics(problems) }
      return resources
    }
  }
}

extension DemandItem {
  fileprivate var role: String? { if case .role(let demand) = self { demand.role } else { nil } }
}
