import HelixModel
import HelixPlan
import Testing

@testable import HelixKinds

/// What must hold for every state the hosts of a cluster can be in.
@Suite("k3s laws")
struct K3sLawTests {
  static let seeds = Array(UInt64(1)...150)

  @Test("at most one server begins a cluster, and none where one may be", arguments: seeds)
  func oneBeginning(seed: UInt64) throws {
    let hosts = RandomCluster(seed: seed)
    let plan = try plan(hosts.cluster, hosts.observation())
    let begins = plan.graph.steps.filter(\.beginsCluster)
    let mayBegin = hosts.serverProfiles.allSatisfy { $0 == "fresh" }
    #expect(begins.map(\.host) == (mayBegin ? ["master-1"] : []), "\(hosts.serverProfiles)")
    let files = plan.graph.steps.filter(\.writesClusterInit)
    #expect(files.count <= 1)
    #expect(files.isEmpty || mayBegin || hosts.serverProfiles.count == 1)
  }

  @Test("steps that may cost a vote never stand side by side", arguments: seeds)
  func oneVoteAtATime(seed: UInt64) throws {
    let hosts = RandomCluster(seed: seed)
    let plan = try plan(hosts.cluster, hosts.observation())
    for step in plan.graph.steps where step.title.hasPrefix("restart k3s on master") {
      #expect(step.spends != nil)
      #expect(step.disruptsAlone(in: plan.graph), "\(step.id)")
    }
  }

  @Test("who is down comes back before another server is restarted", arguments: seeds)
  func mendingFirst(seed: UInt64) throws {
    let hosts = RandomCluster(seed: seed)
    let graph = try plan(hosts.cluster, hosts.observation()).graph
    let starts = graph.steps.filter { $0.title.hasPrefix("start k3s on master") }
    for step in graph.steps where step.title.hasPrefix("restart k3s on master") {
      #expect(starts.allSatisfy { step.waits(for: $0.id, in: graph) }, "\(step.id)")
    }
  }

  @Test("no step of a server is planned while another server is silent", arguments: seeds)
  func silentServer(seed: UInt64) throws {
    let hosts = RandomCluster(seed: seed)
    guard hosts.serverProfiles.contains("silent") else { return }
    let plan = try plan(hosts.cluster, hosts.observation())
    #expect(
      plan.graph.steps.allSatisfy { step in
        step.id.address.host?.rawValue.hasPrefix("worker") ?? true
      })
    #expect(!plan.refusals.isEmpty)
  }

  @Test("no member comes to another release while nobody answers", arguments: seeds)
  func releasesStay(seed: UInt64) throws {
    let hosts = RandomCluster(seed: seed)
    let isAsleep =
      !hosts.serverProfiles.contains("server")
      && hosts.serverProfiles.contains("stopped-server")
    guard isAsleep else { return }
    let plan = try plan(hosts.cluster, hosts.observation())
    let members = Set(
      hosts.cluster.hosts.filter { ["stopped-server", "agent"].contains($0.profile) }.map(\.name))
    for step in plan.graph.steps where step.host.map(members.contains) ?? false {
      #expect(!step.instructions.contains { if case .install = $0 { true } else { false } })
    }
    let starts = plan.graph.steps.filter { $0.title.hasPrefix("start k3s on master") }
    #expect(starts.count > 0 || !plan.refusals.isEmpty)
  }

  @Test("a step lasts at least as long as its waits", arguments: seeds)
  func stepsOutlastWaits(seed: UInt64) throws {
    let hosts = RandomCluster(seed: seed)
    for step in try plan(hosts.cluster, hosts.observation()).graph.steps {
      for row in [step.instructions, step.undo] {
        #expect(step.timeout > row.reduce(0) { $0 + $1.seconds }, "\(step.id)")
      }
    }
  }

  @Test("no secret's name or fingerprint stands where a script is run", arguments: seeds)
  func scriptsHoldNoSecrets(seed: UInt64) throws {
    let hosts = RandomCluster(seed: seed)
    let plan = try plan(hosts.cluster, hosts.observation())
    for script in plan.graph.steps.flatMap({ $0.instructions + $0.undo }).compactMap(\.script) {
      #expect(!script.contains("k3s-token") && !script.contains("fp-"))
    }
  }

  @Test("among them are upgrades, with drains and ways back")
  func upgradesAmongThem() throws {
    let steps = try Self.seeds.flatMap { seed in
      let hosts = RandomCluster(seed: seed)
      return try plan(hosts.cluster, hosts.observation()).graph.steps
    }
    let launches = steps.flatMap(\.instructions).filter { instruction in
      if case .launch = instruction { true } else { false }
    }
    #expect(launches.count > 50 && steps.count { !$0.undo.isEmpty } > 50)
  }
}

extension Instruction {
  /// For how long it may go on by itself.
  fileprivate var seconds: Int {
    switch self {
    case .wait(let wait): wait.timeout
    case .launch(let launch): launch.timeout
    case .reboot(let reboot): reboot.timeout
    case .run, .feed, .write, .install, .learn, .fetch: 0
    }
  }

  /// What of it stands in a script on the host.
  fileprivate var script: String? {
    switch self {
    case .run(let script), .learn(_, let script): script
    case .launch(let launch): launch.script
    case .wait(let wait): wait.script
    case .feed(let feed): feed.script
    case .fetch(let fetch): fetch.script
    case .reboot, .write, .install: nil
    }
  }
}

extension Step {
  /// Only the step that begins a cluster finds out who it is.
  fileprivate var beginsCluster: Bool {
    instructions.contains { if case .learn = $0 { true } else { false } }
  }

  fileprivate var writesClusterInit: Bool {
    instructions.contains { instruction in
      guard case .write(let file) = instruction else { return false }
      return file.content.shown.contains("cluster-init: true")
    }
  }

  /// Whether every other restart of a server comes before or after this one.
  fileprivate func disruptsAlone(in graph: StepGraph) -> Bool {
    let others = graph.steps.filter { $0.id != id && $0.title.hasPrefix("restart k3s on master") }
    return others.allSatisfy { $0.waits(for: id, in: graph) || waits(for: $0.id, in: graph) }
  }

  fileprivate func waits(for other: StepID, in graph: StepGraph) -> Bool {
    let steps = Dictionary(uniqueKeysWithValues: graph.steps.map { ($0.id, $0) })
    var open = after
    var seen: Set<StepID> = []
    while let next = open.popLast() {
      if next == other { return true }
      if seen.insert(next).inserted { open += steps[next]?.after ?? [] }
    }
    return false
  }
}

/// A cluster of hosts in states drawn from a seed.
private struct RandomCluster {
  let cluster: K3sCaseCluster
  let serverProfiles: [String]
  private let changes: Bool

  init(seed: UInt64) {
    var random = SplitMix(state: seed)
    let states = ["fresh", "fresh", "server", "server", "stopped-server", "silent"]
    let count = [1, 3, 3, 5][Int(random.next() % 4)]
    // Half of the clusters are all fresh but for one server.
    let isMixed = random.next() % 2 == 0
    var profiles = [String](repeating: "fresh", count: count)
    for index in profiles.indices where isMixed || random.next() % 4 == 0 {
      profiles[index] = states[Int(random.next() % UInt64(states.count))]
    }
    changes = random.next() % 2 == 0
    serverProfiles = profiles
    var lines = ["version v1.29.1+k3s2", "endpoint 192.0.2.10"]
    lines += ["config kubelet-arg [image-gc-high-threshold=55]"]
    lines += ["server-config disable [traefik,servicelb]", "server-config secrets-encryption true"]
    if changes { lines.append("server-config etcd-snapshot-retention 9") }
    for (index, profile) in profiles.enumerated() {
      lines.append("server master-\(index + 1) \(profile)")
    }
    for index in 1...2 {
      let states = ["fresh", "agent", "silent"]
      lines.append("agent worker-\(index) \(states[Int(random.next() % 3)])")
    }
    // Half of the clusters come to another release.
    if random.next() % 2 == 0 {
      lines += ["runs v1.28.5+k3s1", "upgrade-servers drain=60", "upgrade-agents drain=60"]
    }
    guard let cluster = try? K3sCaseCluster(lines.joined(separator: "\n")) else {
      preconditionFailure("the cluster of seed \(seed) cannot be read")
    }
    self.cluster = cluster
  }

  func observation() throws -> Observation { try cluster.observation { _, _ in nil } }
}

private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
