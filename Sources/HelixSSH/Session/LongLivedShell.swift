import Glibc

/// A script for a shell that runs already, and what the script reads.
struct ShellQuestion: Sendable {
  let script: [UInt8]
  let input: [UInt8]
  /// The script came as input: it may hold a secret, so it never stands in an argument.
  let isHidden: Bool

  /// What is to be read by a shell of its own can as well be read by the one that runs, which spares
  /// the host two processes.
  init(_ command: String, input: [UInt8] = []) {
    isHidden = command == "sh -s" && !input.isEmpty
    script = isHidden ? input : Array(command.utf8)
    self.input = isHidden ? [] : input
  }
}

/// The words of a shell that answers one question after the other over one channel.
///
/// A channel for every command costs the server a new process and the line two round trips; a shell
/// that is kept costs one. Each question runs in a subshell: it can end, change folder or break its
/// own syntax for itself alone. What would go on running after its end does not belong here, since
/// it would write into the answers of others: that is what makes a command a deed.
enum LongLivedShell {
  /// Answers the question in its arguments (mark, script, bytes of script that it must read, bytes of
  /// input), and then each that it reads: a line with mark, lines of script, bytes of script and
  /// bytes of input, then those.
  ///
  /// A shell's `read` takes one byte at a time; `head -c` of busybox takes what is there, so it must
  /// be the last to read of a question. What a question leaves unread of its input is read away after
  /// it.
  static let loop = """
    helix_answer() {
    if [ "$helix_input" -gt 0 ]; then
    head -c "$helix_input" | {
    (eval "$helix_text"); helix_status=$?
    while read -r helix_line; do :; done
    exit $helix_status
    }
    else
    (eval "$helix_text") </dev/null
    fi
    printf '\\n%s %s\\n' "$helix_mark" "$?"
    printf '\\n%s\\n' "$helix_mark" >&2
    }
    if [ "$#" -gt 0 ]; then
    helix_mark=$1 helix_text=$2 helix_script=$3 helix_input=$4
    shift 4
    if [ "$helix_script" -gt 0 ]; then
    IFS= read -r helix_line
    [ "$helix_line" = "$helix_mark" ] || {
    echo 'a start-up file of the login shell reads standard input' >&2
    exit 97
    }
    helix_text=$(head -c "$helix_script")
    fi
    helix_answer
    fi
    while read -r helix_mark helix_lines helix_script helix_input; do
    if [ "$helix_lines" -gt 0 ]; then
    helix_text=
    while [ "$helix_lines" -gt 0 ] && IFS= read -r helix_line; do
    helix_text="$helix_text$helix_line
    "
    helix_lines=$((helix_lines - 1))
    done
    else
    helix_text=$(head -c "$helix_script")
    fi
    helix_answer
    done
    """

  /// Scripts up to this size travel as lines; for longer ones a process of their own is cheaper.
  private static let lineLimit = 512

  /// The loop's arguments for a first question, which then travels with the command itself.
  ///
  /// sshd takes no input for a command that has not begun: what is read costs a round trip more.
  static func arguments(for question: ShellQuestion, mark: String) -> [String] {
    let script = question.isHidden ? "" : String(decoding: question.script, as: UTF8.self)
    let hidden = question.isHidden ? question.script.count : 0
    return [mark, script, String(hidden), String(question.input.count)]
  }

  /// What follows a first question's arguments; before a script a line that shows whether the login
  /// shell has left standard input alone.
  static func remainder(of question: ShellQuestion, mark: String) -> [UInt8] {
    question.isHidden ? Array("\(mark)\n".utf8) + question.script : question.input
  }

  /// A question as the loop reads it; `mark` is a word that nobody can guess.
  static func bytes(of question: ShellQuestion, mark: String) -> [UInt8] {
    let script = question.script
    let isShort = script.count <= lineLimit || !question.input.isEmpty
    let lines = isShort ? script.count { $0 == UInt8(ascii: "\n") } + 1 : 0
    var bytes = Array("\(mark) \(lines) \(script.count) \(question.input.count)\n".utf8)
    bytes += script
    if isShort { bytes.append(UInt8(ascii: "\n")) }
    return bytes + question.input
  }
}

/// Reads one stream of a long-lived shell up to the mark that ends an answer.
struct AnswerReader: Sendable {
  private(set) var collector: OutputCollector
  /// What followed the mark on its line, once it has come.
  private(set) var ending: String?
  private let pattern: [UInt8]
  /// Bytes that may be the beginning of the ending.
  private var held: [UInt8] = []

  /// Of the answer, `limit` bytes are kept.
  init(mark: String, limit: Int) {
    pattern = Array("\n\(mark)".utf8)
    collector = OutputCollector(announced: "", limit: limit)
  }

  /// Takes the stream's next bytes; what comes after the ending is nobody's.
  mutating func take(_ bytes: UnsafeRawBufferPointer) {
    guard ending == nil else { return }
    held.append(contentsOf: bytes)
    guard let start = firstPattern() else { return release(held.count - pattern.count + 1) }
    release(start)
    guard let end = held.dropFirst(pattern.count).firstIndex(of: UInt8(ascii: "\n")) else {
      // Only a host that means harm goes on after the mark.
      if held.count > pattern.count + Self.endingLimit { endBadly() }
      return
    }
    ending = printable(held[pattern.count..<end].drop { $0 == UInt8(ascii: " ") })
    held = []
  }

  /// A status and a line's end fit in this.
  private static let endingLimit = 64

  private mutating func endBadly() {
    ending = ""
    held = []
  }

  private func firstPattern() -> Int? {
    held.withUnsafeBytes { held in
      guard let base = held.baseAddress else { return nil }
      var start = 0
      while start + pattern.count <= held.count,
        let found = memchr(base + start, Int32(UInt8(ascii: "\n")), held.count - start)
      {
        let place = UnsafeRawPointer(found) - base
        guard place + pattern.count <= held.count else { return nil }
        if memcmp(found, pattern, pattern.count) == 0 { return place }
        start = place + 1
      }
      return nil
    }
  }

  /// Passes on bytes that are part of the answer for sure.
  private mutating func release(_ count: Int) {
    guard count > 0 else { return }
    held.withUnsafeBytes { collector.take(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    held.removeFirst(count)
  }
}
