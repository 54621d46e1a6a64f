import Foundation
import Testing

/// The rooms and what each may import (docs/the-way.md has the same table in words).
private let importTable: [String: Set<String>] = [
  "helix-infra": ["HelixCLI", "ArgumentParser"],
  "HelixCLI": [
    "HelixAge", "HelixArtifacts", "HelixInventory", "HelixKinds", "HelixModel", "HelixPlan",
    "HelixPlaybooks", "HelixRun", "HelixSecrets", "HelixSOPS", "HelixSSH", "ArgumentParser",
    "Logging",
  ],
  "HelixTemplates": ["HelixModel"],
  "HelixInventory": ["HelixModel", "HelixTemplates", "Yams"],
  "HelixPlaybooks": ["HelixModel", "HelixTemplates", "HelixInventory", "Yams"],
  "HelixPlan": ["HelixModel"],
  "HelixKinds": ["HelixModel", "HelixPlan"],
  "HelixRun": ["HelixModel", "HelixPlan"],
  "HelixSSH": ["HelixModel", "CLibSSH2"],
  "HelixAge": ["HelixModel", "Crypto", "CryptoExtras"],
  "HelixSOPS": ["HelixModel", "HelixAge", "Crypto", "Yams"],
  "HelixSecrets": ["HelixModel", "HelixAge", "HelixSOPS", "Crypto"],
  "HelixArtifacts": ["HelixModel", "Crypto"],
  "HelixModel": [],
]

/// Rooms that only compute: no waiting, no clock, no chance, no files, no network.
private let pureRooms: Set<String> = [
  "HelixModel", "HelixPlan", "HelixKinds", "HelixTemplates", "HelixPlaybooks", "HelixInventory",
]

/// Pure rooms that do without Foundation altogether.
private let bareRooms: Set<String> = ["HelixModel", "HelixPlan", "HelixKinds", "HelixTemplates"]

/// What comes with the toolchain and every room that is not bare may use.
private let platform: Set<String> = [
  "Dispatch", "Foundation", "FoundationEssentials", "FoundationNetworking", "Glibc", "Darwin",
  "Synchronization",
]

@Suite("the house keeps its rules")
struct HouseRulesTests {
  @Test("every import line is in the table", arguments: importTable.keys.sorted())
  func imports(room: String) throws {
    let allowed = try #require(importTable[room])
    let further: Set<String> = bareRooms.contains(room) ? [] : platform
    for file in try sources(of: room) {
      for (number, line) in file.lines.enumerated() {
        guard let module = importedModule(line) else { continue }
        #expect(
          allowed.contains(module) || further.contains(module),
          "\(file.path):\(number + 1) imports \(module), which \(room) may not")
      }
    }
  }

  @Test("the table names every room there is")
  func tableIsWhole() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: root + "/Sources")
    #expect(Set(folders) == Set(importTable.keys).union(["CLibSSH2"]))
  }

  @Test("libssh2 stays behind one door and out of its signatures")
  func oneDoorToC() throws {
    for room in importTable.keys {
      for file in try sources(of: room) {
        for line in file.lines where importedModule(line) == "CLibSSH2" {
          #expect(room == "HelixSSH", "\(file.path)")
          #expect(line.hasPrefix("private import") || line.hasPrefix("internal import"))
        }
      }
    }
  }

  @Test("rooms that only compute never wait", arguments: pureRooms.sorted())
  func pureRoomsAreSynchronous(room: String) throws {
    let ports = "/HelixModel/Ports/"
    for file in try sources(of: room) where !file.path.contains(ports) {
      for (number, line) in file.code.enumerated() {
        for word in ["async", "await", "Date()", "random("] {
          #expect(
            !hasWord(line, word), "\(file.path):\(number + 1) has \(word), but \(room) is pure")
        }
      }
    }
  }

  @Test("only the console prints")
  func nobodyPrints() throws {
    for room in importTable.keys {
      for file in try sources(of: room) {
        for (number, line) in file.code.enumerated() {
          #expect(!hasWord(line, "print("), "\(file.path):\(number + 1) prints")
        }
      }
    }
  }

  @Test("no crash is written on purpose")
  func noTraps() throws {
    for room in importTable.keys {
      for file in try sources(of: room) {
        for (number, line) in file.code.enumerated() {
          for word in ["fatalError(", "try!", "as!", "preconditionFailure("] {
            #expect(!line.contains(word), "\(file.path):\(number + 1) has \(word)")
          }
        }
      }
    }
  }

  @Test("every package-level declaration says in a sentence what it is")
  func documented() throws {
    let starts = [
      "package struct ", "package enum ", "package protocol ", "package actor ",
      "package final class ", "package func ",
    ]
    for room in importTable.keys {
      for file in try sources(of: room) {
        for (number, line) in file.lines.enumerated() where starts.contains(where: line.hasPrefix) {
          var above = number - 1
          while above >= 0, file.lines[above].hasPrefix("@") { above -= 1 }
          #expect(
            above >= 0 && file.lines[above].hasPrefix("///"),
            "\(file.path):\(number + 1) has no doc comment")
        }
      }
    }
  }
}

private struct SourceFile {
  let path: String
  let lines: [String]

  /// The lines without their comments.
  var code: [String] {
    lines.map { line in
      guard let mark = line.range(of: "//") else { return line }
      return String(line[..<mark.lowerBound])
    }
  }
}

private let root = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

private func sources(of room: String) throws -> [SourceFile] {
  let folder = "\(root)/Sources/\(room)"
  let names = try FileManager.default.subpathsOfDirectory(atPath: folder)
  return try names.filter { $0.hasSuffix(".swift") }.sorted().map { name in
    let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
    return SourceFile(path: "Sources/\(room)/\(name)", lines: text.components(separatedBy: "\n"))
  }
}

private func importedModule(_ line: String) -> String? {
  var words = line.split(separator: " ")
  while let first = words.first,
    ["package", "private", "internal", "public", "@preconcurrency", "@testable"].contains(first)
  {
    words.removeFirst()
  }
  guard words.first == "import", words.count > 1 else { return nil }
  return String(words.last ?? "").split(separator: ".").first.map(String.init)
}

/// Whether a word stands alone in code; what is in quotation marks is not code.
private func hasWord(_ line: String, _ word: String) -> Bool {
  let code = line.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
    .filter { $0.offset.isMultiple(of: 2) }.map(\.element).joined(separator: " ")
  guard let range = code.range(of: word) else { return false }
  let after = code[range.upperBound...].first
  let goesOn = word.last?.isLetter == true && after?.isLetter == true
  guard let before = code[..<range.lowerBound].last, !goesOn else { return !goesOn }
  return !(before.isLetter || before.isNumber || before == "_" || before == ".")
}
