internal import HelixModel

/// Checks the keys under config, server-config and agent-config against k3s's flags.
struct ConfigChecks {
  private let k3s: Fields
  private let hasAgents: Bool
  private(set) var problems: [Diagnostic] = []
  private(set) var warnings: [Diagnostic] = []

  init(_ k3s: Fields, hasAgents: Bool) {
    self.k3s = k3s
    self.hasAgents = hasAgents
  }

  mutating func check() {
    for part in ["config", "server-config", "agent-config"] {
      for entry in k3s.open(part).entries { check(entry, in: part) }
    }
    for part in ["server-config", "agent-config"] { checkImageThresholds(in: part) }
  }

  private mutating func check(_ entry: Mapping.Entry, in part: String) {
    // "key+" adds to what earlier files say.
    let key = entry.key.hasSuffix("+") ? String(entry.key.dropLast()) : entry.key
    guard let sort = K3sFlags.all[key] else { return refuseUnknown(key, at: entry, in: part) }
    if let refused = K3sFlags.refused[key] {
      problems.append(
        Diagnostic(
          "\"\(key)\" cannot be set here", reason: refused.reason, remedy: refused.remedy,
          at: entry.keyLocation))
      return
    }
    if K3sFlags.agent[key] == nil { checkPart(key, at: entry, in: part) }
    checkSort(key, entry, sort)
    checkValue(key, entry)
  }

  private mutating func refuseUnknown(_ key: String, at entry: Mapping.Entry, in part: String) {
    let candidates = part == "agent-config" ? K3sFlags.agent : K3sFlags.all
    let dashed = String(key.map { $0 == "_" ? "-" : $0 })
    let nearest =
      nearestName(to: dashed, among: candidates.keys)
      ?? nearestName(to: dashed, among: K3sFlags.all.keys)
    problems.append(
      Diagnostic(
        "\"\(key)\" is not a flag of k3s v1.29",
        reason: "k3s would skip it on a server, and not start with it on an agent",
        remedy: nearest.map { "did you mean \"\($0)\"?" }
          ?? "see \"k3s server --help\"; flags stand here without the leading dashes",
        at: entry.keyLocation))
  }

  /// A server's flag keeps an agent from starting.
  private mutating func checkPart(_ key: String, at entry: Mapping.Entry, in part: String) {
    guard part == "agent-config" || (part == "config" && hasAgents) else { return }
    problems.append(
      Diagnostic(
        "\"\(key)\" is a flag of servers only",
        reason: part == "config"
          ? "config goes to agents too, and they would not start with it"
          : "agents would not start with it",
        remedy: "move it to server-config", at: entry.keyLocation))
  }

  private mutating func checkSort(_ key: String, _ entry: Mapping.Entry, _ sort: K3sFlags.Sort) {
    let value = entry.value
    let isGood =
      switch (sort, value.value) {
      case (.flag, .bool): true
      case (.flag, .text(let text)): text == "true" || text == "false"
      case (.number, .integer): true
      case (.number, .text(let text)): Int(text) != nil
      case (.text, .list), (.text, .mapping), (_, .null), (_, .mapping): false
      case (.list, .list(let elements)): elements.allSatisfy { $0.scalarText != nil }
      case (.text, _), (.list, _): true
      default: false
      }
    guard !isGood else { return }
    let wanted =
      switch sort {
      case .flag: "true or false"
      case .number: "a whole number"
      case .text: "text"
      case .list: "a list of texts"
      }
    let found = value.scalarText.map { "\"\($0)\"" } ?? value.value.typeName
    problems.append(
      Diagnostic(
        "\"\(key)\" must be \(wanted), and this is \(value.value == .null ? "nothing" : found)",
        remedy: sort == .list && key.hasSuffix("-arg")
          ? "write [\"name=value\"]" : "write \(wanted), or remove the key",
        at: value.value == .null ? entry.keyLocation : value.location))
  }

  private mutating func checkValue(_ key: String, _ entry: Mapping.Entry) {
    let texts = (entry.value.list ?? [entry.value])
    switch key {
    case "disable": for one in texts { checkWord(one, of: key, among: K3sFlags.components) }
    case "flannel-backend": checkWord(entry.value, of: key, among: K3sFlags.flannelBackends)
    case "node-taint": for one in texts { checkTaint(one) }
    case "node-label": for one in texts { checkLabel(one) }
    case _ where key.hasSuffix("-arg"): for one in texts { checkArgument(one, of: key) }
    default: break
    }
  }

  private mutating func checkWord(_ node: Node, of key: String, among words: [String]) {
    // A list may also hold several words, joined by commas.
    for word in (node.scalarText ?? "").split(separator: ",").map(\.trimmingBlanks)
    where !words.contains(word) {
      problems.append(
        Diagnostic(
          "\"\(word)\" is not a value of \(key)", remedy: suggestion(for: word, among: words),
          at: node.location))
    }
  }

  private mutating func checkTaint(_ node: Node) {
    guard let text = node.scalarText, !LabelForm.isTaint(text) else { return }
    problems.append(
      Diagnostic(
        "\"\(text)\" is not a taint", reason: "the kubelet would not start with it",
        remedy: "write key=value:NoSchedule, PreferNoSchedule or NoExecute", at: node.location))
  }

  private mutating func checkLabel(_ node: Node) {
    guard let text = node.scalarText else { return }
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, LabelForm.isKey(parts[0]), LabelForm.isValue(parts[1]) else {
      problems.append(
        Diagnostic(
          "\"\(text)\" is not a label", reason: "the kubelet would not start with it",
          remedy: "write key=value, for example example.org/rack=a1", at: node.location))
      return
    }
    guard LabelForm.isReserved(parts[0]) else { return }
    problems.append(
      Diagnostic(
        "the kubelet may not give itself the label \"\(parts[0])\"",
        reason: "labels under kubernetes.io and k8s.io are kept for the cluster",
        remedy: "use a name of your own, or node.kubernetes.io/… , or label the node with kubectl",
        at: node.location))
  }

  /// The kubelet refuses to start unless the low threshold is below the high one; raising or
  /// lowering only one of the two crosses the other's default easily.
  private mutating func checkImageThresholds(in part: String) {
    let own = k3s.open(part)
    let common = k3s.open("config")["kubelet-arg"]
    let appended = own["kubelet-arg+"].map { [common, $0] }
    let lists = appended ?? [own["kubelet-arg"] ?? common]
    let arguments = lists.compactMap { $0 }.flatMap { $0.list ?? [$0] }
    func last(_ name: String) -> Located<Int>? {
      arguments.compactMap { node -> Located<Int>? in
        guard let text = node.scalarText, text.hasPrefix("\(name)=") else { return nil }
        return Int(text.dropFirst(name.count + 1)).map { Located($0, at: node.location) }
      }.last
    }
    let high = last("image-gc-high-threshold")
    let low = last("image-gc-low-threshold")
    let values = (low: low?.value ?? 80, high: high?.value ?? 85)
    guard let place = (high ?? low)?.location, values.low >= values.high,
      !problems.contains(where: { $0.location == place })
    else { return }
    problems.append(
      Diagnostic(
        "image-gc-high-threshold \(values.high) is not above image-gc-low-threshold \(values.low)"
          + (high == nil || low == nil ? ", which is a default" : ""),
        reason: "the kubelet would not start",
        remedy: low == nil
          ? "add image-gc-low-threshold=\(max(0, values.high - 5))"
          : "make the low one smaller, or the high one larger",
        at: place))
  }

  private mutating func checkArgument(_ node: Node, of key: String) {
    guard let text = node.scalarText, text.hasPrefix("-") else { return }
    problems.append(
      Diagnostic(
        "\"\(text)\" begins with a dash", reason: "k3s puts the dashes of \(key) itself",
        remedy: "write \(text.drop { $0 == "-" })", at: node.location))
  }
}
