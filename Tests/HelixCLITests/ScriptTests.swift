import Foundation
import TestSupport
import Testing

/// A file of commands with what they must say, and the files they work on; see `Scripts/`.
struct Script: CustomTestStringConvertible, Sendable {
  struct Run: Sendable {
    var arguments: [String]
    var expectation: String
  }

  let path: URL
  /// The first line: what the script shows.
  let sentence: String
  var runs: [Run] = []
  /// The text of the files, from the first `===` on.
  var filesText = ""

  var testDescription: String { "\(path.lastPathComponent): \(sentence)" }

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Scripts")

  static let all: [Script] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".txt") }.sorted().compactMap { name in
      try? Script(folder.appendingPathComponent(name))
    }
  }()

  init(_ path: URL) throws {
    self.path = path
    let text = try String(contentsOf: path, encoding: .utf8)
    var head = Substring(text)
    if let mark = text.range(of: "\n=== ") {
      head = text[..<mark.lowerBound]
      filesText = String(text[text.index(after: mark.lowerBound)...])
    }
    var lines = head.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    sentence = lines.removeFirst()
    for line in lines {
      if line.hasPrefix("$ helix-infra") {
        let arguments = line.dropFirst("$ helix-infra".count).split(separator: " ")
        runs.append(Run(arguments: arguments.map(String.init), expectation: ""))
      } else if !runs.isEmpty, !line.isEmpty {
        runs[runs.count - 1].expectation += line + "\n"
      }
    }
  }

  /// Writes the files into a folder.
  func layOut(in folder: URL) throws {
    for part in ("\n" + filesText).components(separatedBy: "\n=== ").dropFirst() {
      let newline = part.firstIndex(of: "\n") ?? part.endIndex
      let file = folder.appendingPathComponent(String(part[..<newline]))
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      let text = part[newline...].dropFirst()
      try (text + (text.hasSuffix("\n") ? "" : "\n")).write(
        to: file, atomically: true, encoding: .utf8)
    }
  }

  /// The script with what the runs really said.
  func recorded(_ said: [String]) -> String {
    let runs = zip(self.runs, said).map { run, said in
      "\n$ helix-infra \(run.arguments.joined(separator: " "))\n\(said)"
    }
    let files = filesText.isEmpty ? "" : "\n" + filesText
    return "\(sentence)\n\(runs.joined())\(files)"
  }
}

@Suite("the command line says what it should")
struct ScriptTests {
  @Test("a script's commands say what the script says", arguments: Script.all)
  func script(_ script: Script) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("helix-script-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try script.layOut(in: folder)
    let said = try script.runs.map { try say($0.arguments, in: folder) }
    if ProcessInfo.processInfo.environment["HELIX_RECORD"] == "1" {
      try script.recorded(said).write(to: script.path, atomically: true, encoding: .utf8)
      Issue.record("recorded; read the difference, then run without HELIX_RECORD")
    }
    for (run, said) in zip(script.runs, said) {
      #expect(said == run.expectation, "helix-infra \(run.arguments.joined(separator: " "))")
    }
  }

  @Test("there are scripts to run")
  func scriptsAreFound() { #expect(Script.all.count >= 8) }

  /// Runs the binary and tells status, answers and other words, each line marked.
  private func say(_ arguments: [String], in folder: URL) throws -> String {
    let ran = try run(
      repository.appendingPathComponent(".build/debug/helix-infra").path, arguments, in: folder,
      environment: ["PATH": "/usr/bin:/bin", "HOME": folder.path, "COLUMNS": "80"])
    return "exit \(ran.status)\n" + marked(ran.output, "out> ") + marked(ran.errors, "err> ")
  }

  private func marked(_ text: String, _ mark: String) -> String {
    var lines = text.components(separatedBy: "\n")
    if lines.last == "" { lines.removeLast() }
    return lines.map { "\(mark)\($0)\n" }.joined()
  }
}
