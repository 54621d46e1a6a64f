import Foundation
import HelixRun

/// Prints every event as one line of JSON on stdout.
struct EventLines: EventSink {
  private let console: Console

  init(_ console: Console) { self.console = console }

  func report(_ event: Event) async {
    guard event.isLasting else { return }
    guard let line = try? event.jsonLine() else { return }
    console.answer(line)
  }
}
