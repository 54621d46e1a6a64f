import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

@Suite(
  "private key files", .serialized,
  .enabled(if: SSHServer.isAvailable, "ssh-keygen is not installed"),
  .timeLimit(.minutes(5)))
struct KeyFormTests {
  let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  private func keygen(_ arguments: String...) throws {
    let command = ["/usr/bin/ssh-keygen", "-q"] + arguments
    try LocalProcess(command, log: folder.file("keygen-log")).wait()
  }

  private func text(_ path: String) throws -> KeyText {
    let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    let buffer = try #require(
      SecretBuffer(capacity: bytes.count) { memory in
        memory.copyBytes(from: bytes)
        return bytes.count
      })
    return try KeyText(buffer, path: path)
  }

  private func publicKey(_ path: String) throws -> HostKey {
    HostKey(line: try String(contentsOfFile: path + ".pub", encoding: .utf8))
  }

  @Test("Blowfish starts from pi")
  func pi() {
    #expect(Bcrypt.start.count == 4 * (18 + 4 * 256))
    // Machin's formula in 32-bit digits, 64 bits more than are compared.
    let digits = 80
    func arctangent(of inverse: UInt64, times factor: UInt64) -> [UInt64] {
      func divided(_ number: [UInt64], by divisor: UInt64) -> [UInt64] {
        var rest: UInt64 = 0
        return number.map { digit in
          let whole = rest << 32 | digit
          rest = whole % divisor
          return whole / divisor
        }
      }
      var power = divided([factor] + [UInt64](repeating: 0, count: digits), by: inverse)
      var sum = power
      var number: UInt64 = 3
      while power.contains(where: { $0 != 0 }) {
        power = divided(power, by: inverse * inverse)
        let term = divided(power, by: number)
        var carry: Int64 = 0
        let sign: Int64 = number % 4 == 3 ? -1 : 1
        for place in sum.indices.reversed() {
          let value = Int64(sum[place]) + sign * Int64(term[place]) + carry
          sum[place] = UInt64(value & 0xFFFF_FFFF)
          carry = value >> 32
        }
        number += 2
      }
      return sum
    }
    let (first, second) = (arctangent(of: 5, times: 16), arctangent(of: 239, times: 4))
    var borrow: Int64 = 0
    var bytes: [UInt8] = []
    for place in first.indices.reversed() {
      let value = Int64(first[place]) - Int64(second[place]) + borrow
      borrow = value >> 32
      bytes += [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: value >> $0) }
    }
    let fraction = Array(bytes.reversed().dropFirst(4).prefix(4 * (digits - 4)))
    #expect(Array(Bcrypt.start.prefix(fraction.count)) == fraction)
  }

  @Test("ssh-keygen's locked keys open at any cost and with any of its ciphers")
  func locked() async throws { try await aside { try lockedForms() } }

  private func lockedForms() throws {
    let forms = [
      ("1", "aes256-ctr", "ed25519"), ("16", "aes256-ctr", "ecdsa"), ("24", "aes256-ctr", "rsa"),
      ("2", "aes128-ctr", "ed25519"), ("2", "aes192-ctr", "ed25519"),
      ("2", "aes128-cbc", "ed25519"), ("2", "aes256-cbc", "rsa"), ("2", "3des-cbc", "ed25519"),
      ("2", "aes128-gcm@openssh.com", "ed25519"), ("3", "aes256-gcm@openssh.com", "ecdsa"),
    ]
    for (number, (rounds, cipher, type)) in forms.enumerated() {
      let path = folder.file("key\(number)")
      let passphrase = "s3cret  ü\(number)"
      try keygen("-t", type, "-a", rounds, "-Z", cipher, "-N", passphrase, "-f", path)
      let text = try text(path)
      #expect(text.isLocked)
      #expect(text.publicKey == (try publicKey(path)))
      #expect(throws: KeyText.Refusal.wrongPassphrase) { try text.key(passphrase: nil) }
      #expect(throws: KeyText.Refusal.wrongPassphrase) {
        try text.key(passphrase: SecretValue(passphrase + " "))
      }
      let key = try text.key(passphrase: SecretValue(passphrase))
      #expect(try key.publicKey == publicKey(path), "\(cipher)")
    }
  }

  @Test("a cipher that we cannot do is named")
  func foreignCipher() throws {
    let path = folder.file("key")
    try keygen(
      "-t", "ed25519", "-a", "1", "-Z", "chacha20-poly1305@openssh.com", "-N", "secret", "-f", path)
    let problem = KeyFileProblem.cipher(path: path, name: "chacha20-poly1305@openssh.com")
    #expect(throws: KeyText.Refusal.problem(problem)) {
      try text(path).key(passphrase: SecretValue("secret"))
    }
    #expect(problem.words.remedy?.contains("ssh-keygen -p -Z aes256-ctr -f \(path)") == true)
  }

  @Test(
    "PEM and PKCS#8, plain and locked, give the key that ssh-keygen wrote",
    arguments: ["ecdsa:256", "ecdsa:384", "ecdsa:521", "rsa:2048", "ed25519:256"],
    ["PEM", "PKCS8"])
  func pem(type: String, form: String) async throws {
    try await aside { try pemForms(type, form) }
  }

  private func pemForms(_ type: String, _ form: String) throws {
    let kind = type.split(separator: ":").map(String.init)
    // ssh-keygen knows no other form of ed25519 than its own; openssl does.
    guard kind[0] != "ed25519" else { return try ed25519() }
    for (number, passphrase) in ["", "secret"].enumerated() {
      let path = folder.file("\(kind[0])-\(form)-\(number)")
      try keygen("-t", kind[0], "-b", kind[1], "-m", form, "-N", passphrase, "-f", path)
      let text = try text(path)
      #expect(text.isLocked == !passphrase.isEmpty)
      #expect(text.publicKey == nil)
      let key = try text.key(passphrase: passphrase.isEmpty ? nil : SecretValue(passphrase))
      #expect(try key.publicKey == publicKey(path))
      guard !passphrase.isEmpty else { continue }
      #expect(throws: KeyText.Refusal.wrongPassphrase) { try text.key(passphrase: nil) }
      #expect(throws: KeyText.Refusal.wrongPassphrase) {
        try text.key(passphrase: SecretValue("other"))
      }
    }
  }

  @Test("a wrong passphrase is never taken for anything else, whatever it makes of the key")
  func manyWrong() async throws {
    try await aside {
      let (plain, path) = (folder.file("plain"), folder.file("cheap"))
      try runLocally(
        "/usr/bin/openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
        "-out", plain)
      try runLocally(
        "/usr/bin/openssl", "pkcs8", "-topk8", "-iter", "1", "-in", plain, "-out", path,
        "-passout", "pass:secret")
      let text = try text(path)
      // One of 256 leaves a padding that looks right.
      for number in 0..<2000 {
        #expect(throws: KeyText.Refusal.wrongPassphrase) {
          try text.key(passphrase: SecretValue("wrong\(number)"))
        }
      }
      #expect(try text.key(passphrase: SecretValue("secret")).publicKey.rsaBits == 2048)
    }
  }

  @Test("a PEM key that is locked with what libcrypto has given up is no wrong passphrase")
  func legacyLock() async throws {
    try await aside {
      let (plain, path) = (folder.file("plain"), folder.file("legacy"))
      try runLocally("/usr/bin/openssl", "genpkey", "-algorithm", "ed25519", "-out", plain)
      try runLocally(
        "/usr/bin/openssl", "pkcs8", "-topk8", "-v1", "PBE-MD5-DES", "-provider", "legacy",
        "-provider", "default", "-in", plain, "-out", path, "-passout", "pass:secret")
      #expect(throws: KeyText.Refusal.problem(.cipher(path: path, name: nil))) {
        try text(path).key(passphrase: SecretValue("secret"))
      }
    }
  }

  private func ed25519() throws {
    let path = folder.file("pkcs8")
    try runLocally("/usr/bin/openssl", "genpkey", "-algorithm", "ed25519", "-out", path)
    let key = try text(path).key(passphrase: nil)
    #expect(key.publicKey.algorithm == "ssh-ed25519")
    #expect(key.publicKey.blob.count == 51)
  }

  @Test("RSA keys below 2048 bits are refused")
  func weak() throws {
    let path = folder.file("weak")
    try keygen("-t", "rsa", "-b", "1024", "-N", "", "-f", path)
    #expect(throws: KeyText.Refusal.problem(.weak(path: path, bits: 1024))) {
      try text(path).key(passphrase: nil)
    }
    #expect(try publicKey(path).rsaBits == 1024)
  }

  @Test("a file cut anywhere is no key, and no crash")
  func cut() throws {
    let path = folder.file("whole")
    try keygen("-t", "ecdsa", "-N", "", "-f", path)
    let whole = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    for count in stride(from: 0, to: whole.count - 40, by: 3) {
      try Data(whole.prefix(count)).write(to: URL(fileURLWithPath: folder.file("cut")))
      #expect(throws: (any Error).self) { try text(folder.file("cut")).key(passphrase: nil) }
    }
  }

  @Test("no description shows a key")
  func hidden() throws {
    let path = folder.file("key")
    try keygen("-t", "ed25519", "-N", "", "-f", path)
    let text = try text(path)
    let key = try text.key(passphrase: nil)
    var dumped = ""
    dump(key, to: &dumped)
    dump(text, to: &dumped)
    #expect("\(key)" == "‹private key of \(key.publicKey.fingerprint)›")
    #expect(!dumped.contains("handle") && !dumped.contains("memory"))
  }
}
