import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixTemplates

@Suite("templates")
struct TemplateTests {
  @Test("expressions are worth what the table says")
  func table() throws {
    let variables = try fixtureVariables()
    var answers = ""
    for line in try lines("expressions.txt") {
      let answer: String
      do {
        answer = PythonText.representation(of: try evaluate(line, in: variables))
      } catch let error as Diagnostics {
        answer = "refused: " + error.all.map(\.summary).joined(separator: "; ")
      } catch let error as Diagnostic {
        answer = "refused: " + error.summary
      }
      answers += "\(line)\n  \(answer)\n"
    }
    try expectRecorded(answers, "expressions.expected.txt")
  }

  @Test("texts are filled in", arguments: try cases(in: "texts", ending: ".j2"))
  func text(name: String) throws {
    let template = try Template(try read("texts/\(name).j2"), origin: .file("\(name).j2"))
    let result = try template.render(fixtureVariables()).value
    try expectRecorded(PythonText.string(of: result), "texts/\(name).expected.txt")
  }

  @Test("mistakes are named at their place", arguments: try cases(in: "broken", ending: ".j2"))
  func broken(name: String) throws {
    let variables = try fixtureVariables()
    var problems: [Diagnostic] = []
    do {
      let file = TextOrigin.file("\(name).j2")
      _ = try Template(try read("broken/\(name).j2"), origin: file).render(variables)
    } catch let error as Diagnostics {
      problems = error.all
    } catch let error as Diagnostic {
      problems = [error]
    }
    #expect(!problems.isEmpty)
    try expectRecorded(shown(problems), "broken/\(name).expected.txt")
  }

  @Test("the table and the texts agree with Jinja2", .enabled(if: Oracle.isUsable, Oracle.reason))
  func oracle() throws {
    let answers = try Oracle.answers()
    let recorded = try read("expressions.expected.txt").split(separator: "\n").map(String.init)
    #expect(recorded.count > 300)
    for index in stride(from: 0, to: recorded.count - 1, by: 2) {
      let expected = try #require(answers[recorded[index]], "\(recorded[index])")
      #expect(recorded[index + 1] == "  \(expected)", "\(recorded[index])")
    }
    for name in try cases(in: "texts", ending: ".j2") {
      #expect(try read("texts/\(name).expected.txt") == answers["\(name).j2"], "\(name)")
    }
  }
}

/// Python's Jinja2, where it is installed.
enum Oracle {
  static let reason: Comment = "python3 with jinja2 is not installed"

  /// Never skipped on CI: there it has to be installed.
  static var isUsable: Bool {
    ProcessInfo.processInfo.environment["CI"] == "true"
      || (try? run("python3", ["-c", "import jinja2"]))?.status == 0
  }

  static func answers() throws -> [String: String] {
    let script = fixtures.appending(path: "oracle.py").path
    let ran = try run("python3", [script, fixtures.path])
    try #require(ran.status == 0, "\(ran.all)")
    var answers: [String: String] = [:]
    for line in ran.output.split(separator: "\n") {
      let pair = try JSONDecoder().decode([String].self, from: Data(line.utf8))
      answers[pair[0]] = pair[1]
    }
    return answers
  }
}

@Suite("templates that were cut off")
struct CutTemplateTests {
  @Test("every beginning of every expression gives a value or a message")
  func beginnings() throws {
    let variables = try fixtureVariables()
    for line in try lines("expressions.txt") {
      let whole = Array("{{ \(line) }}")
      for length in 0..<whole.count {
        answer(String(whole[..<length]), variables)
        answer(String(whole[..<length]) + " }}", variables)
        answer("{{ " + String(whole[length...]), variables)
      }
    }
  }

  /// Works as long as it returns: neither a value nor a message is a crash.
  private func answer(_ text: String, _ variables: Variables) {
    _ = try? Template(text, origin: .file("cut.j2")).render(variables)
  }
}
