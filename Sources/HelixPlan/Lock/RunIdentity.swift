/// Who a run is: written beside every lock it holds and every long step it starts.
package struct RunIdentity: Hashable, Sendable {
  /// One word that no other run has.
  package let id: String
  package let user: String
  package let host: String
  package let pid: Int
  /// The command that the operator gave: `apply`.
  package let command: String
  /// UTC, as `UTCTime.text` writes it; for people only.
  package let started: String
  /// What tells this process from every other that had or will have its number.
  package let process: String

  /// For people: `alice on laptop`.
  package var who: String { "\(user) on \(host)" }

  package init(
    id: String, user: String, host: String, pid: Int, command: String, started: String,
    process: String = ""
  ) {
    self.id = id
    self.user = user
    self.host = host
    self.pid = pid
    self.command = command
    self.started = started
    self.process = process
  }
}

/// A text as part of a line that a shell reads word by word: no control characters, not too long.
package func oneLine(_ text: String) -> String {
  let plain = text.unicodeScalars.filter { !($0 < " " || ("\u{7F}"..."\u{9F}").contains($0)) }
  var line = String.UnicodeScalarView()
  line.append(contentsOf: plain.prefix(100))
  let text = String(line)
  return text.allSatisfy { $0 == " " } ? "unknown" : text
}
