/// Times as go-yaml reads them, written as SOPS counts and encrypts them.
enum GoTime {
  /// RFC 3339 with nanoseconds, trailing zeros dropped; nil when the text is no time.
  static func parse(_ text: [UInt8]) -> String? {
    guard text.count >= 8, text.count <= 64, text[4] == UInt8(ascii: "-") else { return nil }
    var reader = Reader(rest: text[...])
    guard let year = reader.year(), reader.take("-"),
      let month = reader.number(1...12), reader.take("-"),
      let day = reader.number(1...31), day <= daysIn(month, of: year)
    else { return nil }
    var time = Time(year: year, month: month, day: day)
    if reader.rest.isEmpty { return time.text }
    let hasZone = reader.take("T") || reader.take("t")
    guard hasZone || reader.takeBlanks(), reader.clock(into: &time) else { return nil }
    if hasZone {
      guard let offset = reader.zone() else { return nil }
      time.offset = offset
    }
    return reader.rest.isEmpty ? time.text : nil
  }

  private static func daysIn(_ month: Int, of year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  private struct Time {
    var year: Int
    var month: Int
    var day: Int
    var hour = 0
    var minute = 0
    var second = 0
    /// Nine digits or fewer, trailing zeros dropped.
    var fraction = ""
    /// Minutes east of Greenwich.
    var offset = 0

    var text: String {
      let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
      let clock = "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))"
      let sign = offset < 0 ? "-" : "+"
      let zone =
        offset == 0 ? "Z" : "\(sign)\(padded(abs(offset) / 60, 2)):\(padded(abs(offset) % 60, 2))"
      return "\(date)T\(clock)\(fraction.isEmpty ? "" : "." + fraction)\(zone)"
    }

    private func padded(_ number: Int, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
  }

  private struct Reader {
    var rest: ArraySlice<UInt8>

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard rest.first == UInt8(ascii: character) else { return false }
      rest = rest.dropFirst()
      return true
    }

    /// Go takes any number of blanks where its layout has one.
    mutating func takeBlanks() -> Bool {
      guard take(" ") else { return false }
      while take(" ") {}
      return true
    }

    mutating func year() -> Int? {
      let digits = rest.prefix(while: Self.isDigit)
      guard digits.count == 4 else { return nil }
      rest = rest.dropFirst(4)
      return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    /// One digit or two.
    mutating func number(_ range: ClosedRange<Int>) -> Int? {
      let digits = rest.prefix(2).prefix(while: Self.isDigit)
      guard !digits.isEmpty else { return nil }
      rest = rest.dropFirst(digits.count)
      let value = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
      return range.contains(value) ? value : nil
    }

    mutating func clock(into time: inout Time) -> Bool {
      guard let hour = number(0...23), take(":"), let minute = number(0...59), take(":"),
        let second = number(0...59)
      else { return false }
      (time.hour, time.minute, time.second) = (hour, minute, second)
      guard rest.first == UInt8(ascii: ".") || rest.first == UInt8(ascii: ","),
        rest.dropFirst().first.map(Self.isDigit) == true
      else { return true }
      rest = rest.dropFirst()
      let digits = rest.prefix(while: Self.isDigit)
      rest = rest.dropFirst(digits.count)
      var kept = Array(digits.prefix(9))
      while kept.last == UInt8(ascii: "0") { kept.removeLast() }
      time.fraction = String(decoding: kept, as: UTF8.self)
      return true
    }

    /// `Z` or hours and minutes of two digits; Go allows 24 and 60 in them.
    mutating func zone() -> Int? {
      if take("Z") { return 0 }
      let isWest = rest.first == UInt8(ascii: "-")
      guard take("-") || take("+"), rest.count >= 5,
        rest.prefix(2).allSatisfy(Self.isDigit), let hours = number(0...24), take(":"),
        rest.prefix(2).allSatisfy(Self.isDigit), let minutes = number(0...60)
      else { return nil }
      return (isWest ? -1 : 1) * (hours * 60 + minutes)
    }

    static func isDigit(_ byte: UInt8) -> Bool {
      byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }
  }
}
