import Glibc
import HelixModel

/// Where a master's `ssh` brings the questions that it would ask on a terminal: for passphrases of
/// keys and PINs of hardware keys.
///
/// ssh runs a script of ours, which passes the question on through one named pipe and the answer
/// back through another, so that no secret stands in a file, an argument or a variable.
/// Lives inside its session's isolation.
final class AskDesk {
  /// A question in more words is none that ssh asks.
  private static let questionLimit = 4096

  private let prompter: any Prompter
  private let questions: Int32
  private let answers: Int32
  private var bytes: [UInt8] = []

  /// What ssh runs; a touch that is waited for is no question, and told in another way.
  static let script = """
    #!/bin/sh
    [ "$SSH_ASKPASS_PROMPT" = none ] && exec sleep 3600
    [ -z "$SSH_ASKPASS_PROMPT" ] || exit 1
    folder=${0%/*}
    question=$(printf %s "$1" | tr '\\n' ' ')
    printf '%s\\n' "$question" >"$folder/question"
    IFS= read -r answer <"$folder/answer"
    case $answer in
    +*) printf '%s\\n' "${answer#+}" ;;
    *) exit 1 ;;
    esac

    """

  /// Opens the pipes of a folder that has them; nil when it has not.
  init?(_ folder: PrivateFolder, _ prompter: any Prompter) {
    self.prompter = prompter
    // Both ends are ours too, so that opening, reading and writing never wait for the script.
    let way = O_RDWR | O_NONBLOCK | O_CLOEXEC
    questions = open(folder.question, way)
    answers = open(folder.answer, way)
    guard questions >= 0, answers >= 0 else {
      close()
      return nil
    }
  }

  /// The pipe to watch.
  var descriptor: Int32 { questions }

  /// The questions that have come in whole.
  func take() -> [String] {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(questions, &buffer, buffer.count)
      guard count > 0 else { break }
      bytes += buffer[..<count]
    }
    var lines: [String] = []
    while let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
      lines.append(printable(bytes[..<end]))
      bytes.removeFirst(end + 1)
    }
    if bytes.count > Self.questionLimit { bytes = [] }
    return lines
  }

  /// Has a question answered by a person.
  func ask(_ question: String) async {
    let reply: [UInt8]
    do throws(PromptFailure) {
      reply = [UInt8(ascii: "+")] + (try await prompter.ask(question)).reveal()
    } catch {
      reply = [UInt8(ascii: "-")]
    }
    // An answer that nobody took must not become that to another question.
    var stale = [UInt8](repeating: 0, count: 4096)
    while read(answers, &stale, stale.count) > 0 {}
    let line = reply + [UInt8(ascii: "\n")]
    _ = write(answers, line, line.count)
  }

  func close() {
    for descriptor in [questions, answers] where descriptor >= 0 { Glibc.close(descriptor) }
  }
}
