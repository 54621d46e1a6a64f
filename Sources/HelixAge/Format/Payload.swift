import Crypto
import Foundation

/// Seals and opens the chunks of a payload; see the age specification, "Payload".
struct Payload: Sendable {
  static let nonceSize = 16
  static let chunkSize = 1 << 16
  static let tagSize = 16
  static let sealedSize = chunkSize + tagSize
  /// The room for a chunk's nonce before it, so that a chunk need not be copied to be opened.
  static let head = 12

  private let key: SymmetricKey

  init(_ key: AgeFileKey, nonce: [UInt8]) { self.key = key.payloadKey(nonce: nonce) }

  /// The chunk sealed, behind its nonce.
  func seal(_ chunk: UnsafeRawBufferPointer, number: UInt64, isLast: Bool) throws -> Data {
    let nonce = try ChaChaPoly.Nonce(data: Self.nonce(number, isLast))
    let bytes = chunk.bindMemory(to: UInt8.self)
    return try ChaChaPoly.seal(bytes, using: key, nonce: nonce).combined
  }

  /// The chunk that lies sealed in memory behind room for its nonce; nil when it is not sound.
  func open(_ sealed: UnsafeMutableRawBufferPointer, number: UInt64, isLast: Bool) -> Data? {
    sealed.copyBytes(from: Self.nonce(number, isLast))
    let bytes = UnsafeRawBufferPointer(sealed).bindMemory(to: UInt8.self)
    return (try? ChaChaPoly.SealedBox(combined: bytes)).flatMap {
      try? ChaChaPoly.open($0, using: key)
    }
  }

  private static func nonce(_ number: UInt64, _ isLast: Bool) -> [UInt8] {
    var nonce = [UInt8](repeating: 0, count: 12)
    for place in 0..<8 { nonce[10 - place] = UInt8(truncatingIfNeeded: number >> (8 * place)) }
    nonce[11] = isLast ? 1 : 0
    return nonce
  }
}
