/// Reads JSON text by RFC 8259; what an API prints, so a mistake is told without its place.
package struct JSONReading {
  /// Deeper nesting than any Kubernetes object has.
  private static let deepest = 200

  private var rest: Substring.UTF8View
  private var depth = 0

  private init(_ text: Substring) { rest = text.utf8 }

  /// The value of a whole JSON text; every node is said to stand at `place`.
  ///
  /// - Throws: a `Diagnostic` when it is no JSON.
  package static func read(
    _ text: some StringProtocol, as place: String = "json"
  ) throws(Diagnostic) -> Node {
    var reading = JSONReading(Substring(text))
    let location = SourceLocation(file: place, line: 1, column: 1)
    let node = try reading.value(location)
    reading.skipBlanks()
    guard reading.rest.isEmpty else { throw noJSON("something follows its end") }
    return node
  }

  private static func noJSON(_ reason: String) -> Diagnostic {
    Diagnostic("the answer is no JSON", reason: reason)
  }
}

extension JSONReading {
  private mutating func skipBlanks() {
    while let byte = rest.first, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { rest.removeFirst() }
  }

  private mutating func take(_ text: StaticString) -> Bool {
    text.withUTF8Buffer { bytes in
      guard rest.starts(with: bytes) else { return false }
      rest.removeFirst(bytes.count)
      return true
    }
  }

  private mutating func value(_ place: SourceLocation) throws(Diagnostic) -> Node {
    skipBlanks()
    guard depth < Self.deepest else { throw Self.noJSON("it is nested too deeply") }
    depth += 1
    defer { depth -= 1 }
    switch rest.first {
    case UInt8(ascii: "{"): return Node(.mapping(try mapping(place)), at: place)
    case UInt8(ascii: "["): return Node(.list(try list(place)), at: place)
    case UInt8(ascii: "\""): return Node(.text(try string()), at: place)
    case nil: throw Self.noJSON("it breaks off")
    default: break
    }
    if take("true") { return Node(.bool(true), at: place) }
    if take("false") { return Node(.bool(false), at: place) }
    if take("null") { return Node(.null, at: place) }
    return try number(place)
  }

  private mutating func mapping(_ place: SourceLocation) throws(Diagnostic) -> Mapping {
    rest.removeFirst()
    var mapping = Mapping()
    skipBlanks()
    if take("}") { return mapping }
    while true {
      skipBlanks()
      let key = try string()
      skipBlanks()
      guard take(":") else { throw Self.noJSON("a colon is missing") }
      let value = try value(place)
      mapping.set(.init(key: key, keyLocation: place, value: value))
      skipBlanks()
      if take("}") { return mapping }
      guard take(",") else { throw Self.noJSON("a comma is missing, or it breaks off") }
    }
  }

  private mutating func list(_ place: SourceLocation) throws(Diagnostic) -> [Node] {
    rest.removeFirst()
    var elements: [Node] = []
    skipBlanks()
    if take("]") { return elements }
    while true {
      elements.append(try value(place))
      skipBlanks()
      if take("]") { return elements }
      guard take(",") else { throw Self.noJSON("a comma is missing, or it breaks off") }
    }
  }

  private mutating func number(_ place: SourceLocation) throws(Diagnostic) -> Node {
    let digits = rest.prefix { byte in
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || [UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), 0x45]
          .contains(byte)
    }
    let text = String(Substring(digits))
    rest = rest[digits.endIndex...]
    if let whole = Int(text) { return Node(.integer(whole), at: place, written: text) }
    guard let number = Double(text), text.last != "." else {
      throw Self.noJSON("a value is none of JSON's")
    }
    return Node(.number(number), at: place, written: text)
  }

  private mutating func string() throws(Diagnostic) -> String {
    guard take("\"") else { throw Self.noJSON("a text is missing, or it breaks off") }
    var bytes: [UInt8] = []
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
      case UInt8(ascii: "\\"): try escape(into: &bytes)
      case 0..<0x20: throw Self.noJSON("a text holds a control character")
      default: bytes.append(byte)
      }
    }
    throw Self.noJSON("it breaks off in a text")
  }

  private mutating func escape(into bytes: inout [UInt8]) throws(Diagnostic) {
    switch rest.popFirst() {
    case UInt8(ascii: "n"): bytes.append(0x0A)
    case UInt8(ascii: "t"): bytes.append(0x09)
    case UInt8(ascii: "r"): bytes.append(0x0D)
    case UInt8(ascii: "b"): bytes.append(0x08)
    case UInt8(ascii: "f"): bytes.append(0x0C)
    case UInt8(ascii: "u"): bytes += try Array(String(unicode()).utf8)
    case let plain? where [0x22, 0x5C, 0x2F].contains(plain): bytes.append(plain)
    default: throw Self.noJSON("a text holds an escape that JSON does not have")
    }
  }

  private mutating func unicode() throws(Diagnostic) -> Character {
    let first = try unit()
    if let scalar = Unicode.Scalar(first) { return Character(scalar) }
    guard take("\\u"), first < 0xDC00 else { return "\u{FFFD}" }
    let second = try unit()
    guard (0xDC00...0xDFFF).contains(second) else { return "\u{FFFD}" }
    let joined = 0x10000 + (first - 0xD800) * 0x400 + (second - 0xDC00)
    return Unicode.Scalar(joined).map(Character.init) ?? "\u{FFFD}"
  }

  private mutating func unit() throws(Diagnostic) -> UInt32 {
    let digits = rest.prefix(4)
    guard digits.count == 4, let unit = UInt32(Substring(digits), radix: 16) else {
      throw Self.noJSON("a text holds an escape that JSON does not have")
    }
    rest.removeFirst(4)
    return unit
  }
}
