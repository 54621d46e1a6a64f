import Testing

@testable import HelixSOPS

@Suite("plain scalars have the types that go-yaml gives them")
struct YAMLScalarTests {
  static let texts = [
    "yes", "no", "on", "off", "y", "n", "Yes", "NO", "12:30:45", "190:20:30", "1.2.3",
    "2001-13-45", "2001-02-30", "2001-1", "12-30-45", "_1", "tRUE", "nulL", "1e", "e1",
    ".", "-", "+", ".e5", "._5", "0x", "0b", "0b2", "0o", "0o8", "0xg", "1e400", ".1e999", "1_e",
    "<<x", "=", "1 2", "0x1p4", "infinity", "nan", "NaN", ".infx", "--1", "+-1", "1-1", "0b1_2",
    "2001-01-02T", "2001-01-02T25:00:00Z", "2001-01-02T01:02:03", "2001-01-02 01:02:03Z",
    "2001-01-02 01:02:03 +00:00", "02001-01-02", "2001-01-02T01:02:03+0100",
  ]

  @Test("words, versions and half numbers stay text", arguments: texts)
  func text(_ scalar: String) {
    #expect(YAMLResolver.resolve(Array(scalar.utf8)) == .text(Array(scalar.utf8)))
  }

  @Test(
    "words of truth and nothing",
    arguments: [
      ("true", SOPSValue.boolean(true)), ("True", .boolean(true)), ("TRUE", .boolean(true)),
      ("false", .boolean(false)), ("False", .boolean(false)), ("FALSE", .boolean(false)),
      ("~", .null), ("null", .null), ("Null", .null), ("NULL", .null), ("", .null),
    ])
  func words(scalar: String, value: SOPSValue) {
    #expect(YAMLResolver.resolve(Array(scalar.utf8)) == value)
  }

  @Test(
    "integers in all their bases",
    arguments: [
      ("0", 0), ("7", 7), ("-7", -7), ("+12", 12), ("0777", 511), ("-0777", -511),
      ("0o777", 511), ("0O17", 15), ("0x1F", 31), ("0X1f", 31), ("-0x10", -16), ("+0x10", 16),
      ("0b1010", 10), ("0B11", 3), ("-0b1", -1), ("1_000", 1000), ("1__0", 10), ("1_", 1),
      ("0_7", 7), ("0b-1", -1), ("0o-7", -7), ("00", 0), ("-0", 0),
      ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min),
    ] as [(String, Int64)])
  func integers(scalar: String, value: Int64) {
    #expect(YAMLResolver.resolve(Array(scalar.utf8)) == .integer(value))
  }

  @Test(
    "floating point numbers",
    arguments: [
      ("1.0", 1), ("1e3", 1000), ("1E3", 1000), ("1e+3", 1000), (".5", 0.5), ("1.", 1),
      ("-.5", -0.5), ("+1.5", 1.5), ("089", 89), ("1_0.5", 10.5), (".5_0", 0.5),
      ("18446744073709551616", 18_446_744_073_709_551_616),
      ("-9223372036854775809", -9.223372036854775809e18),
      ("1e-400", 0), (".inf", .infinity), ("+.INF", .infinity), ("-.Inf", -.infinity),
    ] as [(String, Double)])
  func numbers(scalar: String, value: Double) {
    #expect(YAMLResolver.resolve(Array(scalar.utf8)) == .number(value))
  }

  @Test("not a number", arguments: [".nan", ".NaN", ".NAN"])
  func notANumber(_ scalar: String) {
    guard case .number(let number)? = YAMLResolver.resolve(Array(scalar.utf8)) else {
      Issue.record("\(scalar) is no number")
      return
    }
    #expect(number.isNaN)
  }

  @Test(
    "times, with nanoseconds and without trailing zeros",
    arguments: [
      ("2001-01-02", "2001-01-02T00:00:00Z"), ("2001-1-2", "2001-01-02T00:00:00Z"),
      ("2001-12-14T21:59:43.1-05:00", "2001-12-14T21:59:43.1-05:00"),
      ("2001-12-14t21:59:43.10-05:00", "2001-12-14T21:59:43.1-05:00"),
      ("2001-12-14 21:59:43", "2001-12-14T21:59:43Z"),
      ("2001-12-14   1:2:3.5", "2001-12-14T01:02:03.5Z"),
      ("2001-12-14T21:59:43Z", "2001-12-14T21:59:43Z"),
      ("2001-12-14T21:59:43.000Z", "2001-12-14T21:59:43Z"),
      ("2001-12-14T21:59:43,25Z", "2001-12-14T21:59:43.25Z"),
      ("2001-12-14T21:59:43.1234567899Z", "2001-12-14T21:59:43.123456789Z"),
      ("2001-12-14T21:59:43+00:00", "2001-12-14T21:59:43Z"),
      ("2004-02-29", "2004-02-29T00:00:00Z"),
      ("2001-01-02T01:02:03+01:60", "2001-01-02T01:02:03+02:00"),
    ])
  func times(scalar: String, value: String) {
    #expect(YAMLResolver.resolve(Array(scalar.utf8)) == .time(value))
  }

  @Test(
    "an integer that fits only without a sign has no type",
    arguments: ["9223372036854775808", "18446744073709551615", "0xFFFFFFFFFFFFFFFF"])
  func unsigned(_ scalar: String) {
    #expect(YAMLResolver.resolve(Array(scalar.utf8)) == nil)
  }

  @Test(
    "quotes, blocks and tags",
    arguments: [
      ("\"1\"", SOPSValue.text(Array("1".utf8))), ("'true'", .text(Array("true".utf8))),
      ("|\n  1", .text(Array("1".utf8))), ("|\n  1\n", .text(Array("1\n".utf8))),
      ("!!str 1", .text(Array("1".utf8))), ("!!int \"3\"", .integer(3)), ("!!float 3", .number(3)),
      ("!!bool \"true\"", .boolean(true)), ("!!null ''", .null), ("! 3", .integer(3)),
      ("!!binary aGk=", .text(Array("hi".utf8))), ("!custom 3", .text(Array("3".utf8))),
      ("!!timestamp \"2001-01-02\"", .time("2001-01-02T00:00:00Z")), ("!!str", .text([])),
      ("!<tag:yaml.org,2002:int> '0x10'", .integer(16)),
    ])
  func tagged(scalar: String, value: SOPSValue) throws {
    #expect(try SOPSText.parse("k: \(scalar)").items.map(\.value) == [value])
  }

  @Test("what is written plain is read back as the same value")
  func spelling() {
    var random = SeededNumbers(11)
    let alphabet = Array("ab1 :#-?,[]{}&*!|>'\"%@`.\n\t\\_=~<0xeéyn".unicodeScalars)
    var values: [SOPSValue] = [
      .number(1), .number(-0.0), .number(1e21), .number(.leastNonzeroMagnitude), .number(.infinity),
      .number(-.infinity), .integer(.min), .boolean(false), .null, .time("2001-01-02T00:00:00Z"),
      .time("what"), .text([0xFF, 0x00]), .text(Array("\u{85}\u{2028}\u{FEFF}".utf8)),
    ]
    for _ in 0..<3000 {
      let count = Int.random(in: 0..<12, using: &random)
      var text = String.UnicodeScalarView()
      for _ in 0..<count { text.append(alphabet.randomElement(using: &random) ?? "a") }
      values.append(.text(Array(String(text).utf8)))
    }
    for value in values {
      for host in [
        "k: x\n", "k: 'x'\n", "k: \"x\"\n", "k: [x]\n", "- a\n", "k: |\n  x\n", "k: x",
        "k:\n  - x # c\nz: 1\n",
      ] {
        let host = host.hasPrefix("-") ? "l:\n- x\n" : host
        guard let text = try? SOPSText.parse(host),
          let index = text.items.firstIndex(where: { !$0.isComment }),
          let bytes = try? text.replacing([index: .value(value)], metadata: nil),
          let back = try? SOPSText.parse(bytes, format: .yaml, file: "")
        else {
          Issue.record("\(value) cannot be written into \(host.debugDescription)")
          continue
        }
        let now = back.items.filter { !$0.isComment }.map(\.value).first
        let isTime = value == .time("what")
        #expect(
          now == (isTime ? .text(Array("what".utf8)) : value),
          "\(String(decoding: bytes, as: UTF8.self))")
        #expect(back.items.count == text.items.count)
      }
    }
  }
}
