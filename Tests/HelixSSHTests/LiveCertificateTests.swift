import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

@Suite(
  "certificates and pinned keys on a real sshd", .tags(.live), .serialized,
  .enabled(if: SSHServer.isAvailable, "sshd is not installed"), .timeLimit(.minutes(5)))
struct LiveCertificateTests {
  let folder: ScratchFolder
  let server: SSHServer
  let bench: LoginBench

  init() async throws {
    (folder, server) = try await aside {
      let folder = try ScratchFolder()
      let authority = try makeKey(in: folder, "ca")
      return (folder, try SSHServer(config: ["TrustedUserCAKeys \(authority).pub"]))
    }
    bench = LoginBench(server)
    try server.folder.write("", to: "authorized_keys")
  }

  /// A key with a certificate beside it.
  private func certified(
    _ name: String, _ type: String, validity: String = "+1h", bits: String = "256"
  ) async throws -> String {
    let key = server.folder.file(name)
    try await aside { [folder] in
      try runLocally("/usr/bin/ssh-keygen", "-q", "-t", type, "-b", bits, "-N", "", "-f", key)
      try runLocally(
        "/usr/bin/ssh-keygen", "-q", "-s", folder.file("ca"), "-I", "of \(name)", "-n",
        NSUserName(), "-V", validity, key + ".pub")
    }
    return key
  }

  @Test(
    "an ecdsa certificate logs in: beside its key, named, and held by an agent",
    arguments: ["256", "384", "521"])
  func ecdsa(bits: String) async throws {
    let key = try await certified("user-ca", "ecdsa", bits: bits)
    #expect(try await bench.logIn(key: key) == "in\n")
    let agent = try LocalAgent(in: server.folder)
    try agent.add(key)
    #expect(try await bench.logIn(bench.settings { $0.agentSocket = agent.socket }) == "in\n")
    // A certificate that stands elsewhere, for a key that only the agent holds.
    let other = folder.file("elsewhere.pub")
    try FileManager.default.moveItem(atPath: key + "-cert.pub", toPath: other)
    try runLocally(
      "/usr/bin/env", "SSH_AUTH_SOCK=\(agent.socket)", "/usr/bin/ssh-add", "-q", "-D")
    try agent.add(key)
    let named = try bench.settings {
      $0.agentSocket = agent.socket
      $0.certificateFiles = [other]
    }
    #expect(try await bench.logIn(named) == "in\n")
  }

  @Test("an expired certificate is named as one")
  func expired() async throws {
    let key = try await certified("late", "ecdsa", validity: "20200101:20210101")
    let error = try await bench.refusal(bench.settings { $0.identityFiles = [key] })
    guard case .loginRefused(let attempts) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(attempts.refused.count == 2)
    #expect(attempts.refused[1] == "certificate \"of late\" (\(key)-cert.pub, expired)")
  }

  @Test(
    "a certificate that libssh2 cannot show asks for the system's ssh, once the key is refused",
    arguments: ["ed25519", "rsa"])
  func beyond(type: String) async throws {
    let key = try await certified("beyond", type, bits: "2048")
    var settings = try bench.settings { $0.identityFiles = [key] }
    let (output, said) = try await bench.logInAnyhow(settings)
    #expect(output == "in\n")
    let reason = try #require(said)
    #expect(reason.contains("\(key)-cert.pub") && reason.contains("ssh-\(type)-cert-v01"))
    settings.transport = .libssh2
    guard case .loginRefused(let attempts) = try await bench.refusal(settings) else {
      Issue.record("libssh2 was not used")
      return
    }
    #expect(attempts.skipped.contains(reason))
    // The key itself is good enough where it is authorized.
    try bench.authorize(key)
    settings.transport = .auto
    #expect(try await bench.logInAnyhow(settings) == ("in\n", nil))
    // A certificate that was named comes before all keys.
    settings.certificateFiles = [key + "-cert.pub"]
    #expect(try await bench.logInAnyhow(settings) == ("in\n", reason))
  }

  @Test("a key in hardware asks for the system's ssh")
  func hardware() async throws {
    var blob: [UInt8] = []
    for field in ["sk-ssh-ed25519@openssh.com", String(repeating: "k", count: 32), "ssh:"] {
      blob.appendString(field.utf8)
    }
    var container = Array("openssh-key-v1\0".utf8)
    for field in ["none", "none", ""] { container.appendString(field.utf8) }
    container.appendNumber(1)
    container.appendString(blob)
    container.appendString([UInt8](repeating: 0, count: 64))
    let key = try server.folder.write(
      "-----BEGIN OPENSSH PRIVATE KEY-----\n\(Base64.encode(container))\n"
        + "-----END OPENSSH PRIVATE KEY-----\n", to: "id_sk")
    let settings = try bench.settings { $0.identityFiles = [key] }
    let reason = try #require(try await bench.logInAnyhow(settings).reason)
    #expect(reason.contains(key) && reason.contains("sk-ssh-ed25519@openssh.com"))
  }

  @Test("a pinned key outweighs known_hosts, and only @revoked outweighs it")
  func pinned() async throws {
    let server = try await aside { try SSHServer(hostKeys: ["ed25519", "ecdsa"]) }
    let bench = LoginBench(server)
    let (shown, other) = (
      HostKey(line: server.publicKey()), HostKey(line: server.publicKey("ecdsa"))
    )
    func settings(_ pin: HostKey, _ known: String) throws -> SSHSettings {
      try bench.settings(knownHosts: server.folder.write(known, to: "known")) {
        $0.identityFiles = [server.userKey]
        $0.pinnedKey = pin
      }
    }
    let name = "[127.0.0.1]:\(server.port)"
    for pin in [shown, other] { #expect(try await bench.logIn(settings(pin, "")) == "in\n") }
    let stranger = HostKey(
      line: try String(contentsOfFile: makeKey(in: folder, "x") + ".pub", encoding: .utf8))
    let pins = try settings(stranger, "\(name) \(server.publicKey())\n")
    let error = try await bench.refusal(pins)
    #expect(error == .hostKey(.notPinned(shown, name: name, pinned: stranger)))
    let words = error?.diagnostic(pins)
    #expect(words?.reason?.contains(stranger.fingerprint) == true)
    #expect(words?.reason?.contains(shown.fingerprint) == true)
    #expect(words?.remedy?.contains("inventory") == true)
    let revoked = try settings(shown, "# old\n@revoked * \(server.publicKey())\n")
    #expect(
      try await LoginBench(server).refusal(revoked)
        == .hostKey(.revoked(shown, at: .init(file: server.folder.file("known"), line: 2))))
  }

  @Test("what only the system's ssh can check is left to it, or refused with words")
  func uncheckable() async throws {
    let server = try await aside { try SSHServer(hostKeys: ["rsa"]) }
    let bench = LoginBench(server)
    let key = HostKey(line: server.publicKey("rsa"))
    let name = "[127.0.0.1]:\(server.port)"
    let authority = "@cert-authority * \(server.publicKey("rsa"))\n"
    for (known, pin) in [
      (authority, nil), ("\(name) \(server.publicKey("rsa"))\n", nil), ("", key),
    ] {
      var settings = try bench.settings(knownHosts: server.folder.write(known, to: "known")) {
        $0.identityFiles = [server.userKey]
        $0.pinnedKey = pin
      }
      let reason = try #require(try await bench.logInAnyhow(settings).reason)
      #expect(reason.contains(name))
      settings.transport = .libssh2
      guard case .hostKey(let problem) = try await bench.refusal(settings) else {
        Issue.record("libssh2 was not used")
        continue
      }
      #expect(problem.words(settings).remedy?.contains("leave out transport: libssh2") == true)
    }
  }
}
