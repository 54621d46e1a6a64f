/// Carries values over a socket: one list of a type's parts serves to write and to read it, so that
/// the two cannot drift apart.
struct Wire {
  private(set) var bytes: [UInt8] = []
  /// What was read is cut short or makes no sense.
  private(set) var isBroken = false
  private var reader: WireReader?

  /// To write.
  init() {}

  init(reading bytes: some Collection<UInt8>) { reader = WireReader(bytes) }

  /// Everything was understood, and nothing is left over.
  var isIntact: Bool { !isBroken && reader?.isAtEnd != false }

  /// What was read cannot be meant so.
  mutating func refuse() { isBroken = true }

  mutating func carry(_ number: inout Int) {
    guard reader != nil else {
      bytes.appendNumber(number >> 32)
      bytes.appendNumber(number)
      return
    }
    guard let high = reader?.number(), let low = reader?.number() else { return refuse() }
    number = high << 32 | low
  }

  mutating func carry(_ string: inout [UInt8]) {
    guard reader != nil else { return bytes.appendString(string) }
    guard let read = reader?.string() else { return refuse() }
    string = read
  }

  mutating func carry(_ value: inout some WireValue) { value.travel(by: &self) }

  /// Carries a value as its place in a list that both sides have.
  mutating func carry<Value: Equatable>(_ value: inout Value, oneOf all: some Collection<Value>) {
    var place = all.enumerated().first { $0.element == value }?.offset ?? -1
    carry(&place)
    guard let read = all.dropFirst(max(0, place)).first, place >= 0 else { return refuse() }
    value = read
  }
}

/// A value that a wire can carry.
protocol WireValue {
  /// What reading starts from.
  static var blank: Self { get }
  /// Gives the wire its parts, in an order that never depends on their values.
  mutating func travel(by wire: inout Wire)
}

extension WireValue {
  /// The value as it travels.
  var wired: [UInt8] {
    var wire = Wire()
    var copy = self
    copy.travel(by: &wire)
    return wire.bytes
  }

  /// Nil when the bytes are not exactly one such value.
  init?(wired bytes: some Collection<UInt8>) {
    var wire = Wire(reading: bytes)
    var value = Self.blank
    value.travel(by: &wire)
    guard wire.isIntact else { return nil }
    self = value
  }
}

// MARK: - Plain values

extension Int: WireValue {
  static var blank: Int { 0 }
  mutating func travel(by wire: inout Wire) { wire.carry(&self) }
}

extension Bool: WireValue {
  static var blank: Bool { false }
  mutating func travel(by wire: inout Wire) { wire.carry(&self, oneOf: [false, true]) }
}

extension String: WireValue {
  static var blank: String { "" }
  mutating func travel(by wire: inout Wire) {
    var bytes = Array(utf8)
    wire.carry(&bytes)
    self = String(decoding: bytes, as: UTF8.self)
  }
}

extension Duration: WireValue {
  static var blank: Duration { .zero }
  mutating func travel(by wire: inout Wire) {
    var (seconds, attoseconds) = (Int(components.seconds), Int(components.attoseconds))
    wire.carry(&seconds)
    wire.carry(&attoseconds)
    self = Duration(secondsComponent: Int64(seconds), attosecondsComponent: Int64(attoseconds))
  }
}

extension Optional: WireValue where Wrapped: WireValue {
  static var blank: Wrapped? { nil }
  mutating func travel(by wire: inout Wire) {
    var isThere = self != nil
    wire.carry(&isThere)
    guard isThere else { return self = nil }
    var value = self ?? Wrapped.blank
    wire.carry(&value)
    self = value
  }
}

extension Set<String>: WireValue {
  static var blank: Set<String> { [] }
  mutating func travel(by wire: inout Wire) {
    var elements = sorted()
    wire.carry(&elements)
    self = Set(elements)
  }
}

extension Array: WireValue where Element: WireValue {
  static var blank: [Element] { [] }
  mutating func travel(by wire: inout Wire) {
    var left = count
    wire.carry(&left)
    var carried: [Element] = []
    var next = makeIterator()
    while left > 0, !wire.isBroken {
      var element = next.next() ?? Element.blank
      wire.carry(&element)
      carried.append(element)
      left -= 1
    }
    self = carried
  }
}
