package import HelixAge

/// What this machine can open files with.
package struct Keyring: Sendable {
  package var identities: [any AgeIdentity]
  /// Nil when PGP keys are to be left alone.
  package var pgp: (any PGPProgram)?

  package init(identities: [any AgeIdentity] = [], pgp: (any PGPProgram)? = nil) {
    self.identities = identities
    self.pgp = pgp
  }
}

/// What came of trying to open a file with one of its master keys.
package struct KeyTrial: Hashable, Sendable {
  /// How a trial ended.
  package enum Outcome: Hashable, Sendable {
    case opened
    /// Another key of its group was enough.
    case notNeeded
    /// No age identity at hand is its.
    case noIdentity
    case age(AgeProblem)
    case noProgram
    case pgp(PGPProblem)
    /// It is kept by somebody whom this version does not ask.
    case remote
    /// The entry holds no wrapped key.
    case empty
    /// What was wrapped is no data key.
    case noDataKey
  }

  package var key: MasterKey
  package var outcome: Outcome

  package init(_ key: MasterKey, _ outcome: Outcome) {
    self.key = key
    self.outcome = outcome
  }
}

extension Keyring {
  /// What a master key's entry holds, which the caller wipes.
  func unwrap(
    _ entry: SOPSMetadata.Entry, length: Int, identities: [any AgeIdentity]
  ) -> (part: [UInt8]?, outcome: KeyTrial.Outcome) {
    guard let wrapped = entry.wrapped, !wrapped.isEmpty else { return (nil, .empty) }
    var part: [UInt8]
    switch entry.key {
    case .age:
      do throws(AgeProblem) {
        part = try AgeFile.decrypt(Array(wrapped.utf8), with: identities, form: .armored)
      } catch {
        return (nil, error == .noMatch ? .noIdentity : .age(error))
      }
    case .pgp:
      guard let pgp else { return (nil, .noProgram) }
      do throws(PGPProblem) {
        part = try pgp.decrypt(wrapped)
      } catch {
        return (nil, .pgp(error))
      }
    case .remote: return (nil, .remote)
    }
    guard part.count == length else {
      part.wipe()
      return (nil, .noDataKey)
    }
    return (part, .opened)
  }
}
