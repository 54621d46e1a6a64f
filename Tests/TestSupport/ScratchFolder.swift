import Foundation

/// A folder of one test, readable by its owner alone and gone when the test is over.
package final class ScratchFolder: Sendable {
  package let path: String

  package init() throws {
    // Short, since sockets have their places in it.
    path = NSTemporaryDirectory() + "helix-test-" + UUID().uuidString.prefix(8).lowercased()
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of something in it.
  package func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Makes a folder in it; its path.
  @discardableResult
  package func folder(_ name: String) throws -> String {
    try FileManager.default.createDirectory(
      atPath: file(name), withIntermediateDirectories: true)
    return file(name)
  }

  /// Writes a file, and the folders it stands in; its path.
  @discardableResult
  package func write(_ text: String, to name: String, mode: Int = 0o600) throws -> String {
    try write(Array(text.utf8), to: name, mode: mode)
  }

  /// Writes a file, and the folders it stands in; its path.
  @discardableResult
  package func write(_ bytes: [UInt8], to name: String, mode: Int = 0o600) throws -> String {
    let url = URL(fileURLWithPath: file(name))
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    // In one piece: what is under test may be reading the file.
    try Data(bytes).write(to: url, options: .atomic)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: url.path)
    return url.path
  }

  /// Writes a program, and the folders it stands in; its path.
  @discardableResult
  package func program(_ text: String, _ name: String) throws -> String {
    let url = URL(fileURLWithPath: file(name))
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try writeProgram(text, to: url.path)
    return url.path
  }

  /// What a file holds; empty when it cannot be read.
  package func text(of name: String) -> String {
    (try? String(contentsOfFile: file(name), encoding: .utf8)) ?? ""
  }

  /// The permission bits of a file.
  package func mode(of name: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: file(name))[.posixPermissions] as? Int
  }

  /// The paths of all files below a folder, in order.
  package func files(below name: String) -> [String] {
    let all = FileManager.default.enumerator(atPath: file(name))
    return (all?.compactMap { $0 as? String } ?? []).filter { path in
      var status = stat()
      return stat("\(file(name))/\(path)", &status) == 0
        && status.st_mode & S_IFMT == S_IFREG
    }.sorted()
  }
}
