package import HelixAge

/// Why a data key cannot be wrapped for a master key.
package enum WrapProblem: Hashable, Sendable, Error {
  case age(MasterKey, AgeProblem)
  case pgp(MasterKey, PGPProblem)
  /// There is no PGP program to ask.
  case noProgram(MasterKey)
  /// Only a cloud or vault that this version does not ask could do it.
  case remote(MasterKey)
  case noKeys
  /// A threshold must be at least two and at most the number of groups.
  case threshold(Int, groups: Int)
}

/// Wraps data keys for groups of master keys.
struct KeyWrapping {
  /// Reads recipients.
  let age: AgeKeys
  let pgp: (any PGPProgram)?
  let now: Moment

  /// A file's entries for a data key.
  func entries(
    _ dataKey: DataKey, for groups: [KeyGroup], threshold: Int?,
    random: inout some RandomNumberGenerator
  ) throws(WrapProblem) -> [[SOPSMetadata.Entry]] {
    guard !groups.isEmpty, groups.allSatisfy({ !$0.keys.isEmpty }) else { throw .noKeys }
    var parts: [[UInt8]]
    if groups.count == 1 {
      parts = [dataKey.withBytes { $0 }]
    } else {
      let needed = threshold ?? groups.count
      let shares = dataKey.withBytes {
        Shamir.split($0, into: groups.count, threshold: needed, random: &random)
      }
      guard let shares else { throw .threshold(needed, groups: groups.count) }
      parts = shares
    }
    defer { for place in parts.indices { parts[place].wipe() } }
    var entries: [[SOPSMetadata.Entry]] = []
    for (group, part) in zip(groups, parts) {
      entries.append(
        try group.distinct.map { key throws(WrapProblem) in try entry(part, for: key) })
    }
    return entries
  }

  /// One entry for the bytes of a data key or of a share.
  func entry(
    _ part: [UInt8], for key: MasterKey
  ) throws(WrapProblem) -> SOPSMetadata.Entry {
    switch key {
    case .age(let text):
      do throws(AgeProblem) {
        let recipient = try age.recipient(text)
        let file = try AgeFile.encrypt(AgeSecret(part), to: [recipient], armored: true)
        return .age(text, wrapped: String(decoding: file, as: UTF8.self))
      } catch {
        throw .age(key, error)
      }
    case .pgp(let fingerprint):
      guard let pgp else { throw .noProgram(key) }
      do throws(PGPProblem) {
        return .pgp(fingerprint, wrapped: try pgp.encrypt(part, for: fingerprint), at: now)
      } catch {
        throw .pgp(key, error)
      }
    case .remote: throw .remote(key)
    }
  }
}

extension KeyGroup {
  /// Its keys without repetitions.
  var distinct: [MasterKey] {
    var seen: Set<MasterKey> = []
    return keys.filter { seen.insert($0.canonical).inserted }
  }

  var canonical: Set<MasterKey> { Set(keys.map(\.canonical)) }
}
