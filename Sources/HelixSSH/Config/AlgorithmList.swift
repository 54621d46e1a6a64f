/// Algorithms as ssh's configuration chooses them: a list of its own, or a change to the usual one.
struct AlgorithmList: Hashable, Sendable {
  private enum Change: Character { case add = "+", remove = "-", prefer = "^" }

  private let change: Change?
  private let patterns: [String]
  /// As written.
  let text: String

  /// Reads a list; nil when it names nothing, or excludes where it should choose.
  init?(_ text: String) {
    self.text = text
    change = text.first.flatMap(Change.init)
    patterns = (change == nil ? text[...] : text.dropFirst()).split(separator: ",").map(String.init)
    guard !patterns.isEmpty else { return nil }
    guard change == .remove || !patterns.contains(where: { $0.hasPrefix("!") }) else { return nil }
  }

  /// The algorithms that are left of the usual ones and of all that can be chosen, best first.
  func applied(to usual: [String], known: [String]) -> [String] {
    let wanted: [String]
    switch change {
    case .remove:
      let list = patterns.joined(separator: ",")
      return usual.filter { ConfigPattern.judge(list, $0) != .matches }
    case .add: wanted = usual + patterns
    case .prefer: wanted = patterns + usual
    case nil: wanted = patterns
    }
    var chosen: [String] = []
    for pattern in wanted {
      for name in known where ConfigPattern.matches(pattern, name) && !chosen.contains(name) {
        chosen.append(name)
      }
    }
    return chosen
  }
}

/// What a host's configuration says about algorithms; nil leaves the usual ones.
struct AlgorithmChoice: Hashable, Sendable {
  var keyExchange: AlgorithmList?
  var hostKey: AlgorithmList?
  var cipher: AlgorithmList?
  var mac: AlgorithmList?

  /// The usual algorithms of one purpose, as far as the choice leaves them.
  func applied(_ purpose: Algorithms.Purpose, to usual: [String]) -> [String] {
    list(purpose)?.applied(to: usual, known: usual) ?? usual
  }

  /// Why libssh2 cannot honour the choice, in words.
  var obstacles: [String] {
    Algorithms.Purpose.allCases.compactMap { purpose in
      guard let list = list(purpose) else { return nil }
      let usable = applied(purpose, to: Algorithms.usual(purpose))
      guard Set(usable).isDisjoint(with: Algorithms.able[purpose] ?? []) else { return nil }
      return "\(keyword(purpose)) \(list.text) leaves nothing that libssh2 can do"
    }
  }

  private func list(_ purpose: Algorithms.Purpose) -> AlgorithmList? {
    switch purpose {
    case .keyExchange: keyExchange
    case .hostKey: hostKey
    case .cipher: cipher
    case .mac: mac
    }
  }

  private func keyword(_ purpose: Algorithms.Purpose) -> String {
    switch purpose {
    case .keyExchange: "KexAlgorithms"
    case .hostKey: "HostKeyAlgorithms"
    case .cipher: "Ciphers"
    case .mac: "MACs"
    }
  }
}
