import HelixModel
import HelixPlan
import HelixRun

/// The live part of the screen: what is under way now, as a pure function of events and time.
struct RunScreen {
  private struct Underway {
    var title: String
    var host: HostName?
    var words: String
    var since: Double
  }

  private var asked: Set<HostName> = []
  private var underway: [StepID: Underway] = [:]
  private var order: [StepID] = []
  /// Steps that wait for a vote, and in which order they came.
  private var waiting: [StepID: Underway] = [:]
  private var queue: [StepID] = []
  private var total = 0
  private var ended = 0
  private var failed = 0

  /// Takes an event in that happened now, in seconds since any fixed moment.
  mutating func take(_ event: Event, now: Double) {
    switch event {
    case .hostAsked(let event): asked.insert(event.host)
    case .hostAnswered(let event): asked.remove(event.host)
    case .hostSilent(let event): asked.remove(event.host)
    case .runStarted(let event): total = event.steps
    case .stepWaiting(let event):
      let since = waiting[event.step]?.since ?? now
      if waiting[event.step] == nil { queue.append(event.step) }
      waiting[event.step] = Underway(
        title: event.title, host: event.host, words: "waits: \(event.words)", since: since)
    case .stepStarted(let event):
      endWaiting(event.step)
      underway[event.step] = Underway(
        title: event.title, host: event.host, words: "", since: now)
      order.append(event.step)
    case .instructionStarted(let event): underway[event.step]?.words = event.words
    case .uploading(let event):
      underway[event.step]?.words = "uploading \(event.file) \(event.percent) %"
    case .stepEnded(let event):
      endWaiting(event.step)
      underway[event.step] = nil
      order.removeAll { $0 == event.step }
      ended += 1
      if case .failed = event.outcome { failed += 1 }
    case .note, .runStopping, .runEnded: break
    }
  }

  /// The lines to show, none wider or more than asked for; empty when nothing is under way.
  func lines(width: Int, height: Int, now: Double) -> [String] {
    var lines = asking
    let shown = order.filter { underway[$0]?.host != nil }
    let room = max(1, height - 2)
    lines += shown.prefix(room).compactMap { underway[$0] }.map { line($0, now: now) }
    if shown.count > room { lines.append("  and \(shown.count - room) more") }
    let rest = max(0, room - shown.count)
    lines += queue.prefix(rest).compactMap { waiting[$0] }.map { line($0, now: now) }
    if total > 0, !underway.isEmpty || !waiting.isEmpty {
      let failures = failed > 0 ? ", \(failed) failed" : ""
      lines.append("  \(ended) of \(total) steps ended\(failures)")
    }
    return lines.map { String($0.prefix(max(1, width - 1))) }
  }

  private mutating func endWaiting(_ step: StepID) {
    guard waiting.removeValue(forKey: step) != nil else { return }
    queue.removeAll { $0 == step }
  }

  private var asking: [String] {
    guard !asked.isEmpty else { return [] }
    let names = asked.sorted().map(\.rawValue)
    return [
      "asking \(names.count == 1 ? "1 host" : "\(names.count) hosts"): \(names.joined(separator: ", "))"
    ]
  }

  private func line(_ step: Underway, now: Double) -> String {
    let seconds = Int(max(0, now - step.since))
    let host = step.host?.rawValue ?? ""
    let words = step.words.isEmpty ? "" : " (\(printable(step.words)))"
    return "  \(host)  \(step.title)  \(seconds) s\(words)"
  }
}
