import Foundation
import TestSupport

/// A folder that is gone when the test is over.
final class ScratchFolder: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "helix-ssh-" + UUID().uuidString.prefix(8).lowercased()
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  @discardableResult
  func write(_ text: String, to name: String, mode: Int = 0o600) throws -> String {
    try write(Array(text.utf8), to: name, mode: mode)
  }

  @discardableResult
  func write(_ bytes: [UInt8], to name: String, mode: Int = 0o600) throws -> String {
    // In one piece: a login under way may be reading the file.
    try Data(bytes).write(to: URL(fileURLWithPath: file(name)), options: .atomic)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file(name))
    return file(name)
  }

  /// Writes a program; its path.
  @discardableResult
  func program(_ text: String, _ name: String) throws -> String {
    try writeProgram(text, to: file(name))
    return file(name)
  }

  func text(of name: String) -> String {
    (try? String(contentsOfFile: file(name), encoding: .utf8)) ?? ""
  }
}

/// Runs a program of this machine to its end; its output.
@discardableResult
func runLocally(_ command: String...) throws -> String {
  let folder = try ScratchFolder()
  try LocalProcess(command, log: folder.file("output")).wait()
  return folder.text(of: "output")
}

/// A new key pair; the path of its private half.
func makeKey(
  in folder: ScratchFolder, _ name: String, type: String = "ed25519", passphrase: String = ""
) throws -> String {
  try runLocally(
    "/usr/bin/ssh-keygen", "-q", "-t", type, "-N", passphrase, "-C", name, "-f", folder.file(name))
  return folder.file(name)
}
