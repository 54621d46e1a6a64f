/// What wraps and unwraps data keys for PGP keys.
package protocol PGPProgram: Sendable {
  /// Encrypts a few bytes for the key with this fingerprint; armored, without a line end behind.
  func encrypt(_ bytes: [UInt8], for fingerprint: String) throws(PGPProblem) -> String
  /// Opens an armored message with whatever secret key is at hand.
  func decrypt(_ message: String) throws(PGPProblem) -> [UInt8]
}

/// Why a PGP program did not do what it should.
package enum PGPProblem: Error, Hashable, Sendable {
  /// It is not installed, or cannot be started.
  case cannotStart(program: String)
  /// It said no; the last lines of what it said, which name keys but hold none.
  case failed(status: Int, lastLines: [String])
  /// Only fingerprints name a key without doubt.
  case notFingerprint(String)
  /// More than any message that holds a data key.
  case tooLong
}
