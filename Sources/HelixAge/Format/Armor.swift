/// The text form of an age file: lines of base64 between two marks.
enum Armor {
  static let begin = Array("-----BEGIN AGE ENCRYPTED FILE-----".utf8)
  static let end = Array("-----END AGE ENCRYPTED FILE-----".utf8)
  static let columns = 64
  static let lineBytes = 48
  /// How much white space may stand before and after.
  static let mostBlank = 1024

  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

  /// Whether a file starts as one in armor does, as far as its first bytes tell.
  static func isAhead(in feed: Feed) throws -> Bool {
    let ahead = try feed.peek(mostBlank + 5)
    return ahead.drop(while: isBlank).starts(with: begin.prefix(5))
  }
}

/// Reads what a file in armor holds.
///
/// The rules are strict, so that a content has one text: no headers, no blank lines, full lines but
/// for the last.
final class ArmorReader {
  private enum State { case start, lines, over }

  private let feed: Feed
  private var state = State.start
  /// The rest of a line for which there was no room.
  private var rest: [UInt8] = []

  init(_ feed: Feed) { self.feed = feed }

  /// A `Feed.Pull` of what is inside.
  func read(_ memory: UnsafeMutableRawBufferPointer) throws -> Int {
    if state == .start { try begin() }
    if !rest.isEmpty {
      let count = min(rest.count, memory.count)
      memory.copyBytes(from: rest.prefix(count))
      rest.removeFirst(count)
      return count
    }
    var count = 0
    while state == .lines, memory.count - count >= Armor.lineBytes {
      count += try line(into: UnsafeMutableRawBufferPointer(rebasing: memory[count...]))
    }
    guard count == 0, state == .lines else { return count }
    try withUnsafeTemporaryAllocation(byteCount: Armor.lineBytes, alignment: 1) { line in
      let got = try self.line(into: line)
      count = min(got, memory.count)
      memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: line[..<count]))
      rest = Array(line[count..<got])
    }
    return count
  }

  private func begin() throws {
    var blanks = 0
    while state == .start {
      try takeLine { line in
        if line.elementsEqual(Armor.begin) {
          state = .lines
          return
        }
        guard line.allSatisfy(Armor.isBlank) else {
          throw AgeProblem.armor("its first line is not the one of age")
        }
        blanks += line.count + 1
        guard blanks <= Armor.mostBlank else {
          throw AgeProblem.armor("there is too much white space before it")
        }
      }
    }
  }

  /// Reads a line into memory that has room for it and says how many bytes it held.
  private func line(into memory: UnsafeMutableRawBufferPointer) throws -> Int {
    var isLast = false
    let count = try takeLine { line -> Int in
      if line.elementsEqual(Armor.end) {
        isLast = true
        state = .over
        return 0
      }
      guard !line.isEmpty else { throw AgeProblem.armor("it has an empty line") }
      guard line.count <= Armor.columns else {
        throw AgeProblem.armor("it has a line that is too long")
      }
      guard let count = StrictBase64.decodePadded(line, into: memory) else {
        throw AgeProblem.armor("it has a line that is not base64 as age writes it")
      }
      return count
    }
    if !isLast, count < Armor.lineBytes {
      guard try takeLine({ $0.elementsEqual(Armor.end) }) else {
        throw AgeProblem.armor("its last line is not the one of age")
      }
      state = .over
    }
    if state == .over { try finish() }
    return count
  }

  private func takeLine<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result
  {
    let tooLong = AgeProblem.armor("it has a line that is too long")
    let result = try feed.line(limit: Armor.mostBlank + 80, problem: tooLong) { line, _ in
      // Lines may end as on Windows.
      try body(UnsafeRawBufferPointer(rebasing: line.last == 0x0d ? line.dropLast() : line[...]))
    }
    guard let result else { throw AgeProblem.armor("it is cut off") }
    return result
  }

  private func finish() throws {
    let after = try feed.peek(Armor.mostBlank + 1)
    guard after.allSatisfy(Armor.isBlank) else { throw AgeProblem.armor("something follows it") }
    guard after.count <= Armor.mostBlank else {
      throw AgeProblem.armor("too much white space follows it")
    }
  }
}

/// Writes a file in armor.
final class ArmorWriter {
  typealias Write = (UnsafeRawBufferPointer) throws -> Void

  private let write: Write
  /// What does not fill a line yet.
  private var kept: [UInt8] = []
  private var text: [UInt8]

  init(_ write: @escaping Write) {
    self.write = write
    text = Armor.begin + [0x0a]
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes[...]
    if !kept.isEmpty {
      let missing = rest.prefix(Armor.lineBytes - kept.count)
      kept += missing
      rest = rest.dropFirst(missing.count)
      guard kept.count == Armor.lineBytes else { return }
      kept.withUnsafeBytes { line($0[...]) }
      kept = []
    }
    while rest.count >= Armor.lineBytes {
      line(rest.prefix(Armor.lineBytes))
      rest = rest.dropFirst(Armor.lineBytes)
    }
    kept += rest
    try flush()
  }

  func finish() throws {
    if !kept.isEmpty { kept.withUnsafeBytes { line($0[...]) } }
    text += Armor.end + [0x0a]
    try flush()
  }

  private func line(_ bytes: UnsafeRawBufferPointer.SubSequence) {
    StrictBase64.append(UnsafeRawBufferPointer(rebasing: bytes), to: &text, padded: true)
    text.append(0x0a)
  }

  private func flush() throws {
    try text.withUnsafeBytes { try write($0) }
    text.removeAll(keepingCapacity: true)
  }
}
