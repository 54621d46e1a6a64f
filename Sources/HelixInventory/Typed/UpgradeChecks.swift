internal import HelixModel

/// What an `upgrade` part of the right shape may still get wrong.
struct UpgradeChecks {
  private let upgrade: Fields
  private let wanted: Located<K3sVersion>?
  /// Nil when it is not known which hosts are servers.
  private let servers: Int?
  private(set) var problems: [Diagnostic] = []
  private(set) var warnings: [Diagnostic] = []

  init?(_ top: Fields, servers: Int?) {
    guard let upgrade = top.fields("upgrade") else { return nil }
    self.upgrade = upgrade
    self.servers = servers
    let tag = top.fields("k3s")?.text("version")
    wanted = tag.flatMap { tag in K3sVersion(tag.value).map { Located($0, at: tag.location) } }
  }

  mutating func check() {
    checkChannel()
    checkLadder()
    let plans = upgrade.fields("plans")
    for role in ["servers", "agents"] {
      guard let plan = plans?.fields(role) else { continue }
      check(plan)
      if role == "servers" {
        checkConcurrency(plan)
        refusePrepare(plan)
      }
    }
  }

  private var goesOverSSH: Bool { upgrade.text("strategy")?.value == "ssh" }

  // MARK: - Where to

  private mutating func checkChannel() {
    guard let channel = upgrade.text("channel") else { return }
    if goesOverSSH {
      problems.append(
        Diagnostic(
          "a channel needs the controller",
          reason: "over SSH nodes come to the release that k3s.version names",
          remedy: "take channel out, or write strategy: controller", at: channel.location))
    }
    if !channel.value.hasPrefix("https://"), !channel.value.hasPrefix("http://") {
      problems.append(
        Diagnostic(
          "\"\(channel.value)\" is not a URL", reason: "the controller asks a channel over HTTP",
          remedy: "write for example https://update.k3s.io/v1-release/channels/v1.29",
          at: channel.location))
    }
    if let first = upgrade.texts("through").first {
      problems.append(
        Diagnostic(
          "a channel has no releases to stop at",
          reason: "it leads to one release, whichever that is at the time",
          remedy: "take through or channel out", at: first.location))
    }
  }

  /// Stops ascend, a minor at a time, and the wanted release comes last.
  private mutating func checkLadder() {
    var before: Located<K3sVersion>?
    for tag in upgrade.texts("through") {
      guard let version = K3sVersion(tag.value) else {
        problems.append(
          Diagnostic(
            "\"\(tag.value)\" is not a k3s release", reason: "nodes install one exact release",
            remedy: "write the whole tag, for example v1.29.15+k3s1", at: tag.location))
        continue
      }
      if let wanted, version >= wanted.value {
        problems.append(
          Diagnostic(
            "\(version) is no stop on the way to \(wanted.value)",
            reason: version == wanted.value
              ? "it is where the way ends" : "nodes never go back to an older release",
            remedy: "take it out, or make k3s.version newer", at: tag.location))
        continue
      }
      checkStep(from: before?.value, to: Located(version, at: tag.location))
      before = Located(version, at: tag.location)
    }
    guard let before, let wanted else { return }
    if let problem = Self.skip(from: before.value, to: wanted) { problems.append(problem) }
  }

  private mutating func checkStep(from before: K3sVersion?, to stop: Located<K3sVersion>) {
    guard let before else { return }
    if stop.value <= before {
      problems.append(
        Diagnostic(
          "\(stop.value) does not come after \(before)",
          reason: "nodes stop at them in the order written, and never go back",
          remedy: "write the oldest first", at: stop.location))
    } else if let problem = Self.skip(from: before, to: stop) {
      problems.append(problem)
    }
  }

  private static func skip(from before: K3sVersion, to stop: Located<K3sVersion>) -> Diagnostic? {
    guard stop.value.major != before.major || stop.value.minor > before.minor + 1 else {
      return nil
    }
    return Diagnostic(
      "\(stop.value) is more than one minor release after \(before)",
      reason: "Kubernetes is upgraded one minor release at a time",
      remedy: "add a release of v\(before.major).\(before.minor + 1) between them",
      at: stop.location)
  }

  // MARK: - How

  private mutating func checkConcurrency(_ plan: Fields) {
    guard let servers, servers > 0, let concurrency = plan.integer("concurrency") else { return }
    let spare = max(1, servers - (servers / 2 + 1))
    guard concurrency > spare, let place = plan.mapping["concurrency"]?.location else { return }
    problems.append(
      Diagnostic(
        "\(concurrency) servers at once would stop the cluster",
        reason: "of \(servers) servers \(servers / 2 + 1) must run for etcd to have a majority",
        remedy: "write concurrency: \(spare)", at: place))
  }

  /// A job of the servers that waits for the servers waits for itself.
  private mutating func refusePrepare(_ plan: Fields) {
    guard !goesOverSSH, let entry = plan.mapping.entry("prepare") else { return }
    problems.append(
      Diagnostic(
        "servers have nothing to wait for",
        reason: "prepare waits until no server is being upgraded, and one always would be: itself",
        remedy: "take it out; agents are who waits for the servers", at: entry.keyLocation))
  }

  private mutating func check(_ plan: Fields) {
    checkDeadline(plan)
    for toleration in plan.mapping["tolerations"]?.list ?? [] {
      if let problem = Self.problem(ofToleration: toleration) { problems.append(problem) }
    }
    if let window = plan.fields("window") { check(window: window) }
    if let selector = plan.fields("drain")?.text("pod-selector"), selector.value.contains("(") {
      problems.append(
        Diagnostic(
          "\"\(selector.value)\" is not a selector that is understood",
          reason: "there are key, !key, key=value and key!=value, with commas between them",
          remedy: "write for example app!=storage", at: selector.location))
    }
    guard goesOverSSH else { return }
    for key in ["exclusive", "prepare", "tolerations", "window"] {
      guard let entry = plan.mapping.entry(key) else { continue }
      warnings.append(
        Diagnostic(
          "\"\(key)\" says nothing over SSH", reason: "it is about the controller's jobs",
          remedy: "take it out", at: entry.keyLocation, severity: .warning))
    }
  }

  /// A job that runs out of time fails, and a failed job stops all others.
  private mutating func checkDeadline(_ plan: Fields) {
    guard let deadline = plan.seconds("deadline"), let place = plan.mapping["deadline"]?.location
    else { return }
    let drain = plan.fields("drain")
    let drainTime =
      drain?.seconds("timeout") ?? (drain != nil || plan.bool("drain") == true ? 300 : 0)
    let least = drainTime + 300
    guard deadline < least else { return }
    problems.append(
      Diagnostic(
        "\(deadline) s are too short for one node",
        reason: drainTime > 0
          ? "the drain alone may take \(drainTime) s, and an image and a restart come on top"
          : "an image has to be pulled, and k3s restarted",
        remedy: "write deadline: \(least)s or more, or leave it out", at: place))
  }
}

// MARK: - Tolerations

extension UpgradeChecks {
  private static let tolerationKeys = ["key", "operator", "value", "effect", "tolerationSeconds"]

  private static func problem(ofToleration node: Node) -> Diagnostic? {
    // What is no mapping was told by its shape.
    guard let fields = node.mapping else { return nil }
    for entry in fields.entries where !tolerationKeys.contains(entry.key) {
      return Diagnostic(
        "\"\(entry.key)\" is not a key of a toleration",
        remedy: suggestion(for: entry.key, among: tolerationKeys) ?? "remove it",
        at: entry.keyLocation)
    }
    let words = [
      ("operator", ["Exists", "Equal"]),
      ("effect", ["NoSchedule", "PreferNoSchedule", "NoExecute"]),
    ]
    for (key, known) in words {
      guard let word = fields[key], !known.contains(word.scalarText ?? "") else { continue }
      return Diagnostic(
        "\"\(word.scalarText ?? word.value.typeName)\" is not the \(key) of a toleration",
        remedy: suggestion(for: word.scalarText ?? "", among: known)
          ?? "write one of \(known.joined(separator: ", "))", at: word.location)
    }
    if fields["operator"]?.scalarText == "Exists", let value = fields.entry("value") {
      return Diagnostic(
        "a toleration with operator: Exists has no value",
        reason: "it is for every value of the key", remedy: "take value out, or write Equal",
        at: value.keyLocation)
    }
    guard fields["key"] == nil, fields["operator"]?.scalarText != "Exists" else { return nil }
    return Diagnostic(
      "a toleration without a key needs operator: Exists",
      reason: "without a key it is for every taint", remedy: "add key: or operator: Exists",
      at: node.location)
  }
}

// MARK: - Windows

extension UpgradeChecks {
  private mutating func check(window: Fields) {
    let times = ["start", "end"].compactMap { window.text($0) }
    for time in times where Self.minutes(time.value) == nil {
      problems.append(
        Diagnostic(
          "\"\(time.value)\" is not a time of day", reason: "a window opens and closes at HH:MM",
          remedy: "write for example \"02:00\"", at: time.location))
    }
    if times.count == 2, let start = Self.minutes(times[0].value),
      start == Self.minutes(times[1].value)
    {
      problems.append(
        Diagnostic(
          "the window never opens", reason: "it closes when it opens",
          remedy: "leave window out for any time of the day", at: times[1].location))
    }
    if let days = window.mapping["days"], days.list?.isEmpty == true {
      problems.append(
        Diagnostic(
          "the window never opens", reason: "it has no days",
          remedy: "leave days out for all seven",
          at: days.location))
    }
    if let zone = window.text("time-zone"), !Self.isZone(zone.value) {
      problems.append(
        Diagnostic(
          "\"\(zone.value)\" is not a time zone", reason: "zones have names such as Europe/Zurich",
          remedy: "write the name of a zone, or UTC", at: zone.location))
    }
  }

  /// Minutes since midnight; nil for what is no time.
  private static func minutes(_ text: String) -> Int? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, (1...2).contains(parts[0].count), parts[1].count == 2,
      parts.joined().allSatisfy({ ("0"..."9").contains($0) }), let hours = Int(parts[0]),
      let minutes = Int(parts[1]), hours < 24, minutes < 60
    else { return nil }
    return hours * 60 + minutes
  }

  /// The form of an IANA name; which there are, the controller's own files say.
  private static func isZone(_ text: String) -> Bool {
    if text == "UTC" || text == "Local" { return true }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count >= 2
      && parts.allSatisfy { part in
        part.first?.isUppercase == true
          && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_+-".contains($0)) }
      }
  }
}
