import Dispatch
import Foundation
import HelixRun

/// Turns Ctrl-C, a closed terminal and termination into a wish to stop, for as long as it lives.
final class StopSignals {
  private let numbers: [Int32]
  private let sources: [any DispatchSourceSignal]

  init(_ stop: StopRequest) {
    // For good: whoever read our output may leave, and the run goes on to its last word.
    signal(SIGPIPE, SIG_IGN)
    // Under nohup a run is to outlive its terminal.
    let ignoresHangUp =
      unsafeBitCast(signal(SIGHUP, SIG_IGN), to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    numbers = [SIGINT, SIGTERM] + (ignoresHangUp ? [] : [SIGHUP])
    sources = numbers.map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { stop.ask() }
      source.resume()
      return source
    }
  }

  /// Gives the signals back their usual meaning.
  func end() {
    for source in sources { source.cancel() }
    for number in numbers { signal(number, SIG_DFL) }
  }
}
