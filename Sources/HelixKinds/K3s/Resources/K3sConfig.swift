import HelixModel
import HelixPlan

/// k3s's config file, compared by what it says rather than by how it is written.
struct K3sConfig: K3sResource {
  static let kind = "k3s-config"
  let node: K3sNode

  var after: [Address] { node.gates }

  var ownQuestions: [Question] {
    [
      Question(InstalledConfig.fact, on: node.host),
      Question(InstalledUnit.fact(node.role), on: node.host),
      Question(MachineFacts.fact, on: node.host),
    ]
  }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let installed = try sight.read(InstalledConfig.fact, on: node.host)
    let unit = try sight.read(InstalledUnit.fact(node.role), on: node.host)
    let machine = try sight.read(MachineFacts.fact, on: node.host)
    let fingerprints = sight.fingerprints
    return try node.judge(&sight) { (sight, view) throws(Diagnostic) in
      let wanted = self.node.settings(view.entry, addresses: machine.addresses)
      let has = installed.text.map { ConfigReader.read($0) } ?? ConfigSettings()
      if view.entry.isMember {
        guard let has else { return .refused(self.unreadable()) }
        let inForce = has.overlaid(by: unit.flags)
        let frozen = try FrozenKeys(
          self.node, machine, known: view.survey.nodes[self.node.name]
        ).changed(
          from: inForce, to: wanted, fingerprints)
        if let refusal = frozen { return .refused(refusal) }
      }
      let comparison = ConfigComparison(node: self.node, view: view, fingerprints: fingerprints)
      let agrees =
        try has.map { has throws(Diagnostic) in
          try comparison.agree(has, wanted)
        } ?? false
      let mayBeginAgain = agrees && comparison.mayBeginAgain(has, wanted)
      let fields = self.fields(installed, wanted, differs: !agrees || mayBeginAgain)
      guard !fields.isEmpty else { return .unchanged(reason: "it says the same") }
      let need = try self.need(has, wanted, agrees: agrees, comparison)
      return self.inTurn(self.work(installed, wanted, fields, view, need), view)
    }
  }

  private func need(
    _ has: ConfigSettings?, _ wanted: ConfigSettings, agrees: Bool, _ comparison: ConfigComparison
  ) throws(Diagnostic) -> Need {
    if agrees { return comparison.mayBeginAgain(has, wanted) ? .tie : .mode }
    let view = comparison.view
    // A file that waits for its restart must go on looking as if it did.
    guard let has, view.entry.isMember, !view.state.newerFiles.contains(K3sPaths.config),
      try comparison.agree(has.without(Self.marks), wanted.without(Self.marks))
    else { return .other }
    return .marks
  }

  private func fields(
    _ installed: InstalledConfig, _ wanted: ConfigSettings, differs: Bool
  ) -> [FieldChange] {
    let shown = wanted.rendered.shown
    guard let text = installed.text else {
      return [FieldChange(K3sPaths.config, diff: unifiedDiff(from: "", to: shown))]
    }
    var fields: [FieldChange] = []
    if differs {
      fields.append(
        FieldChange(K3sPaths.config, diff: unifiedDiff(from: Self.forPeople(text), to: shown)))
    }
    if installed.mode != "600 root" {
      fields.append(FieldChange("mode", before: installed.mode, after: "600 root"))
    }
    return fields
  }

  private func work(
    _ installed: InstalledConfig, _ wanted: ConfigSettings, _ fields: [FieldChange],
    _ view: NodeView, _ need: Need
  ) -> Work {
    let overlaid =
      installed.overlays.isEmpty
      ? "" : "; config.yaml.d lays over it: \(installed.overlays.joined(separator: ", "))"
    return Work(
      installed.text == nil ? .create : .update, fields: fields,
      reason: reason(installed, need) + overlaid,
      after: waits(view).after, behind: waits(view).behind,
      steps: [steps(need, wanted)])
  }

  /// What k3s reads only when a node registers; `K3sNodeMarks` tells a living node.
  private static let marks: Set<String> = ["node-label", "node-taint"]

  /// How much of the file is not as it should be.
  private enum Need {
    case other
    /// Only the way into the cluster, which a running member does not look at.
    case tie
    /// Only labels and taints, which a running member does not look at either.
    case marks
    case mode
  }

  private func steps(_ need: Need, _ wanted: ConfigSettings) -> Step {
    let title = "write k3s's config on \(node.host)"
    return switch need {
    case .other: step("write", title, [Self.write(wanted)])
    case .tie: step(tidyStep, title, Self.tie(wanted))
    case .marks: step(tidyStep, title, Self.quietly(wanted, on: node.role))
    case .mode: step(tidyStep, title, [keepToRoot(K3sPaths.config)])
    }
  }

  private func reason(_ installed: InstalledConfig, _ need: Need) -> String {
    switch need {
    case .other: installed.text == nil ? "there is no config" : "the config differs"
    case .tie: "with cluster-init it would begin a second cluster, were its data lost"
    case .marks: "labels or taints differ, which need no restart"
    case .mode: "its mode differs"
    }
  }

  private static func write(_ settings: ConfigSettings) -> Instruction {
    .write(FileWrite(path: K3sPaths.config, content: settings.rendered, mode: "0600"))
  }

  /// Writes a server's config with an old date, so that it does not look as if k3s had yet to
  /// take it up.
  static func tie(_ settings: ConfigSettings) -> [Instruction] {
    quietly(settings, on: .server)
  }

  private static func quietly(
    _ settings: ConfigSettings, on role: K3sRoleOfNode
  ) -> [Instruction] {
    [write(settings), .run(script: "touch -r \(K3sPaths.unit(role)) \(K3sPaths.config)")]
  }

  /// The host's file with fingerprints made words.
  private static func forPeople(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      guard let mark = line.firstRange(of: InstalledConfig.hiddenMark) else { return String(line) }
      return line[..<mark.lowerBound] + "‹a value that stays on the host›"
    }.joined(separator: "\n")
  }

  private func unreadable() -> Diagnostic {
    Diagnostic(
      "\(K3sPaths.config) on \(node.host) is written in a way that cannot be compared",
      reason: "it is more than keys with values and lists, so it cannot be told what would change",
      remedy: "write it as plain keys and lists, or move it away and apply again",
      at: .host(node.host, address: node.member.address))
  }
}

/// Whether two settings mean the same for a node, secrets compared by fingerprint.
struct ConfigComparison {
  let node: K3sNode
  let view: NodeView
  let fingerprints: any Fingerprinter

  /// With data on disk, k3s ignores `cluster-init` and `server` on servers; a difference there is
  /// none until the file is written for another reason.
  func agree(_ has: ConfigSettings, _ wanted: ConfigSettings) throws(Diagnostic) -> Bool {
    var has = has
    var wanted = wanted
    if node.role == .server, view.entry.isMember {
      has = has.without(["cluster-init", "server"])
      wanted = wanted.without(["cluster-init", "server"])
    } else if leadsToCluster(has["server"]), wanted["server"] != nil {
      has["server"] = wanted["server"]
    }
    guard Set(has.values.keys) == Set(wanted.values.keys) else { return false }
    for (key, value) in wanted.values {
      guard let other = has[key], try same(other, value) else { return false }
    }
    return true
  }

  /// Whether a member's file would let it begin a cluster of its own, though it has peers.
  func mayBeginAgain(_ has: ConfigSettings?, _ wanted: ConfigSettings) -> Bool {
    guard node.role == .server, view.entry.isMember, wanted["server"] != nil else { return false }
    return has?["cluster-init"]?.texts == ["true"]
  }

  /// Any declared server or the registration address will do: rewriting every agent because one
  /// server is away for a while would restart them all for nothing.
  private func leadsToCluster(_ value: ConfigValue?) -> Bool {
    guard var url = value?.texts.first else { return false }
    if url.hasSuffix("/") { url.removeLast() }
    let cluster = node.cluster
    let servers = cluster.servers.filter { $0.host != node.host }.map(cluster.url)
    return url == cluster.endpointURL || servers.contains(url)
  }

  private func same(_ has: ConfigValue, _ wanted: ConfigValue) throws(Diagnostic) -> Bool {
    guard has.words.count == wanted.words.count else { return false }
    for (one, other) in zip(has.words, wanted.words) {
      switch (one, other) {
      case (.hidden(let fingerprint), .secret(let name)):
        let secret: TemplateText = "\(secret: name)"
        guard try fingerprints.fingerprint(of: secret) == fingerprint else { return false }
      default:
        guard one == other else { return false }
      }
    }
    return true
  }
}
