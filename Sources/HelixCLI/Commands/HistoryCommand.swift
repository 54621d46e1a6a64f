import ArgumentParser
import HelixModel
import HelixRun

/// Lists earlier runs, or tells one.
struct HistoryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "List earlier runs, or tell what happened in one.")

  @Argument(help: "A run's record, as the list names it.", completion: .file())
  var record: String?

  @OptionGroup var common: CommonOptions

  func run() async throws {
    let console = Console(common)
    try await console.guarding {
      if let record { try tell(record, on: console) } else { try list(on: console) }
    }
  }

  private func list(on console: Console) throws {
    for entry in RunHistory.list() {
      let reading = try RunHistory.read(entry.path)
      let end = reading.lines.compactMap { line in
        if case .runEnded(let end) = line.event { end.verdict.rawValue } else { nil }
      }.last
      console.answer("\(entry.started)  \(end ?? "cut off")  \(entry.path)\n")
    }
  }

  private func tell(_ path: String, on console: Console) throws {
    let reading = try RunHistory.read(path)
    let text = RunText(style: console.output)
    for line in reading.lines {
      if let words = text.line(line.event) { console.answer("\(line.time)  \(words)\n") }
    }
    if !reading.isComplete { console.answer("the run was cut off here\n") }
  }
}
