internal import Foundation
package import HelixModel

/// Plain text in a file in memory, for an editor.
package struct PlainScratch: Sendable {
  private let folder: String
  private let path: String

  /// Where files lie in memory: the user's own place first.
  private static var places: [String] {
    let own = ProcessInfo.processInfo.environment["XDG_RUNTIME_DIR"] ?? ""
    return (own.hasPrefix("/") ? [own] : []) + ["/dev/shm"]
  }

  /// - Throws: a `Diagnostic` when this machine has no place that is not on a disk.
  package init(name: String, _ text: [UInt8]) throws(Diagnostic) {
    for place in Self.places {
      var template = Array("\(place)/helix-edit-XXXXXX".utf8CString)
      // Made with mode 700.
      guard mkdtemp(&template) != nil else { continue }
      folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
      path = "\(folder)/\(name)"
      do throws(Diagnostic) {
        try NewFile.write(text, to: path)
      } catch {
        rmdir(folder)
        throw error
      }
      return
    }
    throw Diagnostic(
      "there is no place in memory for the plain text",
      reason: "neither $XDG_RUNTIME_DIR nor /dev/shm can be written to, and a disk would keep it",
      remedy: "change single values instead: helix-infra secrets set")
  }

  /// Opens the text in the editor that the environment names, and waits for its end.
  ///
  /// - Throws: a `Diagnostic` when there is none, or it failed.
  package func edit() throws(Diagnostic) {
    let environment = ProcessInfo.processInfo.environment
    let editor =
      ["SOPS_EDITOR", "VISUAL", "EDITOR"].compactMap { environment[$0] }.first { !$0.isEmpty }
      ?? "vi"
    // The shell takes the editor's words apart, and leaves the keyboard's signals to it.
    let status = system("\(editor) \(shellQuoted(path))")
    guard status == 0 else {
      throw Diagnostic(
        "the editor failed", reason: "\"\(editor)\" ended with status \(status >> 8 & 0xff)",
        remedy: "name another one in SOPS_EDITOR or EDITOR")
    }
  }

  /// What the file holds now.
  package func text() throws(Diagnostic) -> [UInt8] { try GuardedFile(reading: path).bytes }

  /// Overwrites the text and removes it, and what the editor left beside it.
  package func wipe() {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
      let path = "\(folder)/\(name)"
      if let handle = FileHandle(forWritingAtPath: path),
        let size = try? handle.seekToEnd(), size < 1 << 30
      {
        try? handle.seek(toOffset: 0)
        try? handle.write(contentsOf: Data(count: Int(size)))
        try? handle.close()
      }
    }
    try? FileManager.default.removeItem(atPath: folder)
  }
}
