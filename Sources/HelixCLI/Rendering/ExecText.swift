import HelixModel
import HelixRun

/// What hosts said to a command, each line behind its host's name.
struct ExecText {
  let output: Style
  let errors: Style
  private let width: Int

  /// Names are as wide as the widest of the hosts'.
  init(hosts: [HostName], output: Style = .plain, errors: Style = .plain) {
    self.output = output
    self.errors = errors
    width = hosts.map(\.rawValue.count).max() ?? 0
  }

  /// What goes to standard output.
  func output(_ said: CommandOutput, of host: HostName) -> String {
    lines(said.output).map { prefix(host, output) + $0 + "\n" }.joined()
  }

  /// What goes to standard error: the command's own words, and how it ended if not well.
  func errors(_ said: CommandOutput, of host: HostName) -> String {
    var words = lines(said.errors)
    if said.isTruncated { words.append(errors.paint("there was more than is kept", .yellow)) }
    if said.status != 0 { words.append(errors.paint("exit status \(said.status)", .red)) }
    return words.map { prefix(host, errors) + $0 + "\n" }.joined()
  }

  /// How it went on all hosts together.
  func summary(_ tally: ExecTally, seconds: Double) -> String {
    let counts = [
      (tally.done, "done"), (tally.failed, "failed"), (tally.unreachable, "unreachable"),
      (tally.interrupted, "interrupted"),
    ]
    let words = counts.filter { $0.0 > 0 }.map { "\($0) \($1)" }.joined(separator: ", ")
    return "Exec: \(words) in \(Int(seconds.rounded())) s.\n"
  }

  private func prefix(_ host: HostName, _ style: Style) -> String {
    let gap = String(repeating: " ", count: max(0, width - host.rawValue.count))
    return style.paint("\(host)\(gap) |", .cyan) + " "
  }

  /// Split by bytes, for Swift takes a carriage return and what follows it for one character.
  private func lines(_ text: String) -> [String] {
    var lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines.map { line in
      printable(Substring(line.last == UInt8(ascii: "\r") ? line.dropLast() : line))
    }
  }
}
