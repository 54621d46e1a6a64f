import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

@Suite("a shell that answers question after question")
struct LongLivedShellTests {
  /// Feeds the loop with questions on this machine; its output and errors.
  private func answers(_ questions: [UInt8]) throws -> (output: String, errors: String) {
    let folder = try ScratchFolder()
    try folder.write(LongLivedShell.loop, to: "loop")
    try folder.write(String(decoding: questions, as: UTF8.self), to: "questions")
    try runLocally(
      "/bin/sh", "-c",
      "sh -c \"$(cat \(folder.file("loop")))\" <\(folder.file("questions"))"
        + " >\(folder.file("out")) 2>\(folder.file("err"))")
    return (folder.text(of: "out"), folder.text(of: "err"))
  }

  @Test("gives each its status, and lets none disturb the next")
  func sequence() throws {
    let questions = [
      ("echo one; echo two >&2", ""), ("exit 3", ""), ("(((", ""), ("cat; echo", "in put"),
      ("head -c 1", "xyz\nrest that nobody reads\n"), ("read -r a; echo \"$a\"", "line\n"),
      ("cd /; set -eu; PATH=", ""), ("printf 'a\n\nb'", ""),
      ("sh -s", "helix_secret=1; exit 4\nnot reached"), ("echo \"$helix_secret$#\"", ""),
      ("kill -9 $$ 2>/dev/null & wait", ""),
    ]
    let bytes = questions.dropLast().enumerated().flatMap { number, question in
      LongLivedShell.bytes(
        of: ShellQuestion(question.0, input: Array(question.1.utf8)), mark: "m\(number)")
    }
    let (output, errors) = try answers(bytes)
    let syntaxStatus = try runLocally(
      "/bin/sh", "-c", "sh -c '(eval \"(((\")' 2>/dev/null; echo $?")
    #expect(
      output
        == "one\n\nm0 0\n\nm1 3\n\nm2 \(syntaxStatus.prefix { $0 != "\n" })\nin put\n\nm3 0\nx\nm4 0\n"
        + "line\n\nm5 0\n\nm6 0\na\n\nb\nm7 0\n\nm8 4\n0\n\nm9 0\n")
    #expect(errors.hasPrefix("two\n\nm0\n\nm1\n"))
  }

  @Test("says so when a start-up file has read what was meant for it", arguments: [true, false])
  func swallowed(isEaten: Bool) throws {
    let question = ShellQuestion("sh -s", input: Array("echo answer".utf8))
    let arguments = LongLivedShell.arguments(for: question, mark: "m")
    let folder = try ScratchFolder()
    try folder.write(LongLivedShell.loop, to: "loop")
    try folder.write(
      String(decoding: LongLivedShell.remainder(of: question, mark: "m"), as: UTF8.self), to: "in")
    let words = arguments.map(shellQuoted).joined(separator: " ")
    let said = try runLocally(
      "/bin/sh", "-c",
      "{ \(isEaten ? "read -r x;" : "") sh -c \"$(cat \(folder.file("loop")))\" helix \(words); "
        + "echo \"status $?\"; } <\(folder.file("in")) 2>&1")
    #expect(said.contains("answer\n\nm 0\n") == !isEaten)
    #expect(said.hasSuffix("status \(isEaten ? 97 : 0)\n") || !isEaten)
    #expect(said.contains("reads standard input") == isEaten)
  }

  @Test("takes scripts of any length and shape", arguments: [1, 511, 512, 513, 5000, 100_000])
  func lengths(count: Int) throws {
    let text = "printf %s '" + String(repeating: "ab\n c\\", count: count / 6 + 1) + "'"
    let bytes =
      LongLivedShell.bytes(of: ShellQuestion(text), mark: "m")
      + LongLivedShell.bytes(of: ShellQuestion("printf done"), mark: "n")
    let (output, _) = try answers(bytes)
    #expect(output == text.dropFirst(11).dropLast() + "\nm 0\ndone\nn 0\n")
  }

  @Test("an answer is told from its end wherever the stream is cut", arguments: 1...12)
  func pieces(size: Int) {
    let stream = Array("\nhelix-\nhelix-x\n\n\nhelix-mark 17\n".utf8)
    var reader = AnswerReader(mark: "helix-mark", limit: 1000)
    for start in stride(from: 0, to: stream.count, by: size) {
      #expect(reader.ending == nil)
      stream[start..<min(stream.count, start + size)].withUnsafeBytes { reader.take($0) }
    }
    #expect(reader.ending == "17")
    #expect(reader.collector.text == "\nhelix-\nhelix-x\n\n")
  }

  @Test("of an answer without end only the first part is kept")
  func endless() {
    var reader = AnswerReader(mark: "m", limit: 100)
    let block = [UInt8](repeating: 10, count: 64 * 1024)
    for _ in 0..<100 { block.withUnsafeBytes { reader.take($0) } }
    Array("\nm 0\n".utf8).withUnsafeBytes { reader.take($0) }
    #expect(reader.collector.text.utf8.count == 100)
    #expect(reader.collector.isTruncated)
    #expect(reader.ending == "0")
  }
}
