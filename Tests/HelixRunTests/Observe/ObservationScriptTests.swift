import Glibc
import HelixModel
import HelixPlan
import Testing

@testable import HelixRun

/// Shells that hosts are known to have; those not on this machine are left out.
private let shells = ["dash", "bash", "bash --posix", "busybox sh"].filter { line in
  let name = line.split(separator: " ")[0]
  return ["/bin", "/usr/bin"].contains { access("\($0)/\(name)", X_OK) == 0 }
}

@Suite("one script carries all facts of a host")
struct ObservationScriptTests {
  private let key = SecretValue("it's the key")

  private func ask(
    _ commands: [String], in shell: String, limit: Int = 1024 * 1024, noise: String = ""
  ) async throws -> [FactAnswer?] {
    let requests = commands.enumerated().map { number, command in
      FactRequest(id: FactID("fact-\(number)"), command: command)
    }
    let script = ObservationScript(requests, nonce: "n0nce", limit: limit)
    let output = try await LocalHost.shell.run(
      Command(
        "printf '\(noise)'; \(shell) -s", input: .secret(script.text(key: key, now: 1_700_000_000)))
    )
    let answers = try script.answers(in: output.output)
    return requests.map { answers[$0.id] }
  }

  @Test("answers come back byte for byte", arguments: shells)
  func exact(shell: String) async throws {
    let answers = try await ask(
      [
        "printf 'no newline'", "printf 'two\\n\\n'", "true", "printf '\\nfirst is empty'", "exit 3",
      ],
      in: shell)
    #expect(
      answers == [
        FactAnswer(status: 0, output: "no newline"), FactAnswer(status: 0, output: "two\n\n"),
        FactAnswer(status: 0, output: ""), FactAnswer(status: 0, output: "\nfirst is empty"),
        FactAnswer(status: 3, output: ""),
      ])
  }

  @Test("noise of the login does no harm, with or without a line's end", arguments: shells)
  func noise(shell: String) async throws {
    let motd = "Welcome\\nn0nce of anything\\n\\nlast login: yesterday"
    #expect(try await ask(["echo so"], in: shell, noise: motd).first??.output == "so\n")
  }

  @Test("a start-up file that reads the script's first line is found out", arguments: shells)
  func swallowed(shell: String) async throws {
    let script = ObservationScript(
      [FactRequest(id: FactID("a"), command: "echo a")], nonce: "n0nce")
    let output = try await LocalHost.shell.run(
      Command(
        "read -r line; \(shell) -s", input: .secret(script.text(key: key, now: 1_700_000_000))))
    let error = #expect(throws: Diagnostic.self) { try script.answers(in: output.output) }
    #expect(error?.summary == "the answers cannot be relied on")
  }

  @Test("an answer that looks like a frame stays an answer", arguments: shells)
  func lookalike(shell: String) async throws {
    let text = "guess end 0 0\nguess begin 1\nguess done\n"
    let answers = try await ask(["printf '\(text)'", "echo two"], in: shell)
    #expect(answers.map { $0?.output } == [text, "two\n"])
  }

  @Test("a fact breaks only for itself", arguments: shells)
  func broken(shell: String) async throws {
    let commands = [
      "echo 'unclosed", "if then fi", "cat; echo read nothing", "echo hidden >&2; kill -9 0x",
      "no-such-program-here", "set -e; false; echo not reached", "echo well",
    ]
    let answers = try await ask(commands, in: shell)
    #expect(answers.allSatisfy { $0 != nil })
    #expect(answers[0]?.status != 0)
    #expect(answers[1]?.status != 0)
    #expect(answers[2] == FactAnswer(status: 0, output: "read nothing\n"))
    #expect(answers[3]?.output == "")
    #expect(answers[4]?.status == 127)
    #expect(answers[5] == FactAnswer(status: 1, output: ""))
    #expect(answers[6] == FactAnswer(status: 0, output: "well\n"))
  }

  @Test("a fact that prints without end is stopped and named", arguments: shells)
  func endless(shell: String) async throws {
    for endless in ["while :; do echo more; done", "yes"] {
      let error = await #expect(throws: Diagnostic.self) {
        try await ask(["echo well", endless, "echo late"], in: shell, limit: 64 * 1024)
      }
      #expect(error?.summary == "the answers are longer than 64 KiB")
      #expect(error?.reason == "fact-1 did not come to its end before that")
    }
  }

  @Test("the fingerprint is the one that is agreed", arguments: shells)
  func fingerprint(shell: String) async throws {
    let answers = try await ask(["printf value | helix_fingerprint"], in: shell)
    // printf "%s:%s" "$key" "$(printf "%s:value" "$key" | sha256sum | cut -c1-64)" | sha256sum
    let agreed = "828a68fb1dc65c22c554868d75b1a8c61c39bd39ee6343355802ed906ef9dd1e"
    #expect(answers[0] == FactAnswer(status: 0, output: agreed + "\n"))
  }

  @Test("the key is in no environment and in no argv", arguments: shells)
  func hiddenKey(shell: String) async throws {
    let look = "env; cat /proc/self/environ /proc/$$/environ /proc/$$/cmdline | tr '\\0' '\\n'"
    let answers = try await ask([look, "echo ${#HELIX_KEY}"], in: "HELIX_KEY=old \(shell)")
    #expect(answers[0]?.output.contains("LC_ALL=C") == true)
    #expect(answers[0]?.output.contains("the key") == false)
    #expect(answers[1]?.output == "12\n")
  }

  @Test("answers that break off are no answers", arguments: [0.2, 0.6, 0.99])
  func cut(share: Double) throws {
    let script = ObservationScript(
      ["a", "b"].map { FactRequest(id: FactID($0), command: $0) }, nonce: "n0nce")
    let whole =
      "\nn0nce begin 0\nA\nn0nce end 0 0\n\nn0nce begin 1\nB\nn0nce end 1 0\n\nn0nce done\n"
    #expect(try script.answers(in: whole).count == 2)
    let part = String(whole.prefix(Int(Double(whole.count) * share)))
    let error = #expect(throws: Diagnostic.self) { try script.answers(in: part) }
    #expect(error?.summary.hasPrefix("the answers break off after") == true)
  }
}
