import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

@Suite(
  "hosts that only the system's ssh can serve", .tags(.live),
  .enabled(if: SSHServer.isAvailable, "sshd is not installed"), .timeLimit(.minutes(2)))
struct SecondTransportTests {
  /// Runs a command on a host; the output, and why the system's ssh was used.
  private func ask(
    _ server: SSHServer, _ host: HelixModel.Host, _ command: String = "echo in",
    policy: HostKeyPolicy = .strict
  ) async throws -> (output: String, events: EventLog) {
    let events = EventLog()
    let provider = SSHShellProvider(hostKeys: policy, local: server.local, report: events.add)
    do {
      let shell = try await provider.shell(to: host)
      let output = try await shell.run(Command(command, become: .never)).output
      _ = try await shell.run(Command("true", become: .never))
      await provider.closeAll()
      return (output, events)
    } catch {
      await provider.closeAll()
      throw error
    }
  }

  private func refusal(
    _ server: SSHServer, _ host: HelixModel.Host, policy: HostKeyPolicy = .strict
  ) async throws -> Diagnostic {
    try #require(
      await #expect(throws: Diagnostic.self) {
        try await ask(server, host, policy: policy)
      })
  }

  /// Nil with a newer libssh2, which needs no help.
  private func nativeRefusal(_ server: SSHServer, _ host: HelixModel.Host) async throws
    -> Diagnostic?
  {
    do {
      _ = try await ask(server, host)
      return nil
    } catch let error as Diagnostic {
      return error
    }
  }

  private func reasons(_ events: EventLog) -> [String] {
    events.all.compactMap { if case .secondTransport(_, let reason) = $0 { reason } else { nil } }
  }

  @Test(
    "a server with newer algorithms only is served, with one line that says why",
    arguments: [
      ("Ciphers chacha20-poly1305@openssh.com", "cipher"),
      (
        "Ciphers aes128-ctr\nMACs hmac-sha2-256-etm@openssh.com,umac-128-etm@openssh.com", "MAC"
      ),
      ("KexAlgorithms sntrup761x25519-sha512@openssh.com", "key exchange"),
    ])
  func newerAlgorithms(config: String, purpose: String) async throws {
    let server = try SSHServer(config: [config])
    guard let error = try await nativeRefusal(server, server.host(transport: .libssh2)) else {
      return
    }
    #expect(error.summary == "no \(purpose) algorithm in common")
    let (output, events) = try await ask(server, server.host())
    #expect(output == "in\n")
    #expect(reasons(events) == ["libssh2 has no \(purpose) algorithm in common with the host"])
  }

  @Test("a host that takes Kerberos tickets gets to see one, if there is one")
  func ticket() async throws {
    let server = try SSHServer(config: ["GSSAPIAuthentication yes"])
    try server.folder.write("", to: "authorized_keys")
    for (isWanted, count) in [("yes", 1), ("no", 0)] {
      let host = try server.host(options: ["GSSAPIAuthentication=\(isWanted)"])
      let log = EventLog()
      let provider = SSHShellProvider(local: server.local, report: log.add)
      let error = await #expect(throws: Diagnostic.self) {
        try await provider.shell(to: host)
      }
      #expect(error?.summary.contains("refused the login") == true)
      #expect(reasons(log).count { $0.contains("Kerberos ticket") } == count)
      await provider.closeAll()
    }
  }

  @Test("an RSA host key is checked")
  func onlyRSA() async throws {
    let server = try SSHServer(hostKeys: ["rsa"])
    let file = try server.knownHosts(["rsa"])
    guard
      let error = try await nativeRefusal(
        server, server.host(knownHosts: file, transport: .libssh2))
    else { return }
    #expect(error.summary.contains("cannot be checked"))
    let (output, events) = try await ask(server, server.host(knownHosts: file))
    #expect(output == "in\n")
    #expect(reasons(events).count == 1)
    #expect(reasons(events).first?.contains("cannot check the known host key") == true)
  }

  @Test("a host certificate is checked, and one of another authority refused")
  func hostCertificate() async throws {
    let authority = try ScratchFolder()
    let key = try makeKey(in: authority, "ca")
    let server = try SSHServer(authority: key)
    let line = "@cert-authority * \(authority.text(of: "ca.pub"))"
    let file = try server.folder.write(line, to: "authorities")
    let (output, events) = try await ask(server, server.host(knownHosts: file))
    #expect(output == "in\n")
    #expect(reasons(events).count == 1)
    #expect(reasons(events).first?.hasSuffix("cannot check host certificates") == true)
    let error = try await refusal(server, server.host(knownHosts: file, transport: .libssh2))
    #expect(error.summary.contains("certificate authority"))

    _ = try makeKey(in: authority, "other")
    let stranger = try server.folder.write(
      "@cert-authority * \(authority.text(of: "other.pub"))", to: "strangers")
    let refusal = try await refusal(server, server.host(knownHosts: stranger))
    #expect(refusal.summary == "the host key of [127.0.0.1]:\(server.port) is not known")
    let elsewhere = try SSHServer(authority: key, certified: "elsewhere")
    let mismatch = try await self.refusal(elsewhere, elsewhere.host(knownHosts: file))
    #expect(mismatch.summary.hasPrefix("the host certificate of "))
  }

  @Test("a user certificate opens the door")
  func userCertificate() async throws {
    let authority = try ScratchFolder()
    let key = try makeKey(in: authority, "ca")
    let server = try SSHServer(
      config: ["TrustedUserCAKeys \(authority.file("ca.pub"))", "AuthorizedPrincipalsFile none"])
    let mine = try makeKey(in: server.folder, "mine")
    try runLocally(
      "/usr/bin/ssh-keygen", "-q", "-s", key, "-I", "me", "-n", NSUserName(), "\(mine).pub")
    let (output, _) = try await ask(server, server.host(key: mine, transport: .ssh))
    #expect(output == "in\n")
  }

  @Test("a changed host key is refused as by us, with both fingerprints and the line")
  func changedKey() async throws {
    let server = try SSHServer()
    _ = try makeKey(in: server.folder, "other")
    let text = server.folder.text(of: "other.pub")
    let file = try server.folder.write("# old\n[127.0.0.1]:\(server.port) \(text)", to: "stale")
    for policy in [HostKeyPolicy.strict, .acceptNew] {
      let error = try await refusal(
        server, server.host(knownHosts: file, transport: .ssh), policy: policy)
      let ours = try await refusal(server, server.host(knownHosts: file), policy: policy)
      #expect(error == ours)
      #expect(error.reason?.contains(HostKey(line: text).fingerprint) == true)
    }
  }

  @Test("an unknown host key is refused as by us, or accepted and written down")
  func unknownKey() async throws {
    let server = try SSHServer()
    let file = try server.folder.write("", to: "empty")
    let host = try server.host(knownHosts: file, transport: .ssh)
    let error = try await refusal(server, host)
    #expect(error == (try await refusal(server, server.host(knownHosts: file))))
    let (_, events) = try await ask(server, host, policy: .acceptNew)
    let fingerprint = HostKey(line: server.publicKey()).fingerprint
    #expect(
      events.count { $0 == .acceptedHostKey("h1", fingerprint: fingerprint, file: file) } == 1)
    #expect(server.folder.text(of: "empty").contains(server.publicKey()))
    let (again, quiet) = try await ask(server, host)
    #expect(again == "in\n")
    #expect(quiet.count { if case .acceptedHostKey = $0 { true } else { false } } == 0)
  }

  @Test("a revoked host key is refused although it is known")
  func revokedKey() async throws {
    let server = try SSHServer()
    let line = "[127.0.0.1]:\(server.port) \(server.publicKey())\n"
    let file = try server.folder.write(line + "@revoked " + line, to: "revoked")
    let error = try await refusal(server, server.host(knownHosts: file, transport: .ssh))
    #expect(error == (try await refusal(server, server.host(knownHosts: file))))
  }

  @Test("a pinned key outweighs every file")
  func pinnedKey() async throws {
    let server = try SSHServer()
    let empty = try server.folder.write("", to: "empty")
    var settings = try SSHSettings(
      server.host(knownHosts: empty, transport: .ssh), local: server.local, policy: .acceptNew)
    settings.pinnedKey = HostKey(line: server.publicKey())
    let session = SystemSession(settings, loop: .next())
    #expect(try await session.logIn(Trust()) == SystemLogin(address: "127.0.0.1"))
    await session.close()
    #expect(server.folder.text(of: "empty").isEmpty)

    func failure() async throws -> (system: Diagnostic?, ours: Diagnostic?) {
      var errors: [Diagnostic?] = []
      for transport in [TransportChoice.ssh, .libssh2] {
        settings.transport = transport
        let link = HostLink(
          settings, trust: Trust(), limiter: ConnectionLimiter(), report: { _ in })
        let error = await #expect(throws: SSHError.self) { _ = try await link.liveSession() }
        errors.append(error?.diagnostic(settings))
        await link.close()
      }
      return (errors[0], errors[1])
    }
    let line = "[127.0.0.1]:\(server.port) \(server.publicKey())\n"
    settings.userKnownHosts = [try server.folder.write("@revoked \(line)", to: "revoked")]
    let revoked = try await failure()
    #expect(revoked.system == revoked.ours)
    #expect(revoked.ours?.summary == "the host key is revoked")
    settings.userKnownHosts = [try server.folder.write(line, to: "known")]
    for type in ["ed25519", "ecdsa"] {
      _ = try makeKey(in: server.folder, "other-\(type)", type: type)
      settings.pinnedKey = HostKey(line: server.folder.text(of: "other-\(type).pub"))
      let refused = try await failure()
      #expect(refused.system?.summary.hasSuffix("is not the one in the inventory") == true)
      if type == "ed25519" { #expect(refused.system == refused.ours) }
    }
  }

  @Test("a refused key is named, with what the server would take")
  func refusedKey() async throws {
    let server = try SSHServer()
    let stranger = try makeKey(in: server.folder, "stranger")
    let error = try await refusal(
      server, server.host(key: stranger, options: ["IdentitiesOnly=yes"], transport: .ssh))
    #expect(error.summary.hasSuffix("refused the login"))
    #expect(error.reason?.contains("\(stranger) ED25519 SHA256:") == true)
    #expect(error.reason?.contains("it would take publickey") == true)
  }

  @Test("a host that is not there, or is no ssh server, is told as by us")
  func nobodyThere() async throws {
    let server = try SSHServer()
    server.stop()
    let error = try await refusal(server, server.host(transport: .ssh))
    #expect(error == (try await refusal(server, server.host(transport: .libssh2))))
    let unknown = try await refusal(
      server, server.host(address: "no-such-host.invalid", transport: .ssh))
    #expect(unknown.summary == "the address \"no-such-host.invalid\" cannot be found")
    let web = try Listener { say("HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n", to: $0) }
    defer { web.stop() }
    var host = try server.host(transport: .ssh)
    host.connection.port = web.port
    #expect(try await refusal(server, host).summary.hasSuffix("does not speak ssh"))
  }

  @Test("a silent server is given up within the login's time")
  func silence() async throws {
    let server = try SSHServer()
    let silent = try Listener { descriptor in
      var byte: UInt8 = 0
      while read(descriptor, &byte, 1) > 0 {}
    }
    defer { silent.stop() }
    var host = try server.host(transport: .ssh)
    host.connection.port = silent.port
    var settings = try SSHSettings(host, local: server.local, policy: .strict)
    settings.loginTimeout = .seconds(3)
    let session = SystemSession(settings, loop: .next())
    await #expect(throws: SSHError.timedOut(.greet, after: .seconds(3))) {
      _ = try await session.logIn(Trust())
    }
    await session.close()
  }

  @Test("what the inventory's arguments ask of ssh, and only ssh can do, is done")
  func arguments() async throws {
    let server = try SSHServer(config: ["AcceptEnv HELIX_*"])
    let agent = try LocalAgent(in: server.folder)
    let (output, events) = try await ask(
      server,
      server.host(options: ["SetEnv=HELIX_SET=given", "LogLevel=QUIET", "RequestTTY=force"]),
      "echo \"$HELIX_SET ${SSH_AUTH_SOCK:-none}\"")
    #expect(output == "given none\n")
    #expect(reasons(events) == ["SetEnv HELIX_SET=given"])
    let forwarded = try await ask(
      server, server.host(options: ["ForwardAgent=yes", "IdentityAgent=\(agent.socket)"]),
      "ssh-add -l; echo \"$?\"")
    #expect(forwarded.output.hasSuffix("1\n"))
    #expect(reasons(forwarded.events).count == 1)
  }

  @Test("the passphrase of a key is asked for by us, and a person may take their time")
  func passphrase() async throws {
    let server = try SSHServer()
    let key = try makeKey(in: server.folder, "locked", passphrase: "it's \\ $HOME")
    try server.folder.write(server.folder.text(of: "locked.pub"), to: "authorized_keys")
    var settings = try SSHSettings(
      server.host(key: key, options: ["IdentitiesOnly=yes"], transport: .ssh),
      local: server.local, policy: .strict)
    settings.loginTimeout = .seconds(8)
    let person = ScriptedPrompter(["it's \\ $HOME"], delay: .seconds(9))
    let session = SystemSession(settings, loop: .next())
    _ = try await session.logIn(Trust(prompter: person))
    #expect(person.questions == ["Enter passphrase for key '\(key)': "])
    await session.close()

    let nobody = ScriptedPrompter([])
    let other = SystemSession(settings, loop: .next())
    let error = await #expect(throws: SSHError.self) {
      _ = try await other.logIn(Trust(prompter: nobody))
    }
    await other.close()
    #expect(error?.diagnostic(settings).summary.hasSuffix("refused the login") == true)
    #expect(!nobody.questions.isEmpty)
  }

  @Test("a missing ssh is an error with what to install")
  func missingProgram() async throws {
    let server = try SSHServer()
    let settings = try SSHSettings(
      server.host(transport: .ssh), local: server.local, policy: .strict)
    var environment = ProgramEnvironment.current
    environment["PATH"] = server.folder.path
    let session = SystemSession(settings, loop: .next(), environment: environment)
    let error = await #expect(throws: SSHError.self) { _ = try await session.logIn(Trust()) }
    let words = error?.diagnostic(settings)
    #expect(words?.summary == "cannot start ssh")
    #expect(words?.remedy?.contains("openssh-client") == true)
    await session.close()
  }

  @Test("a password and the system's ssh do not go together")
  func password() async throws {
    let server = try SSHServer()
    var settings = try SSHSettings(
      server.host(transport: .ssh), local: server.local, policy: .strict)
    settings.password = SecretValue("hunter2")
    let session = SystemSession(settings, loop: .next())
    await #expect(throws: SSHError.system(.password)) { _ = try await session.logIn(Trust()) }
    await session.close()
  }
}
