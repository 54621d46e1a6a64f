import Foundation
import TestSupport
import Testing

@testable import HelixSecrets

@Suite(
  "plain text in memory", .serialized,
  .enabled(if: FileManager.default.isWritableFile(atPath: "/dev/shm")))
struct PlainScratchTests {
  private func folder() throws -> String {
    let path = "/dev/shm/helix-edit-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    return path
  }

  @Test("what a killed edit left is removed, and what a link there leads to is not touched")
  func stale() throws {
    let scratch = try ScratchFolder()
    let elsewhere = try scratch.write("not ours to wipe", to: "elsewhere")
    let left = try folder()
    try FileManager.default.createSymbolicLink(
      atPath: "\(left)/link", withDestinationPath: elsewhere)
    try "plain".write(toFile: "\(left)/a.yaml", atomically: false, encoding: .utf8)
    let edit = try PlainScratch(name: "a.yaml", Array("a: b\n".utf8))
    #expect(!FileManager.default.fileExists(atPath: left))
    #expect(try String(contentsOfFile: elsewhere, encoding: .utf8) == "not ours to wipe")
    edit.wipe()
  }

  @Test("what somebody edits at this moment stays")
  func living() throws {
    let first = try PlainScratch(name: "a.yaml", Array("a: b\n".utf8))
    let second = try PlainScratch(name: "b.yaml", [])
    #expect(try first.text() == Array("a: b\n".utf8))
    second.wipe()
    first.wipe()
  }
}
