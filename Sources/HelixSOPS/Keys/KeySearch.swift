internal import HelixAge

/// Looks for a file's data key among its master keys and groups.
///
/// Age keys are tried before PGP keys and identities that ask somebody last, over all groups, so
/// that nobody is asked for a passphrase that is not needed.
struct KeySearch {
  private let keyring: Keyring
  private let groups: [[SOPSMetadata.Entry]]
  private let needed: Int
  private var outcomes: [[KeyTrial.Outcome?]]
  private var parts: [[UInt8]?]
  /// How many groups gave their part.
  private var found = 0

  /// The data key of a file.
  ///
  /// - Throws: what was tried for each of its master keys.
  static func dataKey(
    of metadata: SOPSMetadata, with keyring: Keyring
  ) throws(KeySearchProblem) -> DataKey {
    var search = KeySearch(metadata, keyring)
    defer { search.wipe() }
    return try search.run()
  }

  private init(_ metadata: SOPSMetadata, _ keyring: Keyring) {
    self.keyring = keyring
    groups = metadata.groups
    needed = metadata.groups.count > 1 ? max(2, metadata.neededGroups) : 1
    outcomes = metadata.groups.map { $0.map { _ in nil } }
    parts = metadata.groups.map { _ in nil }
  }

  private mutating func run() throws(KeySearchProblem) -> DataKey {
    let silent = keyring.identities.filter { !$0.asks }
    let own = Set(silent.flatMap(\.recipients).map { MasterKey.age($0).canonical })
    attempt(silent) { own.contains($0.canonical) }
    attempt(silent) { $0.kind == "age" }
    attempt(keyring.identities.filter(\.asks)) { $0.kind == "age" }
    attempt { $0.kind == "pgp" }
    attempt { _ in true }
    guard found >= needed, var key = combined(), let dataKey = DataKey(wiping: &key) else {
      throw KeySearchProblem(trials: trials, needed: needed, found: found)
    }
    return dataKey
  }

  /// Tries the keys of a sort in the groups that are still closed, as long as groups are missing.
  private mutating func attempt(
    _ identities: [any AgeIdentity] = [], _ isOfSort: (MasterKey) -> Bool
  ) {
    for group in groups.indices {
      for (place, entry) in groups[group].enumerated() where isOfSort(entry.key) {
        let former = outcomes[group][place]
        let isOpen = former == nil || former == .noIdentity && !identities.isEmpty
        guard found < needed, parts[group] == nil, isOpen else { continue }
        let length = groups.count > 1 ? DataKey.length + 1 : DataKey.length
        let (part, outcome) = keyring.unwrap(
          entry, length: length, identities: identities)
        outcomes[group][place] = outcome
        parts[group] = part
        if part != nil { found += 1 }
      }
    }
  }

  private func combined() -> [UInt8]? {
    let parts = parts.compactMap { $0 }
    return groups.count > 1 ? Shamir.combine(parts) : parts.first
  }

  private var trials: [[KeyTrial]] {
    zip(groups, outcomes).map { group, outcomes in
      zip(group, outcomes).map { KeyTrial($0.key, $1 ?? .notNeeded) }
    }
  }

  private mutating func wipe() {
    for place in parts.indices { parts[place]?.wipe() }
  }
}

/// No master key, or not enough groups of them, opened a file.
package struct KeySearchProblem: Error, Hashable, Sendable {
  /// What was tried, by group.
  package var trials: [[KeyTrial]]
  /// How many groups must be opened, and how many were.
  package var needed: Int
  package var found: Int
}
