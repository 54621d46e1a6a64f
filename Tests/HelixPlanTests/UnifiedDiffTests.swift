import Foundation
import HelixPlan
import TestSupport
import Testing

@Suite("a unified diff says what diff -u says")
struct UnifiedDiffTests {
  @Test("random texts give a diff that patch applies", arguments: 0..<40)
  func patchApplies(seed: Int) throws {
    var random = Seeded(seed)
    let old = text(using: &random)
    let new = text(using: &random)
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("helix-diff-\(ProcessInfo.processInfo.processIdentifier)-\(seed)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let target = folder.appendingPathComponent("text")
    try old.write(to: target, atomically: true, encoding: .utf8)
    let diff = unifiedDiff(from: old, to: new)
    try "--- text\n+++ text\n\(diff)\n".write(
      to: folder.appendingPathComponent("diff"), atomically: true, encoding: .utf8)
    if old != new {
      let patch = try run(
        "patch", ["--quiet", "--directory", folder.path, "--input", "diff", "text"])
      #expect(patch.status == 0, "\(patch.all)")
    }
    #expect((try? String(contentsOf: target, encoding: .utf8)) ?? "" == new)
  }

  @Test("equal texts have no diff")
  func equal() { #expect(unifiedDiff(from: "a\nb\n", to: "a\nb\n").isEmpty) }

  @Test("a change in the middle keeps three lines around it")
  func middle() {
    let old = (1...9).map { "\($0)\n" }.joined()
    let diff = unifiedDiff(from: old, to: old.replacingOccurrences(of: "5", with: "five"))
    #expect(diff == "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8")
  }

  @Test("a newline missing at the end is marked")
  func missingNewline() {
    #expect(
      unifiedDiff(from: "a\n", to: "a")
        == "@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file")
  }

  private func text(using random: inout Seeded) -> String {
    let lines = (0..<Int.random(in: 0...14, using: &random)).map { _ in
      String(Int.random(in: 0...5, using: &random))
    }
    let end = lines.isEmpty || Bool.random(using: &random) ? "" : "\n"
    return lines.joined(separator: "\n") + end
  }
}
