import Foundation
import Synchronization

/// Feeds a parser inputs and keeps watch over memory and time.
package struct FuzzRun: Sendable {
  /// What is wrong with a parser, and the input that shows it.
  package struct Finding: Error, CustomStringConvertible {
    package let description: String
  }

  /// An input may make the process grow by ten times its size and this.
  static let freeMemory = 16 << 20
  private static let batch = 64

  private let target: FuzzTarget
  private let mutator: Mutator

  package init(_ target: FuzzTarget, seed: UInt64) throws {
    self.target = target
    mutator = Mutator(corpus: try target.corpus(), words: target.words, seed: seed)
  }

  /// Reads inputs, nothing else; for tests that run beside others.
  package func read(_ numbers: Range<Int>) {
    for number in numbers { target.read(mutator.input(number)) }
  }

  /// Reads inputs and measures; `started` hears of each before it is read.
  ///
  /// - Throws: a `Finding`.
  package func measure(
    _ numbers: Range<Int>, meter: some GrowthMeter = MemoryMeter(),
    started: @escaping @Sendable (Int) -> Void
  ) throws(Finding) {
    for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: Self.batch) {
      let part = start..<min(start + Self.batch, numbers.upperBound)
      let inputs = part.map { mutator.input($0) }
      let growth = meter.growth {
        for (number, input) in zip(part, inputs) {
          started(number)
          target.read(input)
        }
      }
      // Only when all of them together took much is each one measured.
      if growth > Self.freeMemory { try measureEach(part, inputs, meter) }
    }
  }

  private func measureEach(
    _ part: Range<Int>, _ inputs: [[UInt8]], _ meter: some GrowthMeter
  ) throws(Finding) {
    for (number, input) in zip(part, inputs) {
      let growth = meter.growth { target.read(input) }
      guard growth > Self.freeMemory + 10 * input.count else { continue }
      throw Finding(
        description: "\(target.name) input \(number), \(input.count) bytes, takes"
          + " \(growth >> 20) MiB")
    }
  }

  /// The input of a number, to look at what was found.
  package func input(_ number: Int) -> [UInt8] { mutator.input(number) }
}

/// Ends the process when one input takes for ever.
package final class Watchdog: Sendable {
  /// Thousands of times what an input takes, so that a busy machine is no finding.
  package static let usualPatience = Duration.seconds(20)

  private let patience: Duration
  private let progress = Mutex((number: 0, since: ContinuousClock.now))
  private let ended = Atomic(false)

  package init(patience: Duration = usualPatience) { self.patience = patience }

  package func started(_ number: Int) {
    progress.withLock { $0 = (number, .now) }
  }

  /// Nothing more is read.
  package func end() { ended.store(true, ordering: .relaxed) }
  package var isOver: Bool { ended.load(ordering: .relaxed) }

  /// The input that has taken too long, if one has.
  package var stuck: Int? {
    progress.withLock { $0.since.duration(to: .now) > patience ? $0.number : nil }
  }
}
