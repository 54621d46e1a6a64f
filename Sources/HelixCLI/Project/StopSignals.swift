import Dispatch
import Foundation
import HelixRun
internal import Synchronization

/// Turns Ctrl-C, a closed terminal and termination into a wish to stop, for as long as it lives.
final class StopSignals {
  private let numbers: [Int32]
  private let sources: [any DispatchSourceSignal]
  private let target: Target

  /// Who is told.
  private final class Target: Sendable {
    private let stop: Mutex<StopRequest>

    init(_ stop: StopRequest) { self.stop = Mutex(stop) }
    func turn(to stop: StopRequest) { self.stop.withLock { $0 = stop } }
    func ask() { stop.withLock { $0 }.ask() }
  }

  init(_ stop: StopRequest) {
    // For good: whoever read our output may leave, and the run goes on to its last word.
    signal(SIGPIPE, SIG_IGN)
    // Under nohup a run is to outlive its terminal.
    let ignoresHangUp =
      unsafeBitCast(signal(SIGHUP, SIG_IGN), to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    numbers = [SIGINT, SIGTERM] + (ignoresHangUp ? [] : [SIGHUP])
    let target = Target(stop)
    self.target = target
    sources = numbers.map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { target.ask() }
      source.resume()
      return source
    }
  }

  /// From now on another is told.
  func turn(to stop: StopRequest) { target.turn(to: stop) }

  /// Gives the signals back their usual meaning.
  func end() {
    for source in sources { source.cancel() }
    for number in numbers { signal(number, SIG_DFL) }
  }
}

/// Does work, and cancels it when somebody asks to stop; what comes of it then is for the caller.
func unlessStopped<Value: Sendable>(
  _ stop: StopRequest, _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  let working = Task { try await work() }
  let watching = Task {
    await stop.asked()
    if stop.isAsked { working.cancel() }
  }
  defer { watching.cancel() }
  do {
    return try await working.value
  } catch is CancellationError {
    throw ExitStatus.interrupted.exit
  }
}
