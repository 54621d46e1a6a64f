import Foundation
import TestSupport
import Testing

@testable import HelixSOPS

/// A folder of PGP keys with one secret key, and the agent that keeps it.
final class PGPHome {
  let environment: [String: String]
  let fingerprint: String
  private let folder: URL

  /// Makes a key; the path is short, as the agent's socket stands in it.
  init() throws {
    folder = URL(fileURLWithPath: "/tmp/hx-\(UInt32.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    environment = ProcessInfo.processInfo.environment.merging(["GNUPGHOME": folder.path]) { $1 }
    let made = try run(
      "gpg",
      [
        "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "",
        "--quick-generate-key", "Test <test@example.org>", "future-default", "default", "never",
      ], environment: environment)
    try #require(made.status == 0, "\(made.all)")
    let listed = try run(
      "gpg", ["--batch", "--with-colons", "--list-secret-keys"], environment: environment)
    let line = try #require(
      listed.output.split(separator: "\n").first { $0.hasPrefix("fpr:") }, "\(listed.all)")
    fingerprint = try #require(line.split(separator: ":").last.map(String.init))
  }

  deinit {
    _ = try? run("gpgconf", ["--kill", "all"], environment: environment)
    try? FileManager.default.removeItem(at: folder)
  }
}

@Suite("PGP keys")
struct GPGTests {
  @Test("wrap and open a data key through gpg")
  func roundTrip() throws {
    let home = try PGPHome()
    let program = GPGProgram(environment: home.environment)
    let secret = [UInt8](0..<32)
    let message = try program.encrypt(secret, for: home.fingerprint)
    #expect(message.hasPrefix("-----BEGIN PGP MESSAGE-----\n"))
    #expect(message.hasSuffix("-----END PGP MESSAGE-----"))
    #expect(try program.decrypt(message) == secret)
    let spaced =
      String(home.fingerprint.lowercased().prefix(20)) + " "
      + home.fingerprint.lowercased().dropFirst(20)
    #expect(try program.decrypt(try program.encrypt(secret, for: spaced)) == secret)
  }

  @Test("that are not at hand are told with gpg's own words")
  func unknownKey() throws {
    let home = try PGPHome()
    let program = GPGProgram(environment: home.environment)
    let problem = #expect(throws: PGPProblem.self) {
      try program.encrypt([1], for: String(repeating: "A", count: 40))
    }
    guard case .failed(let status, let lines) = problem else {
      Issue.record("\(String(describing: problem))")
      return
    }
    #expect(status == 2)
    #expect(lines.contains { $0.contains("AAAAAAAA") })
    #expect(throws: PGPProblem.self) { try program.decrypt("no message") }
  }

  @Test("are only named by fingerprints", arguments: ["", "--help", "me@example.org", "ABCD"])
  func names(name: String) {
    #expect(throws: PGPProblem.notFingerprint(name)) {
      try GPGProgram(environment: [:]).encrypt([1], for: name)
    }
  }

  @Test("are asked of the program that SOPS_GPG_EXEC names, which sees nothing in its arguments")
  func otherProgram() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("helix-gpg-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let script = folder.appendingPathComponent("other").path
    let words = "#!/bin/sh\necho \"$@\" >\"$0.words\"\ncat\necho warned >&2\n"
    try writeProgram(words, to: script)
    let program = GPGProgram(environment: ["SOPS_GPG_EXEC": script, "PATH": "/usr/bin:/bin"])
    let fingerprint = String(repeating: "0", count: 40)
    #expect(try program.encrypt(Array("canary".utf8), for: fingerprint) == "canary")
    let said = try String(contentsOfFile: script + ".words", encoding: .utf8)
    #expect(said.contains(fingerprint))
    #expect(!said.contains("canary"))
    let long = String(repeating: "x", count: 60_000)
    #expect(try program.decrypt(long) == Array(long.utf8))
    #expect(throws: PGPProblem.tooLong) {
      try program.decrypt(String(repeating: "x", count: 70_000))
    }
  }

  @Test("say so when there is no gpg")
  func noProgram() {
    let program = GPGProgram(environment: ["SOPS_GPG_EXEC": "/nowhere/gpg"])
    #expect(throws: PGPProblem.cannotStart(program: "/nowhere/gpg")) { try program.decrypt("x") }
  }
}
