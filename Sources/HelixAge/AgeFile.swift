import Foundation
import HelixModel

/// Files encrypted by age's first format, in its binary form or in armor.
///
/// These functions block until they are done; they use several cores for large files.
package enum AgeFile {
  /// How a file is written.
  package enum Form: Hashable, Sendable {
    case binary, armored
  }

  /// Reads some bytes into memory and says how many; none at the end.
  package typealias Source = (UnsafeMutableRawBufferPointer) throws -> Int
  /// Takes all of the bytes.
  package typealias Sink = (UnsafeRawBufferPointer) throws -> Void

  /// A file for several recipients, from a plaintext at hand.
  package static func encrypt(
    _ plaintext: [UInt8], to recipients: [any AgeRecipient], armored: Bool = false
  ) throws(AgeProblem) -> [UInt8] {
    try encrypt(AgeSecret(plaintext), to: recipients, armored: armored)
  }

  /// A file for several recipients, from a plaintext that is itself a key.
  package static func encrypt(
    _ plaintext: AgeSecret, to recipients: [any AgeRecipient], armored: Bool = false
  ) throws(AgeProblem) -> [UInt8] {
    var file: [UInt8] = []
    try known {
      try plaintext.withBytes { bytes in
        try encrypt(
          Feed(over: bytes), size: bytes.count, to: { file += $0 }, for: recipients,
          armored: armored)
      }
    }
    return file
  }

  /// What a file at hand holds.
  package static func decrypt(
    _ file: [UInt8], with identities: [any AgeIdentity], form: Form? = nil
  ) throws(AgeProblem) -> [UInt8] {
    var plaintext: [UInt8] = []
    // Room at once, so that no copies are left behind when it grows.
    plaintext.reserveCapacity(file.count)
    try known {
      try file.withUnsafeBytes { bytes in
        try decrypt(
          Feed(over: bytes), size: bytes.count, to: { plaintext += $0 }, with: identities,
          form: form)
      }
    }
    return plaintext
  }

  /// What a file at hand holds, when that is a key.
  package static func decryptSecret(
    _ file: [UInt8], with identities: [any AgeIdentity], form: Form? = nil
  ) throws(AgeProblem) -> AgeSecret {
    var plaintext = try decrypt(file, with: identities, form: form)
    return AgeSecret.taking(&plaintext)
  }

  /// Encrypts a stream for several recipients, in constant memory.
  ///
  /// - Throws: an `AgeProblem`, or what the source or sink throws.
  package static func encrypt(
    from source: @escaping Source, to sink: @escaping Sink, for recipients: [any AgeRecipient],
    armored: Bool = false
  ) throws {
    try encrypt(Feed(source), size: nil, to: sink, for: recipients, armored: armored)
  }

  /// Decrypts a stream in constant memory; the sink is only given what has proved sound.
  ///
  /// What a file holds before its damage is given, too, before the problem is thrown.
  ///
  /// - Throws: an `AgeProblem`, or what the source or sink throws.
  package static func decrypt(
    from source: @escaping Source, to sink: @escaping Sink, with identities: [any AgeIdentity],
    form: Form? = nil
  ) throws {
    try decrypt(Feed(source), size: nil, to: sink, with: identities, form: form)
  }

  /// The stanzas of a file at hand, which tell the sorts of its recipients.
  package static func stanzas(
    of file: [UInt8], form: Form? = nil
  ) throws(AgeProblem) -> [AgeStanza] {
    var stanzas: [AgeStanza] = []
    try known {
      try file.withUnsafeBytes { bytes in
        stanzas = try AgeHeader(content(of: Feed(over: bytes), form)).stanzas
      }
    }
    return stanzas
  }

  /// Runs something that throws nothing but an `AgeProblem`.
  private static func known(_ body: () throws -> Void) throws(AgeProblem) {
    do {
      try body()
    } catch let problem as AgeProblem {
      throw problem
    } catch {
      // Only ciphers throw other errors, and only for lengths and keys that do not occur.
      throw .payload("\(error)")
    }
  }
}
