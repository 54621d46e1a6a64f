import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

/// The real `ssh`, asked how it understands a configuration.
enum SSHClient {
  static let program = "/usr/bin/ssh"
  /// In CI a missing ssh fails the tests rather than skipping them.
  static let isAvailable =
    FileManager.default.isExecutableFile(atPath: program)
    || ProcessInfo.processInfo.environment["CI"] == "true"

  /// What `ssh -G` prints, by keyword; nil when it refuses.
  static func understands(_ arguments: [String]) throws -> [String: [String]]? {
    let folder = try ScratchFolder()
    try LocalProcess([program, "-G"] + arguments, log: folder.file("output")).wait()
    var values: [String: [String]] = [:]
    for line in folder.text(of: "output").split(separator: "\n") {
      let parts = line.split(separator: " ", maxSplits: 1)
      values[String(parts[0]), default: []].append(parts.count > 1 ? String(parts[1]) : "")
    }
    return values["hostname"] == nil ? nil : values
  }

  /// Algorithms that it knows for a keyword.
  static func algorithms(_ keyword: String) throws -> [String] {
    try runLocally(program, "-Q", keyword).split(separator: "\n").map(String.init)
  }

  /// The person whom ssh takes for the caller: it looks into the user database only.
  static var local: LocalUser {
    guard let entry = getpwuid(getuid()) else { return .current }
    return LocalUser(
      name: String(cString: entry.pointee.pw_name), home: String(cString: entry.pointee.pw_dir),
      agentSocket: LocalUser.variable("SSH_AUTH_SOCK"))
  }
}

/// A configuration and the calls of ssh that it is read for.
struct SSHConfigCase: CustomTestStringConvertible, Sendable {
  var title: String
  var calls: [String] = []
  var config: [String] = []
  /// Further files by name.
  var files: [(name: String, lines: [String])] = []

  var testDescription: String { title }

  /// All cases of the fixture folder.
  static let all: [SSHConfigCase] = {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/ssh-config").path
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasSuffix(".cases") }.sorted().flatMap { name in
      let text = (try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)) ?? ""
      return cases(text, group: String(name.dropLast(6)))
    }
  }()

  private static func cases(_ text: String, group: String) -> [SSHConfigCase] {
    var cases: [SSHConfigCase] = []
    for line in text.components(separatedBy: "\n") {
      if line.hasPrefix("=== ") {
        cases.append(SSHConfigCase(title: "\(group): \(line.dropFirst(4))"))
        continue
      }
      guard let last = cases.indices.last else { continue }
      if line.hasPrefix("$ ") {
        cases[last].calls.append(String(line.dropFirst(2)))
      } else if line.hasPrefix("--- ") {
        cases[last].files.append((String(line.dropFirst(4)), []))
      } else if let file = cases[last].files.indices.last {
        cases[last].files[file].lines.append(line)
      } else {
        cases[last].config.append(line)
      }
    }
    return cases
  }

  /// Writes the case into a folder; the configuration's path.
  func write(to folder: ScratchFolder) throws -> String {
    func text(_ lines: [String]) -> String {
      lines.joined(separator: "\n").replacing("@HERE@", with: folder.path)
    }
    for file in files { try folder.write(text(file.lines), to: file.name) }
    return try folder.write(text(config), to: "config")
  }

  /// A call's words, with the configuration named unless it names one itself.
  func words(_ call: String, _ folder: ScratchFolder, config: String) throws -> [String] {
    let text = call.replacing("@HERE@", with: folder.path)
    let place = SourceLocation(file: "", line: 1, column: 1)
    let words = try LineScanner(Array(text.utf8), .somewhere(place)).words().map(\.value)
    return words.contains("-F") ? words : ["-F", config] + words
  }
}
