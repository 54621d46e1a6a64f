import FoundationEssentials
import Glibc
package import HelixModel

/// The records of earlier runs.
package enum RunHistory {
  /// A record by its name, before anything in it was read.
  package struct Entry: Hashable, Sendable {
    package let path: String
    /// As in the file's name: `20261121T054532Z`.
    package let started: String
    package let pid: Int
  }

  /// What a record says.
  package struct Reading: Sendable {
    package let lines: [RunRecord.Line]
    /// Whether the last line breaks off: the run was killed while it wrote.
    package let isCut: Bool

    /// Whether the run came to its end.
    package var isComplete: Bool {
      lines.contains { if case .runEnded = $0.event { true } else { false } }
    }
  }

  /// All records of a folder's `runs`, oldest first; other files are passed over.
  package static func list(in folder: String = StateFolder.path) -> [Entry] {
    let runs = "\(folder)/runs"
    return names(in: runs).sorted().compactMap { name in
      guard name.hasSuffix(".jsonl") else { return nil }
      let halves = name.dropLast(".jsonl".count).split(separator: "-")
      guard halves.count == 2, let pid = Int(halves[1]) else { return nil }
      return Entry(path: "\(runs)/\(name)", started: String(halves[0]), pid: pid)
    }
  }

  /// - Throws: a `Diagnostic` when there is no such record, or a line in its middle is none.
  package static func read(_ path: String) throws(Diagnostic) -> Reading {
    guard let bytes = try contents(of: path) else { throw Diagnostic("no run record \(path)") }
    let rows = bytes.split(separator: UInt8(ascii: "\n"))
    let isUnended = bytes.last.map { $0 != UInt8(ascii: "\n") } ?? false
    var lines: [RunRecord.Line] = []
    for (index, row) in rows.enumerated() {
      do {
        lines.append(try line(Data(row)))
      } catch {
        if isUnended, index == rows.count - 1 { return Reading(lines: lines, isCut: true) }
        throw unreadable(path, line: index + 1, error)
      }
    }
    return Reading(lines: lines, isCut: false)
  }

  private static func line(_ row: Data) throws -> RunRecord.Line {
    struct Version: Decodable { let version: Int }
    let decoder = JSONDecoder()
    let version = try decoder.decode(Version.self, from: row).version
    guard version <= RunRecord.currentVersion else { throw NewerVersion(version: version) }
    return try decoder.decode(RunRecord.Line.self, from: row)
  }

  private struct NewerVersion: Error { let version: Int }

  private static func unreadable(_ path: String, line: Int, _ error: any Error) -> Diagnostic {
    let location = SourceLocation(file: path, line: line, column: 1)
    guard let newer = error as? NewerVersion else {
      return Diagnostic("this line is no event", reason: "\(error)", at: location)
    }
    return Diagnostic(
      "the record has version \(newer.version)",
      reason: "this helix-infra reads version \(RunRecord.currentVersion) and older",
      remedy: "read it with the helix-infra that wrote it, or a later one", at: location)
  }
}
