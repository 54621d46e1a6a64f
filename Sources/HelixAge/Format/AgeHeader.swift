/// The text before a file's payload: the file's key for each recipient, and a code over all of it.
struct AgeHeader: Sendable {
  var stanzas: [AgeStanza]
  var code: [UInt8]
  /// What the code is over.
  var covered: [UInt8]

  static let intro = Array("age-encryption.org/v1\n".utf8)
  private static let footer = Array("---".utf8)
  /// More than the keys of a thousand recipients of the longest sort.
  private static let limit = 4 << 20
  private static let mostStanzas = 1 << 16
  static let bodyColumns = 64

  /// A header for a new file.
  init(_ stanzas: [AgeStanza], key: AgeFileKey) {
    covered = Self.intro
    for stanza in stanzas { stanza.append(to: &covered) }
    covered += Self.footer
    self.stanzas = stanzas
    code = key.headerCode(over: covered)
  }

  /// The header as it stands in a file.
  var bytes: [UInt8] { covered + Array(" \(StrictBase64.text(code))\n".utf8) }

  /// Reads a header and leaves the feed at the payload.
  ///
  /// - Throws: an `AgeProblem`, or what the feed throws.
  init(_ feed: Feed) throws {
    (stanzas, code, covered) = ([], [], [])
    guard try takeLine(feed, { Array($0) == Self.intro.dropLast() }) else {
      throw AgeProblem.header("it does not start as an age file does")
    }
    while try !feed.peek(3).elementsEqual(Self.footer) {
      guard stanzas.count < Self.mostStanzas else {
        throw AgeProblem.header("it has too many recipients")
      }
      stanzas.append(try stanza(feed))
    }
    let last = try line(feed) { Array($0) }
    covered += Self.footer
    guard last.starts(with: Array("--- ".utf8)),
      let code = last.withUnsafeBytes({
        StrictBase64.decode(UnsafeRawBufferPointer(rebasing: $0[4...]))
      }), code.count == 32
    else { throw AgeProblem.header("its last line is malformed") }
    self.code = code
  }

  private mutating func stanza(_ feed: Feed) throws -> AgeStanza {
    guard var stanza = try takeLine(feed, { AgeStanza(opening: $0) }) else {
      throw AgeProblem.header("a recipient's first line is malformed")
    }
    while true {
      let line = try takeLine(feed) { line in
        line.count <= Self.bodyColumns ? StrictBase64.decode(line).map { ($0, line.count) } : nil
      }
      guard let (bytes, columns) = line else {
        throw AgeProblem.header("a recipient's body is malformed")
      }
      stanza.body += bytes
      if columns < Self.bodyColumns { return stanza }
    }
  }

  /// Reads a line that the code is over.
  private mutating func takeLine<Result>(
    _ feed: Feed, _ read: (UnsafeRawBufferPointer) -> Result
  ) throws -> Result {
    var line: [UInt8] = []
    let result = try self.line(feed) { bytes in
      line = Array(bytes)
      return read(bytes)
    }
    covered += line
    covered.append(0x0a)
    return result
  }

  private func line<Result>(
    _ feed: Feed, _ read: (UnsafeRawBufferPointer) -> Result
  ) throws -> Result {
    let tooLong = AgeProblem.header("it is too long")
    let result = try feed.line(limit: Self.limit - covered.count, problem: tooLong) {
      line, isWhole in
      guard isWhole else { throw AgeProblem.header("it is cut off") }
      return read(line)
    }
    guard let result else { throw AgeProblem.header("it is cut off") }
    return result
  }
}

extension AgeStanza {
  /// Reads `-> TYPE ARGUMENT…`; nil when it is malformed.
  fileprivate init?(opening line: UnsafeRawBufferPointer) {
    guard line.starts(with: Array("-> ".utf8)),
      line.allSatisfy({ (32...126).contains($0) })
    else { return nil }
    let words = line.dropFirst(3).split(separator: 0x20, omittingEmptySubsequences: false)
    guard words.allSatisfy({ !$0.isEmpty }), let type = words.first else { return nil }
    self.init(
      type: String(decoding: type, as: UTF8.self),
      arguments: words.dropFirst().map { String(decoding: $0, as: UTF8.self) }, body: [])
  }

  fileprivate func append(to header: inout [UInt8]) {
    header += Array("-> \(([type] + arguments).joined(separator: " "))\n".utf8)
    let text = Array(StrictBase64.text(body).utf8)
    var rest = text[...]
    // A body ends with a line that is not full, so one that fills its lines has an empty one behind.
    repeat {
      header += rest.prefix(AgeHeader.bodyColumns)
      header.append(0x0a)
      if rest.count == AgeHeader.bodyColumns { header.append(0x0a) }
      rest = rest.dropFirst(AgeHeader.bodyColumns)
    } while !rest.isEmpty
  }
}
