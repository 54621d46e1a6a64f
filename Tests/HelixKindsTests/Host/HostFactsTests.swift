import Foundation
import HelixModel
import HelixPlan
import TestSupport
import Testing

@testable import HelixKinds

/// What a host answered to the questions of `helix-infra facts`, and what that means.
struct HostFactsCase: CustomTestStringConvertible, Sendable {
  let folder: URL

  var testDescription: String { folder.lastPathComponent }

  static let all: [HostFactsCase] = {
    let root = HostCase.fixtures.appending(path: "host-facts")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
    return names.sorted().map { HostFactsCase(folder: root.appending(path: $0)) }
  }()

  /// Of each fact's file the first line is the status, the rest the output; a fact without a file
  /// was answered by nothing.
  func answers() throws -> [FactID: FactAnswer] {
    var answers: [FactID: FactAnswer] = [:]
    for request in HostFacts.requests {
      let file = folder.appending(path: "facts/\(request.id).txt")
      guard let text = try? String(contentsOf: file, encoding: .utf8) else { continue }
      let lines = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
      let status = try #require(lines.first.flatMap { Int($0) })
      answers[request.id] = FactAnswer(
        status: status, output: lines.count > 1 ? String(lines[1]) : "")
    }
    return answers
  }
}

@Suite("facts of any host")
struct HostFactsTests {
  @Test("a host's answers mean the recorded facts", arguments: HostFactsCase.all)
  func recorded(_ fixture: HostFactsCase) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let facts = try HostFacts(fixture.answers())
    let text = String(decoding: try encoder.encode(facts), as: UTF8.self) + "\n"
    try expectRecorded(text, at: fixture.folder.appending(path: "facts.json"))
  }

  @Test("there are cases")
  func casesAreFound() { #expect(HostFactsCase.all.count >= 3) }

  @Test("an answer that broke off is an error in words")
  func brokenOff() throws {
    var answers = try #require(HostFactsCase.all.first).answers()
    let id = SystemFacts.fact.request.id
    answers[id]?.output.removeLast("end:\n".count)
    let error = #expect(throws: Diagnostic.self) { try HostFacts(answers) }
    #expect(error?.summary == "the host does not say what system it runs")
    answers[id] = nil
    #expect(throws: Diagnostic.self) { try HostFacts(answers) }
  }

  @Test(
    "this machine answers, in any shell that there is", arguments: ["sh", "bash", "busybox sh"])
  func thisMachine(shell: String) throws {
    let words = shell.split(separator: " ").map(String.init)
    guard isInstalled(words[0]) else { return }
    var answers: [FactID: FactAnswer] = [:]
    for request in HostFacts.requests {
      answers[request.id] = try answer(request.command, of: words)
    }
    let facts = try HostFacts(answers)
    #expect(facts.hostname == ProcessInfo.processInfo.hostName.prefix { $0 != "." })
    #expect(facts.machine.cpus ?? 0 > 0)
    #expect(facts.memory.total ?? 0 > facts.memory.available ?? .max)
    #expect(facts.rootDisk.total ?? 0 > facts.rootDisk.available ?? .max)
    #expect(facts.uptime ?? 0 > 0)
    #expect(facts.timezone != nil)
    #expect(facts.login.user == NSUserName())
    #expect(facts.login.through == nil)
  }

  private func isInstalled(_ program: String) -> Bool {
    ["/bin", "/usr/bin"].contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
    }
  }

  private func answer(_ command: String, of shell: [String]) throws -> FactAnswer {
    let ran = try run("env", ["-u", "SUDO_USER", "LC_ALL=C"] + shell + ["-c", command])
    return FactAnswer(status: Int(ran.status), output: ran.output)
  }
}
