/// One message on the socket between a run and the keeper: what it is, which request it belongs to,
/// and its content.
struct Frame: Hashable, Sendable {
  /// What a frame may hold beside its head; a command's input and output are well below it.
  static let limit = 64 * 1024 * 1024

  fileprivate static let headCount = 9

  var kind: UInt8
  var number: Int
  var content: [UInt8]

  /// The frame as it travels: the length of what follows, the kind, the number, the content.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.headCount + content.count)
    bytes.appendNumber(Self.headCount - 4 + content.count)
    bytes.append(kind)
    bytes.appendNumber(number)
    bytes.append(contentsOf: content)
    return bytes
  }
}

/// Why a stream cannot be cut into frames.
enum FrameProblem: Error, Hashable {
  case tooLong(Int)
  case tooShort(Int)
}

/// Cuts a stream into frames, however the stream itself is cut.
struct FrameReader {
  private var bytes: [UInt8] = []
  private var start = 0

  /// Bytes that have come and are not read, and those not yet let go.
  var held: Int { bytes.count }

  mutating func take(_ more: UnsafeRawBufferPointer) {
    if start > 0, start == bytes.count || start > 1024 * 1024 {
      bytes.removeFirst(start)
      start = 0
    }
    bytes.append(contentsOf: more)
  }

  /// The next whole frame; nil before more has come.
  ///
  /// - Throws: as soon as a length cannot be meant; the stream is of no use from then on.
  mutating func next() throws(FrameProblem) -> Frame? {
    var reader = WireReader(bytes[start...])
    guard let count = reader.number() else { return nil }
    let shortest = Frame.headCount - 4
    guard count >= shortest else { throw .tooShort(count) }
    guard count - shortest <= Frame.limit else { throw .tooLong(count) }
    guard bytes.count - start >= 4 + count, let kind = reader.byte(),
      let number = reader.number(), let content = reader.bytes(count - shortest)
    else { return nil }
    start += 4 + count
    return Frame(kind: kind, number: number, content: content)
  }
}
