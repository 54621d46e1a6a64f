import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixInventory

/// `ansible-inventory`, when it is on this machine.
enum Oracle {
  static let program: String? = {
    let environment = ProcessInfo.processInfo.environment
    let folders =
      [environment["HELIX_ORACLES"].map { $0 + "/bin" }].compactMap { $0 }
      + (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    return folders.map { $0 + "/ansible-inventory" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  /// On a build server the oracle must be there; elsewhere its absence skips the tests by name.
  static var mustRun: Bool {
    program != nil || ProcessInfo.processInfo.environment["CI"] == "true"
  }

  static let whyNot: Comment =
    "ansible-inventory is neither on PATH nor in $HELIX_ORACLES/bin (pip install ansible-core)"

  static func ask(_ arguments: [String], about file: URL) throws -> String {
    try answer(of: try #require(program), ["-i", file.path] + arguments)
  }

  /// Runs a script with the Python that Ansible itself runs on.
  static func python(_ script: URL, _ arguments: [String]) throws -> String {
    let program = try String(contentsOfFile: try #require(program), encoding: .utf8)
    let first = try #require(program.split(separator: "\n").first)
    return try answer(of: String(first.dropFirst(2)), [script.path] + arguments)
  }

  private static func answer(of program: String, _ arguments: [String]) throws -> String {
    var environment = ProcessInfo.processInfo.environment
    environment["LC_ALL"] = "C.UTF-8"
    environment["ANSIBLE_NOCOLOR"] = "1"
    environment["ANSIBLE_LOCALHOST_WARNING"] = "0"
    let ran = try run(program, arguments, environment: environment)
    try #require(ran.status == 0, "\(ran.all)")
    return ran.output.hasSuffix("\n") ? String(ran.output.dropLast()) : ran.output
  }
}

@Suite("Beside ansible-inventory", .enabled(if: Oracle.mustRun, Oracle.whyNot), .serialized)
struct OracleTests {
  static let folders = FixtureFolder.all("good") + [FixtureFolder.own]

  private func hostsFile(of folder: FixtureFolder) throws -> URL {
    let names = try #require(folder.reader.names(in: "inventory"))
    let name = try #require(AnsibleReader.hostsFiles.first(where: names.contains))
    return folder.url.appendingPathComponent(name)
  }

  /// Compares by lines, so that a failure shows where.
  private func expectSame(_ ours: String, _ theirs: String) {
    #expect(
      ours.split(separator: "\n", omittingEmptySubsequences: false)
        == theirs.split(separator: "\n", omittingEmptySubsequences: false))
  }

  @Test("--list and --graph are the same, byte for byte", arguments: folders)
  func listings(folder: FixtureFolder) throws {
    let inventory = try InventoryReader.read(folder: "inventory", reader: folder.reader)
    let file = try hostsFile(of: folder)
    expectSame(InventoryListing.list(inventory), try Oracle.ask(["--list"], about: file))
    try expectSame(InventoryListing.graph(inventory), Oracle.ask(["--graph"], about: file))
  }

  @Test("--host is the same, byte for byte")
  func host() throws {
    let folder = try #require(FixtureFolder.all("good").first { $0.name == "precedence" })
    let inventory = try InventoryReader.read(folder: "inventory", reader: folder.reader)
    let file = try hostsFile(of: folder)
    for name in inventory.hosts.map(\.name) {
      try expectSame(
        InventoryListing.host(name, in: inventory),
        Oracle.ask(["--host", name.rawValue], about: file))
    }
  }

  /// Ansible passes over names that it does not know; here they are errors, so each pattern is
  /// compared where its names exist, which must be in one inventory at least.
  @Test("host patterns select the same hosts in the same order")
  func patterns() throws {
    let root = FixtureFolder.root.appendingPathComponent("oracle")
    let list = root.appendingPathComponent("patterns.txt")
    let patterns = try String(contentsOf: list, encoding: .utf8).split(separator: "\n")
    var compared: Set<Substring> = []
    for name in ["precedence", "ranges-and-merges", "reference"] {
      let folder = try #require(FixtureFolder.all("good").first { $0.name == name })
      let inventory = try InventoryReader.read(folder: "inventory", reader: folder.reader)
      let theirs = try Oracle.python(
        root.appendingPathComponent("patterns.py"), [hostsFile(of: folder).path, list.path])
      for (pattern, answer) in zip(patterns, theirs.split(separator: "\n")) {
        let text = Located(
          String(pattern), at: HelixModel.SourceLocation(file: "p", line: 1, column: 1))
        guard let hosts = try? HostPattern(text).select(from: inventory) else { continue }
        #expect("\(pattern) = " + hosts.map(\.rawValue).joined(separator: " ") == answer)
        compared.insert(pattern)
      }
    }
    #expect(patterns.filter { !compared.contains($0) } == [])
  }

  @Test("plain scalars mean the same")
  func scalars() throws {
    let root = FixtureFolder.root.appendingPathComponent("oracle")
    let list = root.appendingPathComponent("scalars.txt")
    let lines = try String(contentsOf: list, encoding: .utf8).split(separator: "\n")
    let ours = try lines.map { line in
      let document = try YAMLReader.read("- \(line)\n", file: "s")[0]
      let value = try #require(document.list?.first?.value)
      return "\(line) = \(JSONText.write(value))"
    }
    let theirs = try Oracle.python(root.appendingPathComponent("scalars.py"), [list.path])
    expectSame(ours.joined(separator: "\n"), theirs)
  }
}
