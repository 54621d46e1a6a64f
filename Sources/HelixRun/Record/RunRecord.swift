import Dispatch
import FoundationEssentials
import Glibc
package import HelixModel

/// The record of one run: a line of JSON for each event, on the disk before the run goes on.
package actor RunRecord: EventSink {
  /// Rises when a line changes in a way that older readers would misread.
  package static let currentVersion = 1

  /// One line of the record.
  package struct Line: Hashable, Sendable {
    package let version: Int
    /// UTC, as `UTCTime.text` writes it.
    package let time: String
    package let event: Event
  }

  package nonisolated let path: String
  /// The first thing that went wrong with writing; the run itself does not stop for it.
  package private(set) var failure: Diagnostic?

  private nonisolated let queue = WriterQueue(label: "helix.run-record")
  private let descriptor: Int32
  private let clock: any RunClock
  private let encoder: JSONEncoder

  package nonisolated var unownedExecutor: UnownedSerialExecutor {
    queue.asUnownedSerialExecutor()
  }

  /// Begins a record in a folder's `runs`.
  ///
  /// - Throws: a `Diagnostic` when the file cannot be made; a run without a record must not begin.
  package init(
    in folder: String = StateFolder.path, clock: any RunClock = SystemClock()
  ) throws(Diagnostic) {
    let runs = "\(folder)/runs"
    try StateFolder.make(runs)
    let path = "\(runs)/\(UTCTime(milliseconds: clock.wallTime).compact)-\(getpid()).jsonl"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw systemFailure("cannot begin the run record \(path)") }
    flushFolder(runs)
    self.path = path
    self.descriptor = descriptor
    self.clock = clock
    encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  }

  deinit { close(descriptor) }

  package func report(_ event: Event) {
    guard event.isLasting else { return }
    let line = Line(
      version: Self.currentVersion, time: UTCTime(milliseconds: clock.wallTime).text,
      event: event)
    do {
      let bytes = try encoder.encode(line) + [UInt8(ascii: "\n")]
      if let code = writeAll(bytes, to: descriptor) ?? flush() {
        failure = failure ?? systemFailure("cannot write the run record \(path)", code: code)
      }
    } catch {
      failure = failure ?? Diagnostic("cannot write the run record \(path)", reason: "\(error)")
    }
  }

  private func flush() -> Int32? { fsync(descriptor) == 0 ? nil : errno }
}

extension RunRecord.Line: Codable {
  private enum Key: String, CodingKey { case version, time }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(version, forKey: .version)
    try container.encode(time, forKey: .time)
    try event.encode(to: encoder)
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    version = try container.decode(Int.self, forKey: .version)
    time = try container.decode(String.self, forKey: .time)
    event = try Event(from: decoder)
  }
}

/// A thread that may block: flushing to disk is not for the pool that all tasks share.
final class WriterQueue: SerialExecutor, Sendable {
  private let queue: DispatchQueue

  init(label: String) { queue = DispatchQueue(label: label) }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let executor = asUnownedSerialExecutor()
    queue.async { job.runSynchronously(on: executor) }
  }

  func checkIsolated() { dispatchPrecondition(condition: .onQueue(queue)) }
}

/// Makes the names in a folder last.
func flushFolder(_ path: String) {
  let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard descriptor >= 0 else { return }
  fsync(descriptor)
  close(descriptor)
}
