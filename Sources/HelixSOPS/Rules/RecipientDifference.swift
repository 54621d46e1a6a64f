/// How the keys of a file differ from those of its rule.
package struct RecipientDifference: Hashable, Sendable {
  /// Keys of the rule that cannot open the file.
  package let missing: [MasterKey]
  /// Keys that open the file and are not in the rule.
  package let surplus: [MasterKey]
  /// Whether the same keys are grouped in another way.
  package let isGroupedDifferently: Bool

  /// Whether the file is for exactly those that the rule names.
  package var isNone: Bool { missing.isEmpty && surplus.isEmpty && !isGroupedDifferently }

  /// Compares the groups of a file with those of its rule, without regard to order or spelling.
  package init(file: [KeyGroup], rule: [KeyGroup]) {
    let inFile = Set(file.flatMap(\.keys).map(\.identity))
    let inRule = Set(rule.flatMap(\.keys).map(\.identity))
    missing = Self.distinct(rule).filter { !inFile.contains($0.identity) }
    surplus = Self.distinct(file).filter { !inRule.contains($0.identity) }
    isGroupedDifferently = inFile == inRule && Self.groups(file) != Self.groups(rule)
  }

  private static func distinct(_ groups: [KeyGroup]) -> [MasterKey] {
    var seen: Set<MasterKey> = []
    return groups.flatMap(\.keys).filter { seen.insert($0.identity).inserted }
  }

  /// Groups in order, as shares are numbered, the keys of each without order.
  private static func groups(_ groups: [KeyGroup]) -> [Set<MasterKey>] {
    groups.map { Set($0.keys.map(\.identity)) }.filter { !$0.isEmpty }
  }
}

extension MasterKey {
  /// The same for all ways of writing a key.
  fileprivate var identity: MasterKey {
    switch self {
    case .age(let recipient):
      // Behind an ssh key stands a remark.
      let words = recipient.split(whereSeparator: \.isWhitespace)
      return .age(words.prefix(recipient.hasPrefix("ssh-") ? 2 : 1).joined(separator: " "))
    case .pgp(let fingerprint):
      let digits = fingerprint.filter { !$0.isWhitespace }.uppercased()
      return .pgp(digits.hasPrefix("0X") ? String(digits.dropFirst(2)) : digits)
    case .remote: return self
    }
  }
}
