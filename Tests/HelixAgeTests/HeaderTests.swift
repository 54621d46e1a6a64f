import HelixModel
import Testing

@testable import HelixAge

/// What the vectors of age say too, for a clone that does not have them.
@Suite("headers and payloads are read strictly")
struct HeaderTests {
  @Test("stanzas of unknown sorts are passed over")
  func grease() throws {
    for grease in ["-> joint 1 ~!@#\n\n", "-> x\n\(line)\n\n", "-> x25519 a\nAAAA\n"] {
      #expect(try open(try file(inserting: grease)) == plain)
    }
  }

  @Test(
    "what is malformed is refused, wherever it is",
    arguments: [
      "-> x\r\n\n", "-> x\n\r\n", "-> x \n\n", "->  x\n\n", "-> \n\n", "->\n\n", "->x\n\n",
      "> x\n\n",
      "-> x y\u{7f}\n\n", "-> x ä\n\n", "-> x\n", "-> x\nAA==\n", "-> x\nAB\n", "-> x\nA\n",
      "-> x\nAA\nAA\n", "-> x\nA A\n", "-> x\nA-\n", "\n",
      "-> x\n" + String(repeating: "A", count: 68) + "\n\n",
      "-> x\n" + String(repeating: "A", count: 64) + "\n",
      "-> scrypt \(String(repeating: "A", count: 22)) 1\n\(String(repeating: "A", count: 43))\n",
      "-> X25519\n\n", "-> X25519 AAAA\n\n", "-> X25519 \(zero) a\n\(zero)\n",
      "-> X25519 \(zero)\nAAAA\n", "-> X25519 \(zero)\n\(zero)\n",
    ])
  func malformed(stanza: String) throws {
    let file = try file(inserting: stanza)
    let problem = try #require(throws: AgeProblem.self) { try open(file) }
    guard case .header = problem else {
      Issue.record("\(problem)")
      return
    }
  }

  @Test(
    "the last line has one form",
    arguments: [
      ("--- ", "---"), ("--- ", "---  "), ("--- ", "---- "), ("\n\n--- ", "\n--- "),
    ])
  func lastLine(right: String, wrong: String) throws {
    let text = String(decoding: AgeHeader.intro, as: UTF8.self) + "-> x\n\n--- \(zero)\n"
    #expect(throws: AgeProblem.noMatch) { try open(Array(text.utf8)) }
    let broken = text.replacing(right, with: wrong)
    let problem = try #require(throws: AgeProblem.self) { try open(Array(broken.utf8)) }
    #expect(problem != .noMatch)
  }

  @Test("a payload has whole chunks, a marked last one, and nothing behind it")
  func payload() throws {
    let size = Payload.chunkSize
    let sealed = try sealed(pattern(2 * size))
    let head = sealed.count - 2 * Payload.sealedSize
    let first = Array(pattern(2 * size)[..<size])
    try expect(sealed, cutTo: head + Payload.sealedSize, releases: first)
    try expect(sealed, cutTo: head + Payload.sealedSize + 16, releases: first)
    try expect(sealed, cutTo: head + Payload.sealedSize - 1, releases: [])
    try expect(sealed, cutTo: head, releases: [])
    try expect(sealed + [0], cutTo: sealed.count + 1, releases: pattern(2 * size))
    try expect(
      sealed + sealed[head...], cutTo: sealed.count + 2 * Payload.sealedSize,
      releases: pattern(2 * size))
    let problem = try #require(throws: AgeProblem.self) { try open(Array(sealed[..<(head - 1)])) }
    #expect(problem == .header("it is cut off before the payload"))
  }

  @Test("an empty chunk ends nothing but an empty payload")
  func emptyChunk() throws {
    let key = AgeFileKey.random()
    let recipient = try keys.recipient(try identity().recipients[0])
    let header = AgeHeader([try recipient.wrap(key)], key: key)
    let nonce = pattern(16)
    let payload = Payload(key, nonce: nonce)
    let chunk = pattern(Payload.chunkSize)
    var file = header.bytes + nonce
    file += try chunk.withUnsafeBytes {
      try payload.seal($0, number: 0, isLast: false).dropFirst(Payload.head)
    }
    file += try payload.seal(UnsafeRawBufferPointer(start: nil, count: 0), number: 1, isLast: true)
      .dropFirst(Payload.head)
    try expect(file, cutTo: file.count, releases: chunk)
  }

  private func expect(_ file: [UInt8], cutTo count: Int, releases wanted: [UInt8]) throws {
    var (released, rest): ([UInt8], ArraySlice<UInt8>) = ([], file[..<count])
    let problem = try #require(throws: AgeProblem.self) {
      try AgeFile.decrypt(
        from: { memory in
          let some = min(memory.count, rest.count)
          memory.copyBytes(from: rest.prefix(some))
          rest = rest.dropFirst(some)
          return some
        }, to: { released += $0 }, with: [identity()])
    }
    guard case .payload = problem else {
      Issue.record("\(problem)")
      return
    }
    #expect(released == wanted, "cut to \(count)")
  }

  private let plain = Array("hello".utf8)

  private func identity() throws -> any AgeIdentity { try keys.identities("classic.txt")[0] }

  private func open(_ file: [UInt8]) throws(AgeProblem) -> [UInt8] {
    guard let identity = try? identity() else { throw .key("the fixture is missing") }
    return try AgeFile.decrypt(file, with: [identity])
  }

  private func sealed(_ plain: [UInt8]) throws -> [UInt8] {
    try AgeFile.encrypt(plain, to: [keys.recipient(try identity().recipients[0])])
  }

  /// A file with more text before its last line, covered by its code.
  private func file(inserting stanza: String) throws -> [UInt8] {
    let key = AgeFileKey.random()
    let recipient = try keys.recipient(try identity().recipients[0])
    var header = AgeHeader([], key: key)
    var covered = AgeHeader.intro + Array(stanza.utf8)
    covered += AgeHeader([try recipient.wrap(key)], key: key).covered.dropFirst(
      AgeHeader.intro.count)
    (header.covered, header.code) = (covered, key.headerCode(over: covered))
    let nonce = pattern(16)
    let chunk = try plain.withUnsafeBytes {
      try Payload(key, nonce: nonce).seal($0, number: 0, isLast: true)
    }
    return header.bytes + nonce + chunk.dropFirst(Payload.head)
  }
}

/// Thirty-two zeros in base64, which is also how long a wrapped key is.
private let zero = String(repeating: "A", count: 43)
private let line = String(repeating: "A", count: 64)
