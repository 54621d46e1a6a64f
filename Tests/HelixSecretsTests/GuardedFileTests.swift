import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSecrets

@Suite("files that are put back whole")
struct GuardedFileTests {
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  private func path(_ name: String) -> String { "\(scratch.path)/\(name)" }

  private func write(_ text: String, to name: String) throws -> GuardedFile {
    try text.write(toFile: path(name), atomically: true, encoding: .utf8)
    return try GuardedFile(reading: path(name))
  }

  private func text(_ name: String) throws -> String {
    try String(contentsOfFile: path(name), encoding: .utf8)
  }

  private var names: [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: scratch.path).sorted()) ?? []
  }

  @Test("a file keeps its mode, and a link stays a link")
  func modeAndLink() throws {
    _ = try write("old", to: "a")
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path("a"))
    try FileManager.default.createSymbolicLink(
      atPath: path("link"), withDestinationPath: path("a"))
    try GuardedFile(reading: path("link")).replace(with: Array("new".utf8))
    #expect(try text("a") == "new")
    let attributes = try FileManager.default.attributesOfItem(atPath: path("a"))
    #expect(attributes[.posixPermissions] as? Int == 0o640)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path("link")) == path("a"))
    #expect(names == ["a", "link"])
  }

  @Test("what somebody else wrote meanwhile is not written over")
  func foreignChange() throws {
    let file = try write("old", to: "a")
    _ = try write("theirs", to: "a")
    let error = #expect(throws: Diagnostic.self) { try file.replace(with: Array("ours".utf8)) }
    #expect(error?.summary.hasSuffix("was changed by somebody else meanwhile") == true)
    #expect(try text("a") == "theirs")
    #expect(names == ["a"])
  }

  @Test("of several files all are written, or none")
  func allOrNothing() throws {
    let files = [try write("1", to: "a"), try write("2", to: "b"), try write("3", to: "c")]
    // A folder in the place of the last one lets its rename fail after the others' went well.
    let last = files[2]
    try FileManager.default.removeItem(atPath: path("c"))
    try FileManager.default.createDirectory(atPath: path("c"), withIntermediateDirectories: false)
    #expect(throws: Diagnostic.self) {
      try GuardedFile.replaceAll([(files[0], [65]), (files[1], [66]), (last, [67])])
    }
    #expect(try [text("a"), text("b")] == ["1", "2"])
    #expect(names == ["a", "b", "c"])
    try GuardedFile.replaceAll([(files[0], [65]), (files[1], [66])])
    #expect(try [text("a"), text("b")] == ["A", "B"])
    #expect(names == ["a", "b", "c"])
  }

  @Test("a new file is never written over another")
  func newFile() throws {
    try NewFile.write([65], to: path("a"))
    #expect(throws: Diagnostic.self) { try NewFile.write([66], to: path("a")) }
    #expect(try text("a") == "A")
    let attributes = try FileManager.default.attributesOfItem(atPath: path("a"))
    #expect(attributes[.posixPermissions] as? Int == 0o600)
  }
}
