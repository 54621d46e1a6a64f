import HelixModel

/// A POSIX-sh script in the form in which it is handed to a host's `sh` on standard input.
///
/// The script travels as one quoted word, so that a connection cut half-way runs none of it, and
/// nothing it calls can read the rest of it as input.
package struct ShellScript: Sendable {
  /// What a script does when one of its commands fails.
  package enum Strictness: Sendable {
    /// Ends at the first command that fails or variable that is unset.
    case stopsAtFailure
    /// Goes on; its status is the last command's.
    case goesOn
  }

  /// The same words and tools on every host, whoever logs in.
  static let surroundings = """
    LC_ALL=C PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    export LC_ALL PATH
    """

  package let text: String

  /// What `fence` refuses does not begin.
  package init(_ script: String, _ strictness: Strictness, fence: String = "") {
    let mode = strictness == .stopsAtFailure ? "set -eu\n" : ""
    text = "\(Self.surroundings)\n\(fence)\(mode)eval \(shellQuoted(script)) </dev/null\n"
  }
}

extension Command {
  /// A script on the standard input of a shell.
  static func script(
    _ script: ShellScript, _ effect: CommandEffect, become: Become, timeout: Duration
  ) -> Command {
    Command(
      "sh -s", input: .text(script.text), become: become, effect: effect, timeout: timeout)
  }

  /// A short script in argv with its parameters, for what needs standard input for itself.
  static func inline(
    _ script: String, _ parameters: [String], input: CommandInput, become: Become,
    timeout: Duration
  ) -> Command {
    let words = ["sh", "-c", script, "helix"] + parameters
    return Command(
      words.map(shellQuoted).joined(separator: " "), input: input, become: become,
      timeout: timeout)
  }
}
