import HelixModel
import HelixPlan

/// Finds the keys that a member's config may not change any more.
struct FrozenKeys {
  private let node: K3sNode
  private let machine: MachineFacts

  /// The cluster's node of this name, if it has one.
  private let known: LiveNode?

  init(_ node: K3sNode, _ machine: MachineFacts, known: LiveNode?) {
    self.node = node
    self.machine = machine
    self.known = known
  }

  /// Why the change must not be made; nil when it may.
  func changed(
    from has: ConfigSettings, to wanted: ConfigSettings, _ fingerprints: any Fingerprinter
  ) throws(Diagnostic) -> Diagnostic? {
    if let renamed = renamed(from: has) { return renamed }
    guard node.role == .server else { return nil }
    if let readdressed = readdressed(from: has, to: wanted) { return readdressed }
    var changes: [(told: String, remedy: String)] = []
    for frozen in ConfigRules.frozen {
      let before = has[frozen.key] ?? standard(frozen)
      let after = wanted[frozen.key] ?? standard(frozen)
      guard try differ(before, after, fingerprints), mattersAlone(frozen) else { continue }
      changes.append(("\(frozen.key) from \(word(before)) to \(word(after))", frozen.remedy))
    }
    if node.cluster.servers.count > 1, servesLoadBalancers(has) != servesLoadBalancers(wanted) {
      changes.append(("\(ConfigRules.sharedComponent) in disable", ConfigRules.outage))
    }
    guard !changes.isEmpty else { return nil }
    var remedies: [String] = []
    for change in changes where !remedies.contains(change.remedy) { remedies.append(change.remedy) }
    return Diagnostic(
      "\(node.cluster.name) lives, and would change \(changes.map(\.told).joined(separator: ", "))",
      reason: "a living cluster holds on to what its servers were started with, or they would not"
        + " start again",
      remedy: "put the old value into server-config; to change it, "
        + remedies.joined(separator: "; and "),
      at: node.location)
  }

  /// A first `node-ip` only says what is so; another one is no member of etcd.
  private func readdressed(
    from has: ConfigSettings, to wanted: ConfigSettings
  ) -> Diagnostic? {
    guard let before = has["node-ip"]?.plain, let after = wanted["node-ip"]?.plain,
      before != after
    else { return nil }
    return Diagnostic(
      "\(node.host) is in etcd as \(before), and would become \(after)",
      reason: "a member of etcd that comes back under another address is turned away",
      remedy: "set ansible_host to \(before); to change it, take the server out of the cluster and"
        + " let it join anew",
      at: .host(node.host, address: node.member.address))
  }

  /// A single server has nobody to agree with, but what is baked in stays baked in.
  private func mattersAlone(_ frozen: ConfigRules.Frozen) -> Bool {
    node.cluster.servers.count > 1 || frozen.remedy != ConfigRules.outage
  }

  private func standard(_ frozen: ConfigRules.Frozen) -> ConfigValue { .text(frozen.standard) }

  private func servesLoadBalancers(_ settings: ConfigSettings) -> Bool {
    let disabled = (settings["disable"]?.texts ?? []).flatMap { $0.split(separator: ",") }
    return !disabled.contains { $0 == ConfigRules.sharedComponent }
  }

  private func differ(
    _ before: ConfigValue, _ after: ConfigValue, _ fingerprints: any Fingerprinter
  ) throws(Diagnostic) -> Bool {
    if case .hidden(let fingerprint) = before.words.first,
      case .secret(let name) = after.words.first
    {
      let secret: TemplateText = "\(secret: name)"
      return try fingerprints.fingerprint(of: secret) != fingerprint
    }
    return before.plain != after.plain
  }

  private func word(_ value: ConfigValue) -> String { value.plain.isEmpty ? "none" : value.plain }

  /// A node that is called otherwise is another node, and the old one stays behind.
  private func renamed(from has: ConfigSettings) -> Diagnostic? {
    // A config that was lost says nothing; the cluster still knows what the machine is called.
    if has["node-name"] == nil, let known, known.machineID == machine.machineID { return nil }
    let old = (has["node-name"]?.texts.first ?? machine.hostname).lowercased()
    guard old != node.name, !old.isEmpty else { return nil }
    return Diagnostic(
      "\(node.host) is the node \"\(old)\" in \(node.cluster.name)",
      reason: "a node is called as its host is in the inventory, and a living node keeps its name",
      remedy: "call the host \(old) in the inventory and set ansible_host to its address",
      at: .host(node.host, address: node.member.address))
  }
}
