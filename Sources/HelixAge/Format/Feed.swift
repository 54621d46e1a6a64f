#if canImport(Glibc)
  private import Glibc
#elseif canImport(Darwin)
  private import Darwin
#endif

/// Reads ahead from a source, so that what follows can be looked at line by line.
final class Feed {
  /// Reads some bytes into memory and says how many; none at the end.
  typealias Pull = (UnsafeMutableRawBufferPointer) throws -> Int

  private let pull: Pull
  private var memory: UnsafeMutableRawBufferPointer
  private var (start, end) = (0, 0)
  private var isOver = false

  init(capacity: Int = 1 << 16, _ pull: @escaping Pull) {
    self.pull = pull
    memory = .allocate(byteCount: capacity, alignment: 16)
  }

  /// A feed over bytes at hand, which must stay until it was read.
  convenience init(over bytes: UnsafeRawBufferPointer) {
    var rest = bytes[...]
    self.init(capacity: min(1 << 14, max(64, bytes.count))) { memory in
      let count = min(memory.count, rest.count)
      memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
      rest = rest.dropFirst(count)
      return count
    }
  }

  deinit { memory.deallocate() }

  /// Fills the memory as far as the source reaches; fewer bytes mean that it is at its end.
  func fill(_ target: UnsafeMutableRawBufferPointer) throws -> Int {
    var count = min(target.count, end - start)
    target.copyBytes(from: memory[start..<start + count])
    start += count
    while count < target.count, !isOver {
      let some = try pull(UnsafeMutableRawBufferPointer(rebasing: target[count...]))
      isOver = some == 0
      count += some
    }
    return count
  }

  /// The next bytes, which stay; fewer at the end.
  func peek(_ count: Int) throws -> UnsafeRawBufferPointer {
    while end - start < count, try more() {}
    return UnsafeRawBufferPointer(rebasing: memory[start..<min(end, start + count)])
  }

  /// Hands the next line to a closure, without its line feed, and whether it has one; nil at the end.
  ///
  /// - Throws: `problem` when the line is longer than the limit.
  func line<Result>(
    limit: Int, problem: AgeProblem, _ body: (UnsafeRawBufferPointer, Bool) throws -> Result
  ) throws -> Result? {
    var seen = 0
    while true {
      if let length = lineFeed(from: seen) {
        let line = UnsafeRawBufferPointer(rebasing: memory[start..<start + length])
        start += length + 1
        return try body(line, true)
      }
      seen = end - start
      guard seen <= limit else { throw problem }
      guard try more() else { break }
    }
    guard seen > 0 else { return nil }
    let line = UnsafeRawBufferPointer(rebasing: memory[start..<end])
    start = end
    return try body(line, false)
  }

  private func lineFeed(from seen: Int) -> Int? {
    guard let base = memory.baseAddress, start + seen < end,
      let found = memchr(base + start + seen, 0x0a, end - start - seen)
    else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(base) - start
  }

  /// Reads some more behind what is kept; false at the end.
  private func more() throws -> Bool {
    guard !isOver else { return false }
    if end == memory.count { makeRoom() }
    let count = try pull(UnsafeMutableRawBufferPointer(rebasing: memory[end...]))
    isOver = count == 0
    end += count
    return count > 0
  }

  private func makeRoom() {
    let kept = UnsafeRawBufferPointer(rebasing: memory[start..<end])
    if start > 0, kept.count < memory.count / 2 {
      memory.copyMemory(from: kept)
    } else {
      let larger = UnsafeMutableRawBufferPointer.allocate(
        byteCount: max(memory.count * 2, 64), alignment: 16)
      larger.copyMemory(from: kept)
      memory.deallocate()
      memory = larger
    }
    (start, end) = (0, kept.count)
  }
}
