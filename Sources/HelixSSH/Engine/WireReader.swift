/// Reads the SSH protocol's basic types from bytes; nil as soon as something is cut short.
struct WireReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: some Collection<UInt8>) { rest = ArraySlice(bytes) }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func byte() -> UInt8? { rest.popFirst() }

  mutating func bytes(_ count: Int) -> [UInt8]? {
    guard count >= 0, rest.count >= count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  mutating func number() -> Int? {
    bytes(4).map { $0.reduce(0) { $0 << 8 | Int($1) } }
  }

  /// A length and that many bytes.
  mutating func string() -> [UInt8]? {
    guard let count = number() else { return nil }
    return bytes(count)
  }

  mutating func text() -> String? {
    string().map { String(decoding: $0, as: UTF8.self) }
  }

  /// Names separated by commas.
  mutating func names() -> [String]? {
    text().map { $0.split(separator: ",").map(String.init) }
  }
}

extension [UInt8] {
  /// Appends a number as the SSH protocol writes it.
  mutating func appendNumber(_ number: Int) {
    for shift in [24, 16, 8, 0] { append(UInt8(truncatingIfNeeded: number >> shift)) }
  }

  /// Appends a length and that many bytes.
  mutating func appendString(_ bytes: some Collection<UInt8>) {
    appendNumber(bytes.count)
    append(contentsOf: bytes)
  }
}
