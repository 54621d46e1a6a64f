import Testing

@testable import HelixSOPS

/// Counts from nought, so that tests are exact; each word is another.
struct CountingGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64 = 1) { state = seed }

  // SplitMix64, by Sebastiano Vigna.
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

extension DataKey {
  /// The key of the vectors here: the bytes from 0 to 31.
  static var counted: DataKey {
    get throws {
      var bytes = [UInt8](0..<32)
      return try #require(DataKey(wiping: &bytes))
    }
  }
}

@Suite("a value's ciphertext")
struct ValueTests {
  /// Made with Python's cryptography under the counted key: text, place, and what it holds.
  static let vectors: [(String, String, SOPSValue)] = [
    (
      "data:G9O2XUcj,iv:ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICA=,"
        + "tag:pmnB9r0aGy1tFZc1CUTeZQ==,type:str", "a:b:", .text(Array("s3cret".utf8))
    ),
    (
      "data:XNI=,iv:ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICA=,"
        + "tag:TDRdVXCz0aThyb4Ao/lYeQ==,type:int", "a:n:", .integer(42)
    ),
    (
      "data:WQ==,iv:ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICA=,"
        + "tag:RKq6iaKE4Cn1ybCRVs/c7Q==,type:bool", "t:", .boolean(true)
    ),
    (
      "data:WYXm,iv:ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICA=,"
        + "tag:h5aRpKG2pqWGBauzA/3vaw==,type:float", "f:", .number(1000)
    ),
    (
      "data:SJe6XUYk,iv:ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICA=,"
        + "tag:j4C0H5Q5Svc5irIvnN8rSQ==,type:comment", ":", .comment(Array(" words".utf8))
    ),
    (
      "data:WtDlHg9n1QAwKxjOZzbHTX3HtIHndKzabw==,"
        + "iv:ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICA=,"
        + "tag:sJ1mQmi0L5tf9bd6ODEM+g==,type:time", "w:", .time("2001-02-03T04:05:06Z")
    ),
    (
      "data:h4B4iztt,iv:DAwMDAwMDAwMDAwM,tag:Bw6V4eo4c4gx5mZ+YCy7Ow==,type:str", "a:b:",
      .text(Array("s3cret".utf8))
    ),
    (
      "data:MkXSCH1P,iv:EBAQEBAQEBAQEBAQEBAQEA==,tag:h0xI2bULKSKEwMn4KJ3xlQ==,type:str",
      "a:b:", .text(Array("s3cret".utf8))
    ),
  ]

  @Test("opens as another program made it", arguments: vectors.indices)
  func vector(index: Int) throws {
    let (fields, place, value) = Self.vectors[index]
    let cipher = ValueCipher(key: try .counted)
    let text = Array("ENC[AES256_GCM,\(fields)]".utf8)
    #expect(try cipher.open(text, at: Array(place.utf8)) == value)
    #expect(try cipher.open(text + Array(" and more".utf8), at: Array(place.utf8)) == value)
    #expect(throws: ValueProblem.notAuthentic) {
      try cipher.open(text, at: Array("other:".utf8))
    }
  }

  @Test(
    "gives back every type",
    arguments: [
      SOPSValue.text([0xff, 0, 10]), .text(Array("ENC[".utf8)), .integer(.min), .integer(7),
      .number(1e21), .number(-0.0), .number(0.1), .number(.infinity), .boolean(false),
      .time("2001-02-03T04:05:06.789+02:00"), .comment([32]),
    ])
  func roundTrip(value: SOPSValue) throws {
    let cipher = ValueCipher(key: try .counted)
    var random = CountingGenerator()
    let place = ValueCipher.place(["a", "b"])
    let text = try #require(cipher.seal(value, at: place, random: &random))
    let opened = try cipher.open(Array(text.utf8), at: place)
    #expect(opened.isSame(as: value))
    #expect(try #require(CipherText(Array(text.utf8))).iv.count == 32)
    #expect(text != cipher.seal(value, at: place, random: &random), "the same IV twice")
  }

  @Test("is not made of nothing", arguments: [SOPSValue.null, .text([]), .comment([])])
  func empty(value: SOPSValue) throws {
    var random = CountingGenerator()
    #expect(ValueCipher(key: try .counted).seal(value, at: [58], random: &random) == nil)
    #expect(try ValueCipher(key: try .counted).open([], at: [58]) == .text([]))
  }

  @Test(
    "is refused when it is none",
    arguments: [
      "hunter2", "ENC[", "ENC[AES256_GCM,data:,iv:AA==,tag:AA==,type:str]",
      "ENC[AES256_GCM,data:AA==,iv:AA==,type:str]", "ENC[AES256_GCM,data:AA=,iv:A,tag:A,type:s]",
      "ENC[AES256_GCM,data:AA==,iv:AA==,tag:AA==,type:str", " ENC[AES256_GCM,data:AA==",
      "ENC[AES256_GCM,data:AA==,iv:AA==,tag:\nAA==,type:str]",
    ])
  func malformed(text: String) throws {
    let cipher = ValueCipher(key: try .counted)
    #expect(throws: ValueProblem.notEncrypted) { try cipher.open(Array(text.utf8), at: []) }
  }

  @Test("says what is wrong with what it holds")
  func wrongContent() throws {
    let cipher = ValueCipher(key: try .counted)
    var random = CountingGenerator()
    for (type, problem) in [
      ("int", ValueProblem.wrongContent(type: "int")), ("bool", .wrongContent(type: "bool")),
      ("float", .wrongContent(type: "float")), ("time", .wrongContent(type: "time")),
      ("map", .unknownType("map")),
    ] {
      let text = try #require(cipher.seal(.text([120]), at: [], random: &random))
      let other = text.replacing("type:str", with: "type:\(type)")
      #expect(throws: problem) { try cipher.open(Array(other.utf8), at: []) }
    }
  }
}

@Suite("a value's canonical bytes")
struct CanonicalTests {
  @Test(
    "spell numbers without exponents",
    arguments: [
      (1.0, "1"), (1e21, "1000000000000000000000"), (-0.0, "-0"), (0.1, "0.1"),
      (1.5e-7, "0.00000015"),
      (123456.789, "123456.789"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
      (.leastNonzeroMagnitude, "0." + String(repeating: "0", count: 323) + "5"),
      (9007199254740992, "9007199254740992"),
      (-12.50, "-12.5"), (100, "100"),
    ])
  func numbers(number: Double, text: String) {
    #expect(number.plainDecimal == text)
  }

  @Test("read back as the same number", arguments: 0..<200)
  func numbersReadBack(seed: Int) throws {
    var random = CountingGenerator(seed: UInt64(seed))
    let number = Double(bitPattern: random.next())
    guard number.isFinite else { return }
    #expect(Double(number.plainDecimal) == number)
    #expect(!number.plainDecimal.contains("e"))
  }

  @Test("count as the other programs count them")
  func mac() {
    var mac = DocumentMAC(countsOnlyEncrypted: false)
    mac.add(.text([97]), isEncrypted: true)
    mac.add(.boolean(true), isEncrypted: false)
    mac.add(.null, isEncrypted: false)
    mac.add(.comment([98]), isEncrypted: true)
    mac.add(.number(1.5), isEncrypted: false)
    #expect(mac.text.hasPrefix("0C3C89222E3A6745815F811B48F37F0521F57B025D06A1D1611CE2386018"))
    var only = DocumentMAC(countsOnlyEncrypted: true)
    only.add(.text([97]), isEncrypted: true)
    only.add(.text([98]), isEncrypted: false)
    #expect(only.text.hasPrefix("09ECDC39C54764FD2748D4F7D2CE9097A590287EF6B07FDBDA41CEB7C2FA"))
  }
}

@Suite("a moment")
struct MomentTests {
  @Test(
    "is read and written as RFC 3339",
    arguments: [
      ("2023-12-25T10:31:01Z", "2023-12-25T10:31:01Z", "2023-12-25T10:31:01Z"),
      ("2023-12-25T10:31:01.500Z", "2023-12-25T10:31:01Z", "2023-12-25T10:31:01.5Z"),
      ("2023-12-25T10:31:01.000+00:00", "2023-12-25T10:31:01Z", "2023-12-25T10:31:01Z"),
      ("2023-12-25T10:31:01-05:30", "2023-12-25T10:31:01-05:30", "2023-12-25T10:31:01-05:30"),
    ])
  func texts(text: String, seconds: String, nanoseconds: String) throws {
    let moment = try #require(Moment(text))
    #expect(moment.secondText == seconds)
    #expect(moment.nanosecondText == nanoseconds)
  }

  @Test(
    "is not read from anything else",
    arguments: [
      "", "2023-12-25", "2023-12-25 10:31:01Z", "2023-13-25T10:31:01Z", "2023-12-25T10:31:01",
      "2023-12-25T10:31:01.Z", "2023-12-25T24:31:01Z", "2023-12-25T10:31:01z",
      "é023-12-25T10:31:01",
    ])
  func others(text: String) {
    #expect(Moment(text) == nil)
  }

  @Test(
    "is the calendar's",
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (951_782_399, "2000-02-28T23:59:59Z"),
      (951_782_400, "2000-02-29T00:00:00Z"), (1_703_500_261, "2023-12-25T10:31:01Z"),
      (-1, "1969-12-31T23:59:59Z"), (253_402_300_799, "9999-12-31T23:59:59Z"),
    ])
  func calendar(seconds: Int, text: String) {
    #expect(Moment(secondsSince1970: seconds).secondText == text)
  }
}
