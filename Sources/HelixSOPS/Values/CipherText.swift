internal import HelixModel

/// A value as an encrypted file has it: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.
package struct CipherText: Hashable, Sendable {
  package var data: [UInt8]
  package var iv: [UInt8]
  package var tag: [UInt8]
  package var type: String

  init(data: [UInt8], iv: [UInt8], tag: [UInt8], type: String) {
    self.data = data
    self.iv = iv
    self.tag = tag
    self.type = type
  }

  /// Reads one; what stands behind its bracket is passed over, as upstream does.
  package init?(_ text: [UInt8]) {
    guard Self.begins(text) else { return nil }
    var rest = text.dropFirst(Self.start.count)
    rest = rest.prefix { $0 != UInt8(ascii: "\n") }
    guard let end = rest.lastIndex(of: UInt8(ascii: "]")) else { return nil }
    rest = rest[..<end]
    var fields: [ArraySlice<UInt8>] = []
    for mark in [",iv:", ",tag:", ",type:"] {
      guard let place = rest.firstPlace(of: Array(mark.utf8)) else { return nil }
      fields.append(rest[..<place])
      rest = rest[(place + mark.utf8.count)...]
    }
    fields.append(rest)
    guard fields.allSatisfy({ !$0.isEmpty }), let data = Self.decoded(fields[0]),
      let iv = Self.decoded(fields[1]), let tag = Self.decoded(fields[2])
    else { return nil }
    self.init(data: data, iv: iv, tag: tag, type: String(decoding: rest, as: UTF8.self))
  }

  private static func decoded(_ field: ArraySlice<UInt8>) -> [UInt8]? {
    Base64.decode(String(decoding: field, as: UTF8.self))
  }

  /// Whether a text starts as every ciphertext does.
  package static func begins(_ text: [UInt8]) -> Bool { text.starts(with: start) }

  private static let start = Array("ENC[AES256_GCM,data:".utf8)

  package var text: String {
    "ENC[AES256_GCM,data:\(Base64.encode(data)),iv:\(Base64.encode(iv)),tag:\(Base64.encode(tag)),"
      + "type:\(type)]"
  }
}

extension ArraySlice<UInt8> {
  /// Where some bytes stand for the first time.
  func firstPlace(of mark: [UInt8]) -> Int? {
    guard let first = mark.first else { return startIndex }
    var place = startIndex
    while let next = self[place...].firstIndex(of: first) {
      if self[next...].starts(with: mark) { return next }
      place = next + 1
    }
    return nil
  }
}
