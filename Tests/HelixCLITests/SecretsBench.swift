import Foundation
import TestSupport
import Testing

/// A repository of a test's own, with a home that has no keys of anybody's.
final class SecretsBench {
  static let binary = repository.appendingPathComponent(".build/debug/helix-infra").path
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("helix-secrets-\(UUID().uuidString)")

  init() throws {
    for name in ["home", "tmp", "secrets", "stdin"] {
      try FileManager.default.createDirectory(
        at: folder.appendingPathComponent(name), withIntermediateDirectories: true)
    }
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// Runs helix-infra in the folder, with some text on its standard input.
  func helix(
    _ arguments: [String], input: String = "", _ variables: [String: String] = [:]
  ) throws -> Ran {
    try begin(arguments, input: input, variables).finish()
  }

  func secrets(
    _ arguments: String..., input: String = "", with variables: [String: String] = [:]
  ) throws -> Ran {
    try helix(["secrets"] + arguments, input: input, variables)
  }

  func begin(
    _ arguments: [String], input: String = "", _ variables: [String: String] = [:]
  ) throws -> Running {
    let stdin = folder.appendingPathComponent("stdin/\(UUID().uuidString)")
    try Data(input.utf8).write(to: stdin)
    let environment = [
      "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
      "HOME": folder.appendingPathComponent("home").path,
      "TMPDIR": folder.appendingPathComponent("tmp").path,
      "SOPS_AGE_KEY_FILE": folder.appendingPathComponent("age.key").path,
    ].merging(variables) { $1 }
    return try Running(
      "/bin/sh", ["-c", #"exec "$0" "$@" <"$STDIN""#, Self.binary] + arguments, in: folder,
      environment: environment.merging(["STDIN": stdin.path]) { $1 })
  }

  /// Makes an identity and a rule for everything in `secrets/`; gives the public key.
  @discardableResult
  func prepare(rule: String = "") throws -> String {
    let made = try secrets("keygen", "-o", "age.key")
    try #require(made.status == 0, "\(made.all)")
    let recipient = made.output.trimmingCharacters(in: .newlines)
    try write(
      "creation_rules:\n  - path_regex: ^secrets/\n    age: \(recipient)\n\(rule)",
      to: ".sops.yaml")
    return recipient
  }

  /// Writes a plain file and encrypts it.
  func sealed(_ text: String, at path: String) throws {
    try write(text, to: path)
    let ran = try secrets("encrypt", "-i", path)
    try #require(ran.status == 0, "\(ran.all)")
  }

  func write(_ text: String, to path: String) throws {
    let file = folder.appendingPathComponent(path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try text.write(to: file, atomically: true, encoding: .utf8)
  }

  func text(_ path: String) throws -> String {
    try String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8)
  }

  /// A script that edits the file it is given.
  func editor(_ script: String) throws -> [String: String] {
    try write("\(script)\n", to: "home/editor")
    // By its interpreter: what was just written cannot always be executed.
    return ["SOPS_EDITOR": "sh \(folder.appendingPathComponent("home/editor").path)"]
  }

  func git(_ arguments: String...) throws {
    let ran = try run("/usr/bin/git", arguments, in: folder)
    try #require(ran.status == 0, "\(ran.all)")
  }
}
