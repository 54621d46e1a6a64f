import Foundation
import HelixModel
import HelixSecrets
import TestSupport
import Testing

/// What a host runs for its own copy of a value, as `Fingerprinter` documents it.
private let hostScript = #"""
  IFS= read -r key
  inner=$({ printf '%s:' "$key"; cat FILE; } | sha256sum | cut -c1-64)
  printf '%s:%s' "$key" "$inner" | sha256sum | cut -c1-64
  """#

@Suite("fingerprints")
struct FingerprintTests {
  let scratch: ScratchFolder
  let key: SecretValue
  let fingerprinter: KeyedFingerprinter

  init() throws {
    scratch = try ScratchFolder()
    let folder = try scratch.folder("secrets")
    try scratch.write("canary-7f3c9a51\n", to: "secrets/token")
    key = try FingerprintKeyFile(path: "\(scratch.path)/state/fingerprint-key").key()
    fingerprinter = KeyedFingerprinter(key: key, secrets: FolderSecretStore(folder: folder))
  }

  @Test(
    "a host computes the same fingerprint with sha256sum alone",
    arguments: [
      "", "\n", "short", "token: %s\\n \"'$(x)`é‹›\n\n", String(repeating: "x", count: 9999),
    ])
  func oracle(value: String) throws {
    let file = try scratch.write(value, to: "copy")
    let script = hostScript.replacing("FILE", with: file)
    let line = String(decoding: key.reveal(), as: UTF8.self) + "\n"
    let theirs = try output(of: "/bin/sh", ["-c", script], input: line)
    #expect(try fingerprinter.fingerprint(of: TemplateText(value)) == theirs)
  }

  @Test("secrets are filled in before the fingerprint is taken")
  func filled() throws {
    let named: TemplateText = "token: \(secret: SecretName("token"))\n"
    let filled: TemplateText = "token: canary-7f3c9a51\n"
    #expect(
      try fingerprinter.fingerprint(of: named) == fingerprinter.fingerprint(of: filled))
  }

  @Test("another key gives another fingerprint")
  func keyed() throws {
    let other = try FingerprintKeyFile(path: "\(scratch.path)/other-key").key()
    let stranger = KeyedFingerprinter(key: other, secrets: FolderSecretStore(folder: scratch.path))
    #expect(try stranger.fingerprint(of: "x") != fingerprinter.fingerprint(of: "x"))
  }

  @Test("text with a part still to be learned has no fingerprint")
  func learned() throws {
    #expect(try fingerprinter.fingerprint(of: "a\(learned: LearnedName("id"))") == nil)
  }

  @Test("an unknown secret is told even where a part is still to be learned")
  func unknown() throws {
    let text: TemplateText = "\(learned: LearnedName("id"))\(secret: SecretName("tokem"))"
    let problem = try #require(throws: Diagnostic.self) {
      try fingerprinter.fingerprint(of: text)
    }
    #expect(problem.summary == "no secret named \"tokem\"")
    #expect(!shown(problem).contains("canary"))
  }

  @Test("what a foreign store throws is not quoted")
  func foreignError() throws {
    let careless = KeyedFingerprinter(key: key, secrets: CarelessStore())
    let problem = try #require(throws: Diagnostic.self) {
      try careless.fingerprint(of: "\(secret: SecretName("token"))")
    }
    #expect(!shown(problem).contains("canary"))
  }

  @Test("a digest is what sha256sum prints", arguments: ["", "abc", "é\n"])
  func digest(text: String) throws {
    let line = try output(of: "/bin/sh", ["-c", "sha256sum | cut -c1-64"], input: text)
    #expect(fingerprinter.digest(of: text) == line)
  }

  @Test("a fingerprinter shows neither key nor value when it is printed")
  func printed() {
    #expect(!shown(fingerprinter).contains(String(decoding: key.reveal(), as: UTF8.self)))
  }
}

/// A store whose errors give the value away.
private struct CarelessStore: SecretStore {
  struct Told: Error { let value: String }

  func value(of name: SecretName) throws -> SecretValue {
    throw Told(value: "canary")
  }
}

@Suite("the fingerprint key's file")
struct FingerprintKeyFileTests {
  let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  @Test("a key is drawn once, in a file and a folder of its owner's alone")
  func drawnOnce() throws {
    let file = FingerprintKeyFile(path: "\(scratch.path)/state/fingerprint-key")
    let key = try file.key().reveal()
    #expect(key.count == 64)
    #expect(try file.key().reveal() == key)
    #expect(try scratch.mode(of: "state/fingerprint-key") == 0o600)
    #expect(try scratch.mode(of: "state") == 0o700)
    let left = try FileManager.default.contentsOfDirectory(atPath: "\(scratch.path)/state")
    #expect(left == ["fingerprint-key"])
  }

  @Test("runs that start at once agree on one key")
  func race() async throws {
    let file = FingerprintKeyFile(path: "\(scratch.path)/state/fingerprint-key")
    let keys = try await withThrowingTaskGroup(of: [UInt8].self) { group in
      for _ in 0..<16 { group.addTask { try file.key().reveal() } }
      return try await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
    }
    #expect(keys.count == 1)
  }

  @Test(
    "a file that is not a key is refused and left alone",
    arguments: ["", "canary", String(repeating: "A", count: 64), String(repeating: "a", count: 65)])
  func notAKey(text: String) throws {
    let path = try scratch.write(text, to: "fingerprint-key")
    let problem = try #require(throws: Diagnostic.self) { try FingerprintKeyFile(path: path).key() }
    #expect(problem.summary == "\(path) is not a fingerprint key")
    #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
    #expect(!shown(problem).contains("canary"))
  }

  @Test("a key that others can read is refused")
  func openMode() throws {
    let path = try scratch.write(
      String(repeating: "a", count: 64), to: "fingerprint-key", mode: 0o644)
    let problem = try #require(throws: Diagnostic.self) { try FingerprintKeyFile(path: path).key() }
    #expect(problem.remedy == "chmod 600 \(path)")
  }

  @Test("a folder that cannot be made is told")
  func noFolder() throws {
    let file = FingerprintKeyFile(path: "\(scratch.path)/not/there/key")
    let problem = try #require(throws: Diagnostic.self) { try file.key() }
    #expect(problem.summary.hasSuffix("cannot be kept"))
  }

  @Test("the environment can name another file; an empty value names none")
  func environment() {
    let name = "HELIX_FINGERPRINT_KEY_FILE"
    #expect(FingerprintKeyFile(environment: [name: "/keys/a"]).path == "/keys/a")
    #expect(FingerprintKeyFile(environment: [name: ""]).path == ".helix-infra/fingerprint-key")
    #expect(FingerprintKeyFile(environment: [:]).path == ".helix-infra/fingerprint-key")
  }
}
