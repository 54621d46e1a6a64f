import Foundation
import FuzzTargets
import Synchronization

/// Feeds the parsers of secrets mutated inputs; scripts/fuzz-secrets says how.
@main
struct FuzzSecrets {
  static func main() throws {
    var words = Array(CommandLine.arguments.dropFirst())
    if words.first == "--input" { return try show(Array(words.dropFirst())) }
    guard let count = words.first.flatMap({ Int($0) }), count > 0 else { usage() }
    words.removeFirst()
    let seed = words.first.flatMap { UInt64($0) } ?? 1
    if !words.isEmpty { words.removeFirst() }
    let targets = FuzzTarget.all.filter { words.isEmpty || words.contains($0.name) }
    guard !targets.isEmpty else { usage() }
    guard MemoryMeter().sees else { fail("memory cannot be measured here") }
    let share = (count + targets.count - 1) / targets.count
    for target in targets { try fuzz(target, share, seed: seed) }
    print("\(share * targets.count) inputs, seed \(seed): no crash, no hang, no memory to speak of")
  }

  private static func fuzz(_ target: FuzzTarget, _ count: Int, seed: UInt64) throws {
    let dog = Watchdog()
    let run = try FuzzRun(target, seed: seed)
    watch(dog, target.name, seed)
    Crash.announce("\(target.name) \(seed)")
    let start = ContinuousClock.now
    do {
      try run.measure(0..<count) { number in
        Crash.number.store(number, ordering: .relaxed)
        dog.started(number)
      }
    } catch {
      fail("\(error); seed \(seed)")
    }
    dog.end()
    let seconds = start.duration(to: .now) / .seconds(1)
    print("\(target.name): \(count) inputs in \(String(format: "%.0f", seconds)) s")
  }

  private static func watch(_ dog: Watchdog, _ name: String, _ seed: UInt64) {
    Thread.detachNewThread {
      while !dog.isOver {
        Thread.sleep(forTimeInterval: 1)
        if let number = dog.stuck { fail("\(name) input \(number), seed \(seed), takes for ever") }
      }
    }
  }

  /// Writes one input, so that what was found can be looked at.
  private static func show(_ words: [String]) throws {
    guard words.count == 3, let target = FuzzTarget.all.first(where: { $0.name == words[0] }),
      let seed = UInt64(words[1]), let number = Int(words[2])
    else { usage() }
    FileHandle.standardOutput.write(Data(try FuzzRun(target, seed: seed).input(number)))
  }

  private static func fail(_ words: String) -> Never {
    FileHandle.standardError.write(Data("found: \(words)\n".utf8))
    exit(1)
  }

  private static func usage() -> Never {
    let names = FuzzTarget.all.map(\.name).joined(separator: "|")
    let words = "usage: fuzz-secrets COUNT [SEED [\(names)]...] | --input TARGET SEED NUMBER\n"
    FileHandle.standardError.write(Data(words.utf8))
    exit(64)
  }
}

/// Says which input was being read when the process crashes.
private enum Crash {
  static let number = Atomic<Int>(0)
  // Written once for each target, before anything of it can crash; the handler only reads it.
  nonisolated(unsafe) private static var name: [UInt8] = []

  static func announce(_ words: String) {
    name = Array("crash: fuzz-secrets --input \(words) ".utf8)
    for signal in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT] {
      Foundation.signal(signal) { _ in
        Crash.tell()
        _exit(1)
      }
    }
  }

  private static func tell() {
    _ = name.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    var rest = number.load(ordering: .relaxed)
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 21) { digits in
      var place = 20
      digits[place] = 0x0a
      repeat {
        place -= 1
        digits[place] = UInt8(0x30 + rest % 10)
        rest /= 10
      } while rest > 0
      _ = write(2, digits.baseAddress?.advanced(by: place), 21 - place)
    }
  }
}
