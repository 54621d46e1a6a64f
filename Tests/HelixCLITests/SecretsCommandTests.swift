import Foundation
import TestSupport
import Testing

@Suite("the secrets commands")
struct SecretsCommandTests {
  private static let plain = """
    # how we reach the database
    db:
      user: 'admin'   # not root
      password: "hunter2-hunter2"
      ports: [5432, 5433]

    motd: |
      two
      lines
    motd_unencrypted: welcome

    """

  @Test("keygen writes for its owner alone, prints the public key, and writes over nothing")
  func keygen() throws {
    let bench = try SecretsBench()
    let made = try bench.secrets("keygen", "-o", "age.key")
    #expect(made.status == 0, "\(made.all)")
    #expect(made.output.hasPrefix("age1") && made.output.split(separator: "\n").count == 1)
    let path = bench.folder.appendingPathComponent("age.key").path
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    let text = try bench.text("age.key")
    let again = try bench.secrets("keygen", "-o", "age.key")
    #expect(again.status == 1)
    #expect(again.errors.contains("is there already"))
    #expect(try bench.text("age.key") == text)
    let hybrid = try bench.secrets("keygen", "--pq", "-o", "pq.key")
    #expect(hybrid.output.hasPrefix("age1pq1"))
    #expect(try bench.text("pq.key").contains("\nAGE-SECRET-KEY-PQ-1"))
  }

  @Test("what is encrypted decrypts to the same bytes, and nothing else is printed")
  func roundTrip() throws {
    let bench = try SecretsBench()
    try bench.prepare()
    try bench.sealed(Self.plain, at: "secrets/a.yaml")
    let sealed = try bench.text("secrets/a.yaml")
    #expect(!sealed.contains("hunter2") && sealed.contains("motd_unencrypted: welcome\n"))
    let decrypted = try bench.secrets("decrypt", "secrets/a.yaml")
    #expect(decrypted.status == 0 && decrypted.errors.isEmpty, "\(decrypted.all)")
    #expect(decrypted.output == Self.plain.replacing("'admin'", with: "'admin'"))
    let part = try bench.secrets("decrypt", "--extract", #"["db"]["password"]"#, "secrets/a.yaml")
    #expect(part.output == "hunter2-hunter2")
    #expect(try bench.secrets("decrypt", "-i", "secrets/a.yaml").status == 0)
    #expect(try bench.text("secrets/a.yaml") == Self.plain)
  }

  @Test("every way in which it cannot be done has the exit status that sops has for it")
  func exitStatuses() throws {
    let bench = try SecretsBench()
    try bench.prepare()
    try bench.sealed(Self.plain, at: "secrets/a.yaml")
    let sealed = try bench.text("secrets/a.yaml")
    let decrypt = { try bench.secrets("decrypt", "secrets/a.yaml").status }
    #expect(
      try bench.secrets("decrypt", "secrets/a.yaml", with: ["SOPS_AGE_KEY_FILE": "/none"]).status
        == 128)
    try bench.write(sealed.replacing("welcome", with: "goodbye"), to: "secrets/a.yaml")
    #expect(try decrypt() == 51)
    try bench.write(
      sealed.replacing("data:", with: "data:AA", maxReplacements: 2), to: "secrets/a.yaml")
    #expect(try decrypt() == 25)
    try bench.write(sealed, to: "secrets/a.yaml")
    #expect(try bench.secrets("decrypt", "--extract", #"["no"]"#, "secrets/a.yaml").status == 91)
    #expect(try bench.secrets("decrypt", "secrets/none.yaml").status == 100)
    #expect(try bench.secrets("encrypt", "secrets/a.yaml").status == 203)
    try bench.write("", to: "secrets/empty.yaml")
    #expect(try bench.secrets("encrypt", "secrets/empty.yaml").status == 92)
    try bench.write("a: 1\n", to: "elsewhere.yaml")
    #expect(try bench.secrets("encrypt", "elsewhere.yaml").status == 1)
  }

  @Test("set takes the value from stdin, and every other value keeps its ciphertext")
  func set() throws {
    let bench = try SecretsBench()
    try bench.prepare()
    try bench.sealed(Self.plain, at: "secrets/a.yaml")
    let before = try bench.text("secrets/a.yaml").split(separator: "\n")
    let path = #"["db"]["password"]"#
    let set = try bench.secrets("set", "secrets/a.yaml", path, input: "correct horse\n")
    #expect(set.status == 0 && set.output.isEmpty, "\(set.all)")
    let after = try bench.text("secrets/a.yaml").split(separator: "\n")
    let changed = zip(before, after).filter { $0 != $1 }.map { $0.1.prefix(16) }
    #expect(before.count == after.count)
    #expect(
      changed.allSatisfy {
        ["  password: \"ENC", "    lastmodified", "    mac: ENC[AES"].contains($0)
      })
    #expect(
      try bench.secrets("decrypt", "--extract", path, "secrets/a.yaml").output == "correct horse")
    #expect(
      try bench.secrets(
        "set", "--json", "secrets/a.yaml", #"["db"]["ports"][1]"#, input: "9007199254740993"
      )
      .status == 0)
    let number = try bench.secrets("decrypt", "secrets/a.yaml")
    #expect(number.output.contains("ports: [5432, 9007199254740993]\n"), "\(number.all)")
  }

  @Test("edit keeps what was not changed, and leaves no plain text behind")
  func edit() throws {
    let bench = try SecretsBench()
    try bench.prepare()
    try bench.sealed(Self.plain, at: "secrets/a.yaml")
    let before = try bench.text("secrets/a.yaml").split(separator: "\n")
    let editor = try bench.editor(
      #"echo "$1" >"$HOME/where"; sed -i 's/hunter2-hunter2/new/' "$1""#)
    let edited = try bench.secrets("edit", "secrets/a.yaml", with: editor)
    #expect(edited.status == 0, "\(edited.all)")
    let after = try bench.text("secrets/a.yaml").split(separator: "\n")
    #expect(zip(before, after).count { $0 != $1 } <= 3)
    let place = try bench.text("home/where").trimmingCharacters(in: .newlines)
    #expect(place.hasPrefix("/dev/shm/") || place.hasPrefix("/run/user/"))
    #expect(!FileManager.default.fileExists(atPath: place))
    let idle = try bench.secrets("edit", "secrets/a.yaml", with: try bench.editor("true"))
    #expect(idle.status == 200, "\(idle.all)")
    let broken = try bench.secrets(
      "edit", "secrets/a.yaml", with: try bench.editor(#"echo 'x: [' >>"$1""#))
    #expect(broken.status != 0)
    #expect(try bench.text("secrets/a.yaml").split(separator: "\n") == after)
  }

  @Test("who is taken out opens nothing any more, and what is to be changed is listed")
  func rotate() throws {
    let bench = try SecretsBench()
    let first = try bench.prepare()
    try bench.sealed(Self.plain, at: "secrets/a.yaml")
    try bench.sealed("token: abc\n", at: "secrets/b.yaml")
    let other = try bench.secrets("keygen", "-o", "other.key").output
      .trimmingCharacters(in: .newlines)
    let files = ["secrets/a.yaml", "secrets/b.yaml"]
    let before = try files.map(bench.text)
    let dry = try bench.helix(
      ["secrets", "rotate", "--add-age", other, "--remove-age", first, "--dry-run"] + files)
    #expect(dry.status == 0, "\(dry.all)")
    #expect(try files.map(bench.text) == before)
    try bench.write("no: sops\n", to: "secrets/plain.yaml")
    let failed = try bench.helix(
      ["secrets", "rotate", "--add-age", other] + files + ["secrets/plain.yaml"])
    #expect(failed.status == 1)
    #expect(try files.map(bench.text) == before, "all or nothing")
    let rotated = try bench.helix(
      ["secrets", "rotate", "--add-age", other, "--remove-age", first] + files)
    #expect(rotated.status == 0, "\(rotated.all)")
    #expect(rotated.output.contains(#"secrets/a.yaml ["db"]["password"]"#), "\(rotated.all)")
    #expect(rotated.output.contains(#"secrets/b.yaml ["token"]"#))
    #expect(!rotated.output.contains("motd_unencrypted"))
    #expect(try bench.secrets("decrypt", "secrets/a.yaml").status == 128)
    let theirs = ["SOPS_AGE_KEY_FILE": bench.folder.appendingPathComponent("other.key").path]
    #expect(try bench.secrets("decrypt", "secrets/a.yaml", with: theirs).output == Self.plain)
    let alone = try bench.secrets("rotate", "--remove-age", other, "secrets/a.yaml", with: theirs)
    #expect(alone.status == 1 && alone.errors.contains("nobody would be left"), "\(alone.all)")
  }

  @Test("updatekeys makes the recipients those of the rule, and touches nothing else")
  func updateKeys() throws {
    let bench = try SecretsBench()
    let first = try bench.prepare()
    try bench.sealed(Self.plain, at: "secrets/a.yaml")
    let before = try bench.text("secrets/a.yaml")
    let other = try bench.secrets("keygen", "-o", "other.key").output
      .trimmingCharacters(in: .newlines)
    let rules = try bench.text(".sops.yaml").replacing(first, with: "\(first),\(other)")
    try bench.write(rules, to: ".sops.yaml")
    #expect(try bench.secrets("check").status == 1)
    let asked = try bench.secrets("updatekeys", "secrets/a.yaml")
    #expect(asked.status == 1 && asked.errors.contains("nobody is there"), "\(asked.all)")
    let updated = try bench.secrets("updatekeys", "-y", "secrets/a.yaml")
    #expect(updated.status == 0 && updated.output.contains("+ age \(other)"), "\(updated.all)")
    let lines = Set(try bench.text("secrets/a.yaml").split(separator: "\n"))
    for line in before.split(separator: "\n") where line.contains("ENC[") || line.contains("lastm")
    {
      #expect(lines.contains(line))
    }
    #expect(try bench.secrets("check").status == 0)
  }

  @Test("a secret is made once, and never because its file could not be opened")
  func generate() throws {
    let bench = try SecretsBench()
    try bench.prepare()
    let made = try bench.secrets("generate", "k3s-token", "--file", "secrets/cluster.sops.yaml")
    #expect(made.status == 0, "\(made.all)")
    let text = try bench.text("secrets/cluster.sops.yaml")
    let again = try bench.secrets("generate", "k3s-token", "--file", "secrets/cluster.sops.yaml")
    #expect(again.status == 1 && again.errors.contains("already"), "\(again.all)")
    let blind = try bench.secrets(
      "generate", "other", "--file", "secrets/cluster.sops.yaml",
      with: ["SOPS_AGE_KEY_FILE": "/none"])
    #expect(blind.status == 128)
    #expect(try bench.text("secrets/cluster.sops.yaml") == text)
    let value = try bench.secrets(
      "decrypt", "--extract", #"["k3s-token"]"#, "secrets/cluster.sops.yaml")
    #expect(value.output.count == 52)
    let second = try bench.secrets("generate", "other", "--file", "secrets/cluster.sops.yaml")
    #expect(second.status == 0, "\(second.all)")
    let same = try bench.secrets(
      "decrypt", "--extract", #"["k3s-token"]"#, "secrets/cluster.sops.yaml")
    #expect(same.output == value.output)
  }

  @Test("check finds plain text, keys, other recipients, and values added without SOPS")
  func check() throws {
    let bench = try SecretsBench()
    try bench.prepare()
    try bench.sealed(Self.plain, at: "secrets/a.yaml")
    try bench.git("init", "-q")
    try bench.write("home\ntmp\nstdin\nage.key\n", to: ".gitignore")
    let clean = try bench.secrets("check")
    #expect(clean.status == 0, "\(clean.all)")
    try bench.write("home\ntmp\nstdin\n", to: ".gitignore")
    try bench.write("password: oops-in-plain\n", to: "secrets/b.yaml")
    let sealed = try bench.text("secrets/a.yaml")
    try bench.write("added: oops-in-plain\n" + sealed, to: "secrets/a.yaml")
    let found = try bench.secrets("check")
    #expect(found.status == 1)
    #expect(found.errors.contains("age.key:3:1: error: git would take this age identity"))
    #expect(found.errors.contains("secrets/b.yaml:1:11: error: this file is in plain text"))
    #expect(found.errors.contains("secrets/a.yaml:1:8: error: [\"added\"] stands in plain text"))
    #expect(!found.all.contains("oops") && !found.all.contains("AGE-SECRET-KEY-1"), "\(found.all)")
  }

  @Test("doctor tells why a file does not decrypt, and which rule it has")
  func doctor() throws {
    let bench = try SecretsBench()
    try bench.prepare()
    try bench.sealed(Self.plain, at: "secrets/a.yaml")
    let well = try bench.secrets("doctor", "--offline", "secrets/a.yaml")
    #expect(well.status == 0, "\(well.all)")
    #expect(well.output.contains("1 looked at, 1 encrypted, 1 of them for an identity"))
    #expect(well.output.contains(#"path_regex "^secrets/" matches "secrets/a.yaml""#))
    let other = try bench.secrets("keygen", "-o", "other.key")
    try #require(other.status == 0)
    let stray = try bench.secrets(
      "doctor", "--offline",
      with: [
        "SOPS_AGE_KEY_FILE": bench.folder.appendingPathComponent("age.key").path,
        "SOPS_AGE_KEY": String(try bench.text("other.key").split(separator: "\n").last ?? ""),
      ])
    #expect(
      stray.errors.contains("the identity of SOPS_AGE_KEY opens no file here"), "\(stray.all)")
    let none = try bench.secrets("doctor", "--offline", with: ["SOPS_AGE_KEY_FILE": "/none"])
    #expect(none.status == 1 && none.errors.contains("this machine has no age identity"))
  }
}
