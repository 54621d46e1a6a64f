/// The hosts of `ProxyJump`: the last one as ssh calls it, and those before it as written.
struct JumpRoute: Hashable, Sendable {
  let host: String
  let user: String?
  let port: Int?
  /// The hosts before it, nearest first, separated by commas.
  let before: String?

  /// Reads `[user@]host[:port],…`; nil when it is malformed.
  init?(_ text: String) {
    let names = text.split(separator: ",", omittingEmptySubsequences: false)
    let places = names.compactMap { Place($0) }
    guard places.count == names.count, let last = places.last else { return nil }
    host = last.host
    user = last.user
    port = last.port
    before = names.count > 1 ? names.dropLast().joined(separator: ",") : nil
  }

  /// A login, a host and a port, as a word or as an `ssh://` address.
  private struct Place {
    var host: String
    var user: String?
    var port: Int?

    init?(_ text: Substring) {
      let isAddress = text.hasPrefix("ssh://")
      var rest = isAddress ? text.dropFirst(6) : text
      if let at = isAddress ? rest.firstIndex(of: "@") : rest.lastIndex(of: "@") {
        var name = rest[..<at]
        if isAddress { name = name.prefix { $0 != ";" } }
        guard !name.isEmpty else { return nil }
        user = isAddress ? Self.decoded(name) : String(name)
        guard user != nil else { return nil }
        rest = rest[rest.index(after: at)...]
      }
      if isAddress, rest.hasSuffix("/") { rest = rest.dropLast() }
      let end: Substring.Index
      if rest.hasPrefix("[") {
        guard let close = rest.firstIndex(of: "]") else { return nil }
        host = String(rest[rest.index(after: rest.startIndex)..<close])
        end = rest.index(after: close)
      } else {
        end = rest.firstIndex { $0 == ":" || $0 == "/" } ?? rest.endIndex
        host = String(rest[..<end])
      }
      guard !host.isEmpty else { return nil }
      guard end < rest.endIndex else { return }
      guard rest[end] == ":" else { return nil }
      let number = rest[rest.index(after: end)...]
      guard !number.isEmpty else { return }
      guard let port = ConfigValue.port(String(number)) else { return nil }
      self.port = port
    }

    /// A name of an address with its `%41` replaced.
    private static func decoded(_ name: Substring) -> String? {
      var bytes: [UInt8] = []
      var rest = name.utf8[...]
      while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else {
          bytes.append(byte == UInt8(ascii: "+") ? 32 : byte)
          continue
        }
        let digits = String(decoding: rest.prefix(2), as: UTF8.self)
        guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16), value != 0 else {
          return nil
        }
        bytes.append(value)
        rest = rest.dropFirst(2)
      }
      return String(decoding: bytes, as: UTF8.self)
    }
  }
}
