private import Crypto

/// Why a single value cannot be decrypted.
package enum ValueProblem: Error, Hashable, Sendable {
  /// Text where a ciphertext is due.
  case notEncrypted
  /// A number or truth value where a ciphertext is due.
  case notText(type: String)
  /// It was made with another key or for another place, or was changed.
  case notAuthentic
  /// A type that this version knows nothing of.
  case unknownType(String)
  /// It decrypts, but to nothing of its type.
  case wrongContent(type: String)
}

/// Encrypts and decrypts single values of one file.
struct ValueCipher {
  static let ivLength = 32
  private static let tagLength = 16
  /// The shortest that swift-crypto takes; every known writer uses 32 or 12 bytes.
  private static let shortestIV = 12

  let key: DataKey

  /// What binds a value to its place: the keys from the root, each followed by a colon.
  static func place(_ keys: [String]) -> [UInt8] {
    Array((keys.joined(separator: ":") + ":").utf8)
  }

  /// The ciphertext of a value; nil for null and for empty text, which stay as they are.
  func seal(
    _ value: SOPSValue, at place: [UInt8], random: inout some RandomNumberGenerator
  ) -> String? {
    guard let plain = value.canonicalBytes, !plain.isEmpty, let type = value.typeName else {
      return nil
    }
    let iv = random.bytes(Self.ivLength)
    guard let nonce = try? AES.GCM.Nonce(data: iv),
      let box = try? AES.GCM.seal(plain, using: key.key, nonce: nonce, authenticating: place)
    else { return nil }
    return CipherText(
      data: Array(box.ciphertext), iv: iv, tag: Array(box.tag), type: type
    ).text
  }

  func open(_ text: [UInt8], at place: [UInt8]) throws(ValueProblem) -> SOPSValue {
    guard !text.isEmpty else { return .text([]) }
    guard let cipher = CipherText(text) else { throw .notEncrypted }
    return try Self.value(try open(cipher, at: place), type: cipher.type)
  }

  private func open(_ cipher: CipherText, at place: [UInt8]) throws(ValueProblem) -> [UInt8] {
    guard cipher.tag.count == Self.tagLength, cipher.iv.count >= Self.shortestIV,
      let nonce = try? AES.GCM.Nonce(data: cipher.iv),
      let box = try? AES.GCM.SealedBox(nonce: nonce, ciphertext: cipher.data, tag: cipher.tag),
      let plain = try? AES.GCM.open(box, using: key.key, authenticating: place)
    else { throw .notAuthentic }
    return Array(plain)
  }

  private static func value(
    _ bytes: [UInt8], type: String
  ) throws(ValueProblem) -> SOPSValue {
    // Only numbers, truth values and times have to be text.
    let text = String(decoding: bytes, as: UTF8.self)
    let value: SOPSValue?
    switch type {
    case "str", "bytes": value = .text(bytes)
    case "comment": value = .comment(bytes)
    case "int": value = Int64(text).map { .integer($0) }
    case "float": value = number(text).map { .number($0) }
    case "bool": value = truth(text).map { .boolean($0) }
    case "time": value = Moment(text).map { .time($0.nanosecondText) }
    default: throw .unknownType(type)
    }
    guard let value else { throw .wrongContent(type: type) }
    return value
  }

  private static func number(_ text: String) -> Double? {
    guard let number = Double(text) else { return nil }
    // A number too large for the type is an error, infinity itself is not.
    if number.isInfinite, !text.lowercased().contains("inf") { return nil }
    return number
  }

  private static func truth(_ text: String) -> Bool? {
    switch text {
    case "1", "t", "T", "true", "TRUE", "True": true
    case "0", "f", "F", "false", "FALSE", "False": false
    default: nil
    }
  }
}
