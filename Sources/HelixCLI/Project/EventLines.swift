import Foundation
import HelixRun

/// Prints every event as one line of JSON on stdout.
struct EventLines: EventSink {
  private let console: Console

  init(_ console: Console) { self.console = console }

  func report(_ event: Event) async {
    guard event.isLasting else { return }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(event) else { return }
    console.answer(data + Data("\n".utf8))
  }
}
