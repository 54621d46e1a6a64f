import HelixAge
import HelixModel
import Testing

@testable import HelixSOPS

/// An age key made from a number, which is no secret.
struct TestKey {
  let recipient: String
  let secret: String
  let identity: any AgeIdentity

  init(seed: UInt64, _ sort: AgeKeyPair.Sort = .x25519) throws {
    var random = CountingGenerator(seed: seed)
    let pair = try AgeKeyPair(sort, using: &random)
    recipient = pair.recipient
    secret = String(decoding: pair.identity.reveal(), as: UTF8.self)
    identity = try AgeKeys().identity(secret)
  }

  var keyring: Keyring { Keyring(identities: [identity]) }
  var group: KeyGroup { KeyGroup([.age(recipient)]) }

  func open(_ bytes: [UInt8], _ format: SOPSFormat) throws -> SOPSDocument {
    try SOPSDocument.open(
      try SealedDocument(bytes, format: format, file: "test"), with: keyring)
  }

  /// A plain file encrypted for this key alone.
  func encrypt(
    _ text: String, _ format: SOPSFormat, rule: SelectionRule? = nil,
    macOnlyEncrypted: Bool = false,
    seed: UInt64 = 1
  ) throws -> [UInt8] {
    var random = CountingGenerator(seed: seed)
    return try SOPSDocument.encrypt(
      Array(text.utf8), format: format, file: "test",
      options: EncryptionOptions(
        groups: [group], rule: rule, macOnlyEncrypted: macOnlyEncrypted),
      tools: .test, random: &random)
  }
}

extension WritingTools {
  /// At a time of no meaning, without PGP.
  static let test = WritingTools(now: Moment(secondsSince1970: 1_700_000_000))
}
