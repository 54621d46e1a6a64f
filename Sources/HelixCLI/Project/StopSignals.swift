import Dispatch
import Foundation
import HelixRun

/// Turns Ctrl-C and termination into a wish to stop, for as long as it lives.
final class StopSignals {
  private let sources: [any DispatchSourceSignal]

  init(_ stop: StopRequest) {
    sources = [SIGINT, SIGTERM].map { number in
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
    for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
  }
}
