import HelixModel
import HelixPlan

extension Instruction {
  /// What the instruction does in words; for events, and for the command that an error names.
  package var words: String {
    switch self {
    case .run(let script): comment(of: script) ?? "run \(firstLine(of: script))"
    case .launch(let launch): launch.title
    case .reboot: "reboot"
    case .feed(let feed): feed.title
    case .write(let file): "write \(file.path)"
    case .install(let install): "install \(install.artifact.file) at \(install.path)"
    case .wait(let wait): "wait until \(wait.condition)"
    case .learn(let name, let script): "learn \(name.rawValue) from \(firstLine(of: script))"
    case .fetch(let fetch): "fetch \(fetch.localPath)"
    }
  }
}

/// What a script says of itself in a comment on top, or else its first line that is not empty, and
/// a mark when there are more.
private func firstLine(of script: String) -> String {
  if let comment = comment(of: script) { return comment }
  let lines = plainLines(script, last: .max, width: 160).filter { !$0.isEmpty }
  guard let first = lines.first else { return "an empty script" }
  return lines.count > 1 ? "\(first) …" : first
}

private func comment(of script: String) -> String? {
  let first = plainLines(script, last: .max, width: 160).first { !$0.isEmpty }
  return first.flatMap { $0.hasPrefix("# ") ? String($0.dropFirst(2)) : nil }
}

/// What an exit status alone tells, and what to do about it.
func meaning(ofStatus status: Int) -> (reason: String, remedy: String?)? {
  switch status {
  case 126: ("a file that should be a program cannot be executed", nil)
  case 127: ("a program that it calls is missing on the host", nil)
  case 137: ("it was killed", "see whether the host ran out of memory: journalctl -k")
  case 143: ("it was told to end", nil)
  default: nil
  }
}
