import Foundation
import HelixModel
import Testing

@testable import HelixTemplates

/// The folder of this test target's fixtures.
let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

func read(_ path: String) throws -> String {
  try String(decoding: Data(contentsOf: fixtures.appending(path: path)), as: UTF8.self)
}

/// The lines of a fixture that hold something.
func lines(_ path: String) throws -> [String] {
  try read(path).split(separator: "\n").map(String.init)
}

/// The names of a folder's files with an ending, without it.
func cases(in folder: String, ending: String) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: fixtures.appending(path: folder).path)
    .filter { $0.hasSuffix(ending) }.map { String($0.dropLast(ending.count)) }.sorted()
}

/// Compares with a recorded text; `HELIX_RECORD=1` records it anew and still fails.
func expectRecorded(_ actual: String, _ path: String) throws {
  let file = fixtures.appending(path: path)
  if ProcessInfo.processInfo.environment["HELIX_RECORD"] == "1" {
    try Data(actual.utf8).write(to: file)
    Issue.record("recorded \(path)")
    return
  }
  let expected = (try? read(path)) ?? "nothing is recorded"
  #expect(actual == expected, "\(path)")
}

/// Diagnostics as people read them, without the marked line.
func shown(_ diagnostics: [Diagnostic]) -> String {
  diagnostics.map { diagnostic in
    let place = diagnostic.location.map { "\($0): " } ?? ""
    return "\(place)\(diagnostic.severity.rawValue): \(diagnostic.summary)\n"
      + (diagnostic.reason.map { "why: \($0)\n" } ?? "")
      + (diagnostic.remedy.map { "fix: \($0)\n" } ?? "")
  }.joined()
}

/// Source files in memory.
struct Files: SourceReader {
  var texts: [String: String]

  func text(of path: String) throws(Diagnostic) -> String? { texts[path] }
  func names(in folder: String) -> [String]? { nil }
}

/// The value of an expression as Python would show it.
func evaluate(_ expression: String, in variables: Variables) throws -> Value {
  let template = try Template("{{ \(expression) }}", origin: .file("expression"))
  return try template.render(variables).value
}

/// The variables that all fixtures use.
func fixtureVariables() throws -> Variables {
  var mapping = Mapping()
  for line in try lines("variables.txt") {
    let parts = line.split(separator: "=", maxSplits: 1)
    let name = parts[0].trimmingCharacters(in: .whitespaces)
    let place = SourceLocation(file: "variables.txt", line: 1, column: 1)
    let value = try evaluate(String(parts[1]), in: Variables(Mapping()))
    mapping.set(.init(key: name, keyLocation: place, value: Node(value, at: place)))
  }
  return Variables(mapping)
}
