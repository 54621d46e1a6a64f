import Foundation
import HelixModel
import HelixSecrets
import TestSupport
import Testing

/// A value that must never be seen; every refused file holds it.
private let canary = "canary-7f3c9a51"

@Suite("secrets of a folder")
struct FolderSecretStoreTests {
  let scratch: ScratchFolder
  let store: FolderSecretStore

  init() throws {
    scratch = try ScratchFolder()
    store = FolderSecretStore(folder: try scratch.folder("secrets"))
  }

  @Test("a value is the file without its last newline", arguments: ["", "\n"])
  func value(ending: String) throws {
    try scratch.write(canary + ending, to: "secrets/token")
    #expect(try store.value(of: SecretName("token")).reveal() == Array(canary.utf8))
  }

  @Test("a run sees one value, even when the file changes meanwhile")
  func readOnce() throws {
    try scratch.write(canary, to: "secrets/token")
    _ = try store.value(of: SecretName("token"))
    try scratch.write("another", to: "secrets/token")
    #expect(try store.value(of: SecretName("token")).reveal() == Array(canary.utf8))
  }

  @Test("a file that was refused is read again after it was put right")
  func refusedThenRight() throws {
    try scratch.write(canary, to: "secrets/token", mode: 0o644)
    #expect(throws: Diagnostic.self) { try store.value(of: SecretName("token")) }
    try scratch.write(canary, to: "secrets/token")
    #expect(try store.value(of: SecretName("token")).reveal() == Array(canary.utf8))
  }

  @Test("an unknown name gets the nearest one and the command that makes it")
  func unknown() throws {
    try scratch.write(canary, to: "secrets/k3s-token")
    let problem = try refusal(of: "k3s-tokn")
    #expect(problem.summary == "no secret named \"k3s-tokn\"")
    let remedy = try #require(problem.remedy)
    #expect(remedy.contains("did you mean \"k3s-token\"?"))
    let folder = "\(scratch.path)/secrets"
    #expect(remedy.hasSuffix("(umask 077; openssl rand -hex 32 > \(folder)/k3s-tokn)"))
  }

  @Test("the command of the remedy makes a secret that is then accepted")
  func recipeWorks() throws {
    let store = FolderSecretStore(folder: "\(scratch.path)/new folder")
    let problem = try refusal(of: "k3s-token", in: store)
    let recipe = try #require(problem.remedy).replacing("make it: ", with: "")
    // openssl is not on every machine; what matters is the mode that the line leaves behind.
    let line = recipe.replacing("openssl rand -hex 32", with: "echo \(canary)")
    _ = try output(of: "/bin/sh", ["-c", line])
    #expect(try store.value(of: SecretName("k3s-token")).reveal() == Array(canary.utf8))
    #expect(try scratch.mode(of: "new folder") == 0o700)
  }

  @Test(
    "a file that others can reach is refused",
    arguments: [0o640, 0o604, 0o644, 0o660, 0o620, 0o666])
  func mode(bits: Int) throws {
    try scratch.write(canary, to: "secrets/token", mode: bits)
    let problem = try refusal(of: "token")
    #expect(problem.summary.contains("mode \(String(bits, radix: 8))"))
    #expect(problem.remedy == "chmod 600 \(scratch.path)/secrets/token")
  }

  @Test("a file that only its owner can reach is accepted", arguments: [0o600, 0o400])
  func ownMode(bits: Int) throws {
    try scratch.write(canary, to: "secrets/token", mode: bits)
    #expect(try store.value(of: SecretName("token")).reveal() == Array(canary.utf8))
  }

  @Test(
    "what is not one line of text is refused",
    arguments: [
      ("", "is empty"), ("\n", "is empty"), (" \t\n", "is empty"),
      ("\(canary)\nmore", "more than one line"), ("\(canary)\n\n", "more than one line"),
      ("\(canary)\r\n", "carriage return"), ("\(canary)\0", "NUL"),
    ])
  func contents(text: String, words: String) throws {
    try scratch.write(text, to: "secrets/token")
    #expect(try refusal(of: "token").summary.contains(words))
  }

  @Test("bytes that are not UTF-8 are refused")
  func binary() throws {
    try scratch.write(Array(canary.utf8) + [0xC3, 0x28], to: "secrets/token")
    #expect(try refusal(of: "token").summary.contains("not UTF-8"))
  }

  @Test("a file too large for a secret is refused")
  func large() throws {
    try scratch.write(String(repeating: canary, count: 10_000), to: "secrets/token")
    #expect(try refusal(of: "token").summary.contains("larger than 64 KiB"))
  }

  @Test(
    "a name that is not a plain file name is refused",
    arguments: ["", ".", "..", "../outside", "a/b", "/etc/shadow", ".hidden", "a\0b", "a\nb"])
  func names(name: String) throws {
    try scratch.write(canary, to: "outside")
    #expect(try refusal(of: name).summary.contains("cannot be a secret's name"))
  }

  @Test("a link that leads out of the folder is refused, one within it is followed")
  func links() throws {
    let outside = try scratch.write(canary, to: "outside")
    try scratch.write(canary, to: "secrets/inside")
    let files = FileManager.default
    try files.createSymbolicLink(
      atPath: "\(scratch.path)/secrets/away", withDestinationPath: outside)
    try files.createSymbolicLink(
      atPath: "\(scratch.path)/secrets/alias", withDestinationPath: "inside")
    #expect(try refusal(of: "away").summary.contains("leads out of"))
    #expect(try store.value(of: SecretName("alias")).reveal() == Array(canary.utf8))
  }

  @Test("a folder whose name only begins like the secrets folder is outside")
  func siblingFolder() throws {
    try scratch.folder("secrets-old")
    let old = try scratch.write(canary, to: "secrets-old/token")
    try FileManager.default.createSymbolicLink(
      atPath: "\(scratch.path)/secrets/token", withDestinationPath: old)
    #expect(try refusal(of: "token").summary.contains("leads out of"))
  }

  @Test(
    "a folder or a named pipe is not a secret, and no one waits for the pipe",
    .timeLimit(.minutes(1)))
  func notFiles() throws {
    try scratch.folder("secrets/folder")
    #expect(mkfifo("\(scratch.path)/secrets/pipe", 0o600) == 0)
    #expect(try refusal(of: "folder").summary.contains("not a regular file"))
    #expect(try refusal(of: "pipe").summary.contains("not a regular file"))
  }

  @Test("names lists what could be a secret, in order")
  func listing() throws {
    for name in ["b", "a", ".hidden", "README.md", "cluster.sops.yaml"] {
      try scratch.write(canary, to: "secrets/\(name)")
    }
    #expect(store.names == [SecretName("a"), SecretName("b")])
  }

  @Test("a store shows no value when it is printed")
  func printed() throws {
    try scratch.write(canary, to: "secrets/token")
    let value = try store.value(of: SecretName("token"))
    #expect(!shown(value).contains(canary))
    #expect(!shown(store).contains(canary))
  }

  /// The diagnostic of a refused name, which must not show the canary in any way.
  private func refusal(
    of name: String, in other: FolderSecretStore? = nil,
    sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) throws -> Diagnostic {
    let problem = try #require(throws: Diagnostic.self, sourceLocation: sourceLocation) {
      try (other ?? store).value(of: SecretName(name))
    }
    #expect(!shown(problem).contains(canary), sourceLocation: sourceLocation)
    #expect(problem.location == nil, "a place would have its line quoted")
    return problem
  }
}

/// Everything that printing, dumping and mirroring say about a value.
func shown(_ value: Any) -> String {
  var text = String(describing: value) + String(reflecting: value)
  dump(value, to: &text)
  for child in Mirror(reflecting: value).children { text += "\(child)" }
  return text
}
