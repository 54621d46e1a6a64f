/// A point in time as RFC 3339 writes it, with the offset that it was written with.
package struct Moment: Hashable, Sendable {
  /// `2001-02-03T04:05:06`.
  private let clock: String
  /// The digits of the fraction of a second without idle zeros.
  private let fraction: String
  /// `Z` or `+02:00`.
  private let offset: String

  /// Reads `2001-02-03T04:05:06.7+08:00`; nil for anything else.
  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count >= 20, Self.matches(bytes[..<19], "0000-00-00T00:00:00") else { return nil }
    clock = String(decoding: bytes[..<19], as: UTF8.self)
    var rest = bytes[19...]
    var digits: [UInt8] = []
    if let mark = rest.first, mark == UInt8(ascii: ".") || mark == UInt8(ascii: ",") {
      digits = rest.dropFirst().prefix { Self.isDigit($0) }
      guard !digits.isEmpty else { return nil }
      rest = rest.dropFirst(1 + digits.count)
    }
    digits = Array(digits.prefix(9))
    while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    fraction = String(decoding: digits, as: UTF8.self)
    let zone = String(decoding: rest, as: UTF8.self)
    guard zone == "Z" || Self.matches(rest, "+00:00") || Self.matches(rest, "-00:00") else {
      return nil
    }
    offset = zone.hasSuffix("00:00") ? "Z" : zone
    guard hasLikelyNumbers else { return nil }
  }

  /// So many seconds after the beginning of 1970, in UTC.
  package init(secondsSince1970 seconds: Int) {
    let day = (Double(seconds) / 86_400).rounded(.down)
    let rest = seconds - Int(day) * 86_400
    let date = Self.date(day: Int(day))
    let numbers = [date.month, date.day, rest / 3600, rest / 60 % 60, rest % 60].map(Self.two)
    let year = String(date.year)
    let padded = String(repeating: "0", count: max(0, 4 - year.count)) + year
    clock = "\(padded)-\(numbers[0])-\(numbers[1])T\(numbers[2]):\(numbers[3]):\(numbers[4])"
    fraction = ""
    offset = "Z"
  }

  /// Without the fraction of a second, as the MAC is bound to it.
  package var secondText: String { clock + offset }

  /// With nanoseconds, as values are encrypted.
  package var nanosecondText: String { clock + (fraction.isEmpty ? "" : "." + fraction) + offset }

  private var hasLikelyNumbers: Bool {
    let numbers = clock.split { !$0.isNumber }.compactMap { Int($0) }
    guard numbers.count == 6 else { return false }
    return (1...12).contains(numbers[1]) && (1...31).contains(numbers[2]) && numbers[3] < 24
      && numbers[4] < 60 && numbers[5] < 60
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

  /// Whether bytes look like a model whose zeros stand for digits.
  private static func matches(_ bytes: ArraySlice<UInt8>, _ model: String) -> Bool {
    bytes.count == model.utf8.count
      && zip(bytes, model.utf8).allSatisfy { byte, model in
        model == UInt8(ascii: "0") ? isDigit(byte) : byte == model
      }
  }

  private static func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }

  /// The Gregorian date of a day counted from 1970, by Howard Hinnant's `civil_from_days`.
  private static func date(day: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = day + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let ofEra = shifted - era * 146_097
    let year = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * year + year / 4 - year / 100)
    let month = (5 * ofYear + 2) / 153
    let isEarly = month >= 10
    return (
      year + era * 400 + (isEarly ? 1 : 0), isEarly ? month - 9 : month + 3,
      ofYear - (153 * month + 2) / 5 + 1
    )
  }
}
