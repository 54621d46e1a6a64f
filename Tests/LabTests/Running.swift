import Foundation
import Testing

/// What a program said and how it ended.
struct Ran {
  let status: Int32
  let output: String
  let errors: String

  /// Everything it said, for messages of failed expectations.
  var all: String { "exit \(status)\n\(output)\n\(errors)" }
}

/// A program under way, whose words go to files, so that it never waits for a reader.
final class Running {
  private let process = Process()
  private let folder: URL

  init(_ program: String, _ arguments: [String], in workingFolder: URL? = nil) throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("helix-running-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for name in ["output", "errors"] {
      _ = FileManager.default.createFile(
        atPath: folder.appendingPathComponent(name).path, contents: nil)
    }
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.currentDirectoryURL = workingFolder
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: folder.appendingPathComponent("output"))
    process.standardError = try FileHandle(forWritingTo: folder.appendingPathComponent("errors"))
    try process.run()
  }

  var pid: Int32 { process.processIdentifier }
  var isRunning: Bool { process.isRunning }

  /// Waits for its end.
  func finish() -> Ran {
    process.waitUntilExit()
    defer { try? FileManager.default.removeItem(at: folder) }
    return Ran(status: process.terminationStatus, output: read("output"), errors: read("errors"))
  }

  private func read(_ name: String) -> String {
    let data = FileManager.default.contents(atPath: folder.appendingPathComponent(name).path)
    return String(decoding: data ?? Data(), as: UTF8.self)
  }
}

/// Runs a program to its end.
func run(_ program: String, _ arguments: [String], in folder: URL? = nil) throws -> Ran {
  try Running(program, arguments, in: folder).finish()
}

let repository = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
