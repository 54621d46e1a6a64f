import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixAge

private let python = ProcessInfo.processInfo.environment["HELIX_ORACLES"].map { "\($0)/bin/python" }

/// Needs Debian's age, or pyrage among the programs that tests compare with; where one is missing its
/// half is skipped.
@Suite("what age and pyrage make of our files, and we of theirs")
struct OracleTests {
  private static let sizes = [0, 1, 65_535, 65_536, 65_537, 1_048_576]

  @Test(
    "age", .enabled(if: (try? run("age", ["--version"]).status) == 0),
    arguments: ["classic.txt", "ed25519", "rsa"], sizes)
  func age(key: String, size: Int) throws {
    let (folder, plain) = (try Folder(), pattern(size))
    try folder.write(plain, to: "plain")
    let identities = try keys.identities(key)
    let recipient = try #require(identities.first?.recipients.first)
    let path = try Self.privateCopy(of: key, in: folder)
    for armored in [false, true] {
      let ours = try AgeFile.encrypt(plain, to: [keys.recipient(recipient)], armored: armored)
      try folder.write(ours, to: "ours")
      let opened = try run(
        "age", ["-d", "-i", path, "-o", folder.path("opened"), folder.path("ours")])
      try #require(opened.status == 0, "\(opened.all)")
      // age makes no file when there is nothing to put into it.
      #expect(try plain.isEmpty || folder.read("opened") == plain)

      let sealed = try run(
        "age",
        (armored ? ["-a"] : [])
          + ["-r", recipient, "-o", folder.path("theirs"), folder.path("plain")])
      try #require(sealed.status == 0, "\(sealed.all)")
      #expect(try AgeFile.decrypt(folder.read("theirs"), with: identities) == plain)
    }
  }

  @Test(
    "age opens what a passphrase closed", .enabled(if: (try? run("age", ["--version"]).status) == 0)
  )
  func agePassphrase() throws {
    let folder = try Folder()
    let recipient = try PassphraseRecipient(SecretValue("open sesame"), logN: 8)
    try folder.write(try AgeFile.encrypt(pattern(70_000), to: [recipient]), to: "ours")
    let command = ["age", "-d", "-o", folder.path("opened"), folder.path("ours")]
    let ran = try run(
      "python3", Typist.arguments(typing: "open sesame\n", at: "passphrase", into: command))
    try #require(ran.status == 0, "\(ran.all)")
    #expect(try folder.read("opened") == pattern(70_000))
  }

  @Test(
    "pyrage", .enabled(if: python != nil), arguments: ["classic.txt", "ed25519", "rsa"], sizes)
  func pyrage(key: String, size: Int) throws {
    let (folder, plain) = (try Folder(), pattern(size))
    try folder.write(plain, to: "plain")
    let identities = try keys.identities(key)
    let recipient = try #require(identities.first?.recipients.first)
    try folder.write(try AgeFile.encrypt(plain, to: [keys.recipient(recipient)]), to: "ours")
    let path = fixtures.appendingPathComponent(key).path
    let ran = try run(
      try #require(python), ["-c", Self.script, path, recipient, folder.url.path])
    try #require(ran.status == 0, "\(ran.all)")
    #expect(try folder.read("opened") == plain)
    #expect(try AgeFile.decrypt(folder.read("theirs"), with: identities) == plain)
  }

  /// Opens `ours` and makes `theirs` from `plain`.
  private static let script = """
    import sys, pyrage
    path, recipient, folder = sys.argv[1:]
    text = open(path, "rb").read()
    if text.startswith(b"-----"):
        identity = pyrage.ssh.Identity.from_buffer(text)
        recipient = pyrage.ssh.Recipient.from_str(recipient)
    else:
        identity = pyrage.x25519.Identity.from_str(text.decode().split()[-1])
        recipient = pyrage.x25519.Recipient.from_str(recipient)
    ours = open(folder + "/ours", "rb").read()
    open(folder + "/opened", "wb").write(pyrage.decrypt(ours, [identity]))
    plain = open(folder + "/plain", "rb").read()
    open(folder + "/theirs", "wb").write(pyrage.encrypt(plain, [recipient]))
    """

  /// A copy that only its owner reads, whatever the modes of a checkout are.
  private static func privateCopy(of key: String, in folder: Folder) throws -> String {
    try folder.write(try fixture(key), to: key)
    chmod(folder.path(key), 0o600)
    return folder.path(key)
  }
}
