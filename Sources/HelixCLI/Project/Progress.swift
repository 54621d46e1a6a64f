import Foundation
import HelixRun

/// Shows a run on stderr while it goes on: a live region on a terminal, plain lines elsewhere.
actor Progress: EventSink {
  private let console: Console
  private let text: RunText
  private let isLive: Bool
  private var screen = RunScreen()
  private var drawn = 0
  private var ticker: Task<Void, Never>?
  private let start = ContinuousClock.now

  init(_ console: Console) {
    self.console = console
    text = RunText(style: console.errors)
    isLive = isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  }

  func report(_ event: Event) {
    guard isLive else {
      if let line = text.line(event) { console.note(line + "\n") }
      return
    }
    screen.take(event, now: now)
    // What has begun is in the live region; only what has happened stays on the screen.
    var kept: String?
    if case .stepStarted = event {} else { kept = text.line(event) }
    draw(keeping: kept)
    if ticker == nil { ticker = Task { await tick() } }
  }

  /// Clears the live region; to be called before other words are written.
  func finish() {
    ticker?.cancel()
    ticker = nil
    if drawn > 0 { console.note("\u{1B}[\(drawn)A\u{1B}[J") }
    drawn = 0
  }

  private var now: Double {
    let elapsed = (ContinuousClock.now - start).components
    return Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18
  }

  private func tick() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: .seconds(1))
      if !Task.isCancelled, drawn > 0 { draw(keeping: nil) }
    }
  }

  private func draw(keeping line: String?) {
    let (width, height) = terminalSize()
    let lines = screen.lines(width: width, height: min(height - 1, 16), now: now)
    var text = drawn > 0 ? "\u{1B}[\(drawn)A\u{1B}[J" : ""
    if let line { text += line + "\n" }
    text += lines.map { $0 + "\n" }.joined()
    console.note(text)
    drawn = lines.count
  }

  private func terminalSize() -> (width: Int, height: Int) {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 2
    else { return (80, 24) }
    return (Int(size.ws_col), Int(size.ws_row))
  }
}
