import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

@Suite(
  "trust and login on a real sshd", .tags(.live),
  .enabled(if: SSHServer.isAvailable, "sshd is not installed"), .timeLimit(.minutes(2)))
struct LiveTrustTests {
  let server: SSHServer

  init() throws { server = try SSHServer() }

  private func connect(
    _ host: HelixModel.Host, policy: HostKeyPolicy = .strict, agent: String? = nil,
    report: @escaping @Sendable (SSHEvent) -> Void = { _ in }
  ) async throws -> String {
    var local = server.local
    local.agentSocket = agent
    let provider = SSHShellProvider(hostKeys: policy, local: local, report: report)
    do {
      let shell = try await provider.shell(to: host)
      let output = try await shell.run(Command("echo in", become: .never))
      await provider.closeAll()
      return output.output
    } catch {
      await provider.closeAll()
      throw error
    }
  }

  private func refusal(
    _ host: HelixModel.Host, policy: HostKeyPolicy = .strict, agent: String? = nil
  ) async throws -> Diagnostic {
    try #require(
      await #expect(throws: Diagnostic.self) {
        try await connect(host, policy: policy, agent: agent)
      })
  }

  @Test("an unknown host key is refused with its fingerprint and the fix")
  func unknownKey() async throws {
    let empty = try server.folder.write("", to: "empty")
    let error = try await refusal(server.host(knownHosts: empty))
    let fingerprint = HostKey(line: server.publicKey()).fingerprint
    #expect(error.summary == "the host key of [127.0.0.1]:\(server.port) is not known")
    #expect(error.reason?.contains("ED25519 \(fingerprint)") == true)
    #expect(error.remedy?.contains("--accept-new-host-keys") == true)
    #expect(
      error.place == .host("h1", address: "\(NSUserName())@[127.0.0.1]:\(server.port)"))
    #expect(
      try runLocally("/usr/bin/ssh-keygen", "-lf", server.folder.file("host_ed25519.pub"))
        .contains(fingerprint))
  }

  @Test("a changed host key shows both fingerprints and the line")
  func changedKey() async throws {
    let other = try makeKey(in: server.folder, "other")
    let text = server.folder.text(of: "other.pub")
    let file = try server.folder.write(
      "# old\n[127.0.0.1]:\(server.port) \(text)", to: "stale")
    let error = try await refusal(server.host(knownHosts: file), policy: .acceptNew)
    #expect(error.summary.contains("has changed"))
    #expect(error.reason?.contains(HostKey(line: server.publicKey()).fingerprint) == true)
    #expect(error.reason?.contains(HostKey(line: text).fingerprint) == true)
    #expect(error.reason?.contains("\(file):2") == true)
    #expect(!other.isEmpty)
  }

  @Test("a revoked host key is refused although it is known")
  func revokedKey() async throws {
    let line = "[127.0.0.1]:\(server.port) \(server.publicKey())\n"
    let file = try server.folder.write(line + "@revoked " + line, to: "revoked")
    #expect(try await refusal(server.host(knownHosts: file)).summary == "the host key is revoked")
  }

  @Test("a host known only through an authority is refused with words")
  func authority() async throws {
    let line = "@cert-authority [127.0.0.1]:\(server.port) \(server.publicKey())\n"
    let file = try server.folder.write(line, to: "authority")
    let error = try await refusal(server.host(knownHosts: file, transport: .libssh2))
    #expect(error.summary.contains("certificate authority"))
    #expect(error.reason?.hasPrefix("\(file):1 is a @cert-authority line") == true)
  }

  @Test("a new key is accepted on request, written down, and checked from then on")
  func acceptNew() async throws {
    let file = server.folder.file("new/known_hosts")
    let host = try server.host(knownHosts: file)
    let events = EventLog()
    #expect(try await connect(host, policy: .acceptNew, report: events.add) == "in\n")
    #expect(
      server.folder.text(of: "new/known_hosts")
        == "[127.0.0.1]:\(server.port) \(server.publicKey())\n")
    let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    #expect(events.count { if case .acceptedHostKey = $0 { true } else { false } } == 1)
    #expect(try await connect(host) == "in\n")
  }

  @Test("of several host keys the server shows the one that is known")
  func severalKeys() async throws {
    let server = try SSHServer(hostKeys: ["ecdsa", "ed25519", "rsa"])
    for type in ["ed25519", "ecdsa"] {
      let host = try server.host(knownHosts: server.knownHosts([type]))
      #expect(try await connect(host) == "in\n")
    }
    let onlyRSA = try server.host(
      knownHosts: server.knownHosts(["rsa"]), transport: .libssh2)
    let error = try await refusal(onlyRSA)
    #expect(error.summary.contains("cannot be checked"))
  }

  @Test("a hashed known_hosts line is found")
  func hashedLine() async throws {
    let file = try server.knownHosts()
    try runLocally("/usr/bin/ssh-keygen", "-H", "-f", file)
    #expect(server.folder.text(of: "known_hosts").hasPrefix("|1|"))
    #expect(try await connect(server.host(knownHosts: file)) == "in\n")
  }

  @Test("a key the server does not have is named in the refusal, with what it would take")
  func wrongKey() async throws {
    let key = try makeKey(in: server.folder, "stranger")
    let error = try await refusal(server.host(key: key))
    #expect(error.summary.hasSuffix("refused the login"))
    #expect(error.reason?.contains(key) == true)
    #expect(
      error.reason?.contains(HostKey(line: server.folder.text(of: "stranger.pub")).fingerprint)
        == true)
    #expect(error.reason?.contains("it would take publickey") == true)
  }

  @Test("a user that the server does not have is refused in the same words")
  func unknownUser() async throws {
    let error = try await refusal(server.host(user: "nobody-here"))
    #expect(error.summary == "nobody-here@[127.0.0.1]:\(server.port) refused the login")
  }

  @Test("keys of each supported form log in", arguments: ["ecdsa", "ed25519"])
  func keyForms(type: String) async throws {
    let key = try makeKey(in: server.folder, "form", type: type)
    try server.folder.write(server.folder.text(of: "form.pub"), to: "authorized_keys")
    #expect(try await connect(server.host(key: key)) == "in\n")
    if type == "ecdsa" {
      try runLocally("/usr/bin/ssh-keygen", "-p", "-q", "-N", "", "-m", "PEM", "-f", key)
      #expect(server.folder.text(of: "form").contains("BEGIN EC PRIVATE KEY"))
      try FileManager.default.removeItem(atPath: key + ".pub")
      #expect(try await connect(server.host(key: key)) == "in\n")
    }
  }

  @Test("keys that cannot be used are refused with the fix")
  func unusableKeys() async throws {
    let open = try makeKey(in: server.folder, "open")
    chmod(open, 0o644)
    #expect(try await refusal(server.host(key: open)).remedy == "chmod 600 \(open)")
    let text = try server.folder.write("hello\n", to: "text")
    #expect(try await refusal(server.host(key: text)).summary.hasSuffix("is not a private key"))
    let missing = server.folder.file("missing")
    #expect(try await refusal(server.host(key: missing)).summary == "no private key at \(missing)")
  }

  @Test("an agent's keys log in, whatever their type", arguments: ["ed25519", "ecdsa", "rsa"])
  func agent(type: String) async throws {
    let agent = try LocalAgent(in: server.folder)
    let key = try makeKey(in: server.folder, "held", type: type)
    try server.folder.write(server.folder.text(of: "held.pub"), to: "authorized_keys")
    try agent.add(makeKey(in: server.folder, "useless"))
    try agent.add(key)
    let host = try server.host(key: key)
    #expect(try await connect(host, agent: agent.socket) == "in\n")
    // Without a key named for the host, every key of the agent is shown.
    var any = host
    any.connection.privateKeyFile = nil
    #expect(try await connect(any, agent: agent.socket) == "in\n")
    // An agent can be named, and switched off.
    any.connection.sshArguments = [
      Located("-oIdentityAgent=\(agent.socket)", at: host.location)
    ]
    #expect(try await connect(any) == "in\n")
    any.connection.sshArguments = [Located("-oIdentityAgent=none", at: host.location)]
    #expect(try await refusal(any, agent: agent.socket).summary.hasPrefix("no key to log in"))
  }

  @Test("an encrypted key works once the agent holds it")
  func encryptedKeyInAgent() async throws {
    let agent = try LocalAgent(in: server.folder)
    let key = try makeKey(in: server.folder, "locked")
    try agent.add(key)
    try runLocally("/usr/bin/ssh-keygen", "-p", "-q", "-N", "secret", "-f", key)
    try server.folder.write(server.folder.text(of: "locked.pub"), to: "authorized_keys")
    #expect(try await connect(server.host(key: key), agent: agent.socket) == "in\n")
  }

  @Test("thirty logins share one agent")
  func busyAgent() async throws {
    let agent = try LocalAgent(in: server.folder)
    try agent.add(server.userKey)
    try await withThrowingTaskGroup(of: String.self) { group in
      let provider = SSHShellProvider(
        local: LocalUser(
          name: NSUserName(), home: server.folder.path, agentSocket: agent.socket))
      for number in 1...30 {
        var host = try server.host("h\(number)")
        host.connection.privateKeyFile = nil
        group.addTask { [host] in
          try await provider.shell(to: host).run(Command("echo in", become: .never)).output
        }
      }
      for try await output in group { #expect(output == "in\n") }
      await provider.closeAll()
    }
  }

  @Test("when nothing is in common, both sides' algorithms are shown")
  func noCommonAlgorithm() async throws {
    let server = try SSHServer(config: ["Ciphers chacha20-poly1305@openssh.com"])
    let error = try await refusal(server.host(transport: .libssh2))
    #expect(error.summary == "no cipher algorithm in common")
    #expect(error.reason?.contains("chacha20-poly1305@openssh.com") == true)
    #expect(error.reason?.contains("aes128-ctr") == true)
    let macs = try SSHServer(config: ["MACs umac-128-etm@openssh.com"])
    #expect(
      try await refusal(macs.host(transport: .libssh2)).summary == "no MAC algorithm in common")
    let rsa = try SSHServer(hostKeys: ["rsa"])
    let unknown = try rsa.folder.write("", to: "empty")
    #expect(
      try await refusal(rsa.host(knownHosts: unknown, transport: .libssh2)).summary
        == "no host key algorithm in common")
  }

  @Test("a port nobody listens on, a name nobody knows")
  func unreachable() async throws {
    var host = try server.host()
    server.stop()
    #expect(try await refusal(host).reason == "127.0.0.1: connection refused")
    host.connection.address = "no-such-host.invalid"
    let error = try await refusal(host)
    #expect(error.summary == "the address \"no-such-host.invalid\" cannot be found")
  }
}

extension HostKey {
  /// From the text of a public key file.
  init(line: String) {
    let fields = line.split(separator: " ")
    self.init(blob: fields.count > 1 ? Base64.decode(fields[1].filter { $0 != "\n" }) ?? [] : [])
  }
}

/// An ssh-agent of the test's own.
final class LocalAgent: Sendable {
  let socket: String
  private let process: LocalProcess

  init(in folder: ScratchFolder) throws {
    socket = folder.file("agent-\(UInt16.random(in: 0 ... .max))")
    process = try LocalProcess(
      ["/usr/bin/ssh-agent", "-D", "-a", socket], log: folder.file("agent-log"))
    // The socket is there a moment before anybody listens to it.
    for _ in 0..<600 where try said("-l").contains("Error connecting") { usleep(50_000) }
  }

  deinit {
    process.terminate()
    process.wait()
  }

  func add(_ key: String) throws {
    let said = try said("-q", key)
    guard said.isEmpty else { throw Diagnostic("ssh-add: \(said)") }
  }

  private func said(_ arguments: String...) throws -> String {
    let ran = try run("env", ["SSH_AUTH_SOCK=\(socket)", "/usr/bin/ssh-add"] + arguments)
    return ran.output + ran.errors
  }
}
