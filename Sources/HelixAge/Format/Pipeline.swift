import Dispatch
import Foundation

/// Works on batches of chunks on several cores at once, in constant memory: whoever is idle reads
/// the next batch, works on it and writes what came of it when its turn has come.
// @unchecked: the source is only touched under 'reading', the sink only by the one worker whose turn
// it is, and the fields below 'turns' only under it.
final class Pipeline: @unchecked Sendable {
  /// How a batch ends.
  enum Ending {
    /// Something follows.
    case more
    case over
    case failed(any Error)
  }

  /// Some chunks in a row, in memory of the worker's own, with room before the first for a nonce.
  // @unchecked: only one worker ever holds it.
  struct Batch: @unchecked Sendable {
    let memory: UnsafeMutableRawBufferPointer
    let count: Int
    /// The number of the first chunk.
    let number: UInt64
    let ending: Ending
    fileprivate let ticket: Int

    var bytes: UnsafeMutableRawBufferPointer {
      UnsafeMutableRawBufferPointer(rebasing: memory[Payload.head..<Payload.head + count])
    }
  }

  /// What came of a batch; the problem stands behind the pieces.
  struct Outcome {
    var pieces: [Data] = []
    var problem: (any Error)?
  }

  typealias Work = @Sendable (Batch) -> Outcome
  typealias Write = (inout Data) throws -> Void

  private static let chunks = 4
  private static let workers = min(4, ProcessInfo.processInfo.activeProcessorCount)

  private let unit: Int
  private let capacity: Int
  private let work: Work

  private let reading = NSLock()
  private let feed: Feed
  private var nextTicket = 0
  private var isOver = false
  /// The first byte of the next batch, which had to be read to know that there is one.
  private var ahead: UInt8?

  private let write: Write
  private let turns = NSCondition()
  private var turn = 0
  private var problem: (any Error)?

  /// Chunks are of `unit` bytes in the source, which is of `size` bytes at most, if that is known.
  init(
    _ feed: Feed, unit: Int, size: Int?, write: @escaping Write, work: @escaping Work
  ) {
    (self.feed, self.unit, self.write, self.work) = (feed, unit, write, work)
    capacity = Payload.head + min(unit * Self.chunks, size ?? .max - 1) + 1
  }

  /// Works until the source is at its end.
  ///
  /// - Throws: the first problem in the order of the source; all before it was written.
  func run() throws {
    withMemory { memory in
      guard let first = read(memory) else { return }
      guard case .more = first.ending else { return handle(first) }
      Self.keepFreedMemory()
      // Somebody who finds no thread only leaves more to the others.
      DispatchQueue.concurrentPerform(iterations: Self.workers) { worker in
        guard worker == 0 else { return withMemory { loop($0) } }
        handle(first)
        loop(first.memory)
      }
    }
    if let problem { throw problem }
  }

  /// Lets what a chunk frees serve the next one.
  ///
  /// The cipher's library allocates and grows memory for every chunk. glibc would map each such piece
  /// anew, which costs a third of the time, until it has seen a piece of this size freed.
  private static func keepFreedMemory() {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 << 20, alignment: 16)
    // Something must be done with it, or the compiler leaves it out.
    AgeSecret.wipe(UnsafeMutableRawBufferPointer(rebasing: memory[..<1]))
    memory.deallocate()
  }

  /// Memory for a batch, which is wiped, because it holds what somebody found worth encrypting.
  private func withMemory(_ body: (UnsafeMutableRawBufferPointer) -> Void) {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
    body(memory)
    AgeSecret.wipe(memory)
    memory.deallocate()
  }

  private func loop(_ memory: UnsafeMutableRawBufferPointer) {
    while let batch = read(memory) { handle(batch) }
  }

  private func read(_ memory: UnsafeMutableRawBufferPointer) -> Batch? {
    reading.lock()
    defer { reading.unlock() }
    guard !isOver else { return nil }
    let target = UnsafeMutableRawBufferPointer(rebasing: memory[Payload.head...])
    var count = 0
    if let ahead {
      target[0] = ahead
      count = 1
    }
    var ending = Ending.over
    do {
      count += try feed.fill(UnsafeMutableRawBufferPointer(rebasing: target[count...]))
      if count == target.count {
        count -= 1
        ahead = target[count]
        ending = .more
      }
    } catch {
      ending = .failed(error)
    }
    if case .more = ending {} else { isOver = true }
    defer { nextTicket += 1 }
    return Batch(
      memory: memory, count: count, number: UInt64(nextTicket * Self.chunks), ending: ending,
      ticket: nextTicket)
  }

  private func handle(_ batch: Batch) {
    var outcome = work(batch)
    guard waitForTurn(batch.ticket) else { return }
    do {
      for place in outcome.pieces.indices { try write(&outcome.pieces[place]) }
    } catch {
      outcome.problem = error
    }
    pass(outcome.problem)
  }

  /// Returns when all batches before are written; false when one of them failed.
  private func waitForTurn(_ ticket: Int) -> Bool {
    turns.lock()
    defer { turns.unlock() }
    while turn != ticket, problem == nil { turns.wait() }
    return problem == nil
  }

  private func pass(_ problem: (any Error)?) {
    turns.lock()
    turn += 1
    self.problem = problem
    turns.broadcast()
    turns.unlock()
    guard problem != nil else { return }
    reading.lock()
    isOver = true
    reading.unlock()
  }
}
