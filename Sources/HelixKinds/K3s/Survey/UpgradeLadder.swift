import HelixModel

/// The way from the releases that nodes run to the wanted one: never down, never past a minor.
///
/// One run makes one hop. The next hop begins when every node that counts has made this one.
enum UpgradeLadder {
  /// What is left for a later run, whoever upgrades the cluster.
  static let address = Address(.cluster, kind: "upgrade-ladder")

  /// A node and what its kubelet reports.
  struct Rung: Sendable, Hashable {
    var node: String
    var version: K3sVersion

    init(_ node: String, _ version: K3sVersion) {
      self.node = node
      self.version = version
    }
  }

  /// What this run brings nodes to.
  struct Hop: Sendable, Hashable {
    /// The lowest release that a node runs.
    var from: K3sVersion
    var to: K3sVersion
    /// The hops after this one, in order; the last is the wanted release.
    var then: [K3sVersion]

    var isLast: Bool { then.isEmpty }
    /// `hop 1 of 2`.
    var words: String { "hop 1 of \(then.count + 1)" }

    /// What is left for a later run, and why this one does not do it.
    func later(at location: SourceLocation) -> Diagnostic {
      let rest = then.map(\.description).joined(separator: ", then ")
      return Diagnostic(
        "\(rest) follows when every node runs \(to)",
        reason: "\(words): one run makes one hop, and looks at what nodes run before the next",
        remedy: "apply this plan, then apply again", at: location)
    }
  }

  enum Next: Sendable, Hashable {
    /// Every node runs the wanted release.
    case arrived
    case hop(Hop)
    /// A downgrade, or a minor left out with no release to stop at.
    case refused(Diagnostic)
  }

  /// Who names the release that is wanted.
  enum Source: Sendable {
    /// The inventory, with releases to stop at on the way.
    case inventory(through: [Located<K3sVersion>])
    /// A release channel, which knows no stops.
    case channel

    var stops: [K3sVersion] {
      switch self {
      case .inventory(let through): through.map(\.value)
      case .channel: []
      }
    }
  }

  /// The next hop of nodes that live; those that are off are the caller's to name.
  static func next(
    servers: [Rung], agents: [Rung], wanted: Located<K3sVersion>, by source: Source
  ) -> Next {
    let all = (servers + agents).sorted(by: isLower)
    guard let lowest = all.first, let highest = all.last else { return .arrived }
    if wanted.value < highest.version { return .refused(downgrade(highest, wanted, by: source)) }
    let stops = (source.stops.filter { $0 < wanted.value } + [wanted.value])
      .sorted().filter { $0 >= highest.version && $0 > lowest.version }
    guard let next = stops.first else { return .arrived }
    if let gap = gap(from: lowest, over: stops, servers: servers, wanted, by: source) {
      return .refused(gap)
    }
    return .hop(Hop(from: lowest.version, to: next, then: Array(stops.dropFirst())))
  }

  /// Whether a node of one release may be brought to another in one go.
  static func isOneHop(from: K3sVersion, to: K3sVersion) -> Bool {
    to >= from && to.major == from.major && to.minor <= from.minor + 1
  }

  private static func isLower(_ left: Rung, _ right: Rung) -> Bool {
    (left.version, left.node) < (right.version, right.node)
  }
}

// MARK: - Refusals

extension UpgradeLadder.Source {
  /// What stands behind a release that nobody has written.
  fileprivate var words: String {
    switch self {
    case .inventory: ""
    case .channel: ", to which the channel leads,"
    }
  }

  fileprivate var ending: String {
    switch self {
    case .inventory: ""
    case .channel: ", to which the channel leads"
    }
  }
}

extension UpgradeLadder {
  private static func downgrade(
    _ node: Rung, _ wanted: Located<K3sVersion>, by source: Source
  ) -> Diagnostic {
    let newer =
      switch source {
      case .inventory: "write k3s.version: \(node.version) or newer"
      case .channel: "choose a channel that leads to \(node.version) or newer"
      }
    return Diagnostic(
      "\(node.node) runs \(node.version), newer than \(wanted.value)\(source.ending)",
      reason: "data that a newer release has written is not read by an older one",
      remedy: "\(newer), or restore an etcd snapshot that \(wanted.value) has made",
      at: wanted.location)
  }

  /// The first place on the way where a minor release is left out.
  private static func gap(
    from lowest: Rung, over stops: [K3sVersion], servers: [Rung], _ wanted: Located<K3sVersion>,
    by source: Source
  ) -> Diagnostic? {
    var version = lowest.version
    for stop in stops {
      guard isOneHop(from: version, to: stop) else {
        if version == lowest.version, isLeftBehind(lowest, by: servers) {
          return straggler(lowest, stop, wanted)
        }
        return skip(
          lowest, from: version, to: stop, running: servers.map(\.version).max(), wanted,
          by: source)
      }
      version = stop
    }
    return nil
  }

  /// Whether the servers cannot stop any more where the node would have to.
  private static func isLeftBehind(_ node: Rung, by servers: [Rung]) -> Bool {
    !servers.isEmpty && servers.allSatisfy { !isOneHop(from: node.version, to: $0.version) }
  }

  // What a server runs already need not be guessed.
  private static func skip(
    _ node: Rung, from version: K3sVersion, to stop: K3sVersion, running: K3sVersion?,
    _ wanted: Located<K3sVersion>, by source: Source
  ) -> Diagnostic {
    let minors = version.major == stop.major ? Array((version.minor + 1)..<stop.minor) : []
    let releases = minors.map { minor in
      running.flatMap { $0.minor == minor ? $0.description : nil }
        ?? KnownReleases.words(forMinor: minor, major: version.major)
    }
    let start = version == node.version ? "\(node.node) runs" : "the way there stops at"
    let next = "v\(version.major).\(version.minor + 1)"
    let remedy =
      switch source {
      case .channel: "choose a channel of \(next) first"
      case .inventory where releases.isEmpty: "go to a release of \(next) first"
      case .inventory:
        "write upgrade: { through: [\(releases.joined(separator: ", "))] } in cluster.yaml"
      }
    return Diagnostic(
      "\(stop)\(source.words) is more than one minor release after \(version)",
      reason: "\(start) \(version), and Kubernetes is upgraded one minor release at a time",
      remedy: remedy,
      at: wanted.location)
  }

  /// An agent that missed a whole minor: the servers cannot go back to fetch it.
  private static func straggler(
    _ node: Rung, _ stop: K3sVersion, _ wanted: Located<K3sVersion>
  ) -> Diagnostic {
    Diagnostic(
      "\(node.node) runs \(node.version), more than one minor release behind the servers",
      reason: "a node is upgraded one minor release at a time, and its servers are past the next",
      remedy: "drain it, run k3s-agent-uninstall.sh there and delete its node; it joins anew with"
        + " \(stop)",
      at: wanted.location)
  }
}
