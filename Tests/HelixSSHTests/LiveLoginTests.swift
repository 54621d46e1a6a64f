import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

@Suite(
  "keys on a real sshd", .tags(.live), .serialized,
  .enabled(if: SSHServer.isAvailable, "sshd is not installed"), .timeLimit(.minutes(5)))
struct LiveLoginTests {
  let server: SSHServer
  let bench: LoginBench

  init() async throws {
    server = try await aside { try SSHServer(config: ["MaxStartups 100"]) }
    bench = LoginBench(server)
  }

  private func key(
    _ name: String, _ type: String = "ed25519", bits: String? = nil, passphrase: String = "",
    form: String? = nil
  ) async throws -> String {
    let path = server.folder.file(name)
    var command = [
      "/usr/bin/ssh-keygen", "-q", "-t", type, "-a", "4", "-N", passphrase, "-f", path,
    ]
    if let bits { command += ["-b", bits] }
    if let form { command += ["-m", form] }
    try await aside { [server, command] in
      try LocalProcess(command, log: server.folder.file("keygen-log")).wait()
    }
    return path
  }

  @Test(
    "key files of every type and form log in, also without the public half beside them",
    arguments: [
      ("ed25519", "256"), ("ecdsa", "256"), ("ecdsa", "384"), ("ecdsa", "521"), ("rsa", "2048"),
    ])
  func forms(type: String, bits: String) async throws {
    for form in ["RFC4716", "PEM", "PKCS8"] {
      let key = try await key(form, type, bits: bits, form: form)
      try bench.authorize(key)
      #expect(try await bench.logIn(key: key) == "in\n")
      try FileManager.default.removeItem(atPath: key + ".pub")
      #expect(try await LoginBench(server).logIn(key: key) == "in\n")
    }
  }

  @Test("an ed25519 key of openssl's logs in")
  func opensslKey() async throws {
    let path = server.folder.file("pkcs8")
    try runLocally("/usr/bin/openssl", "genpkey", "-algorithm", "ed25519", "-out", path)
    chmod(path, 0o600)
    guard case .success(let file?) = KeyFile.load(path), let shown = file.publicKey else {
      Issue.record("the key cannot be read")
      return
    }
    try server.folder.write(
      "ssh-ed25519 \(Base64.encode(shown.blob))\n", to: "authorized_keys")
    #expect(try await bench.logIn(key: path) == "in\n")
  }

  @Test(
    "a server that takes only one hash for RSA signatures gets it",
    arguments: ["rsa-sha2-256", "rsa-sha2-512"])
  func rsaHashes(algorithm: String) async throws {
    let (server, key) = try await aside {
      let server = try SSHServer(config: ["PubkeyAcceptedAlgorithms \(algorithm)"])
      return (server, try makeKey(in: server.folder, "rsa", type: "rsa"))
    }
    let bench = LoginBench(server)
    try bench.authorize(key)
    #expect(try await bench.logIn(key: key) == "in\n")
    let agent = try LocalAgent(in: server.folder)
    try agent.add(key)
    #expect(try await bench.logIn(bench.settings { $0.agentSocket = agent.socket }) == "in\n")
  }

  @Test("twelve hosts that need a locked key ask for its passphrase once")
  func oneQuestion() async throws {
    let prompter = ScriptedPrompter(["wrong", "secret"], delay: .milliseconds(100))
    let bench = LoginBench(server, prompter: prompter)
    let key = try await key("locked", "ecdsa", passphrase: "secret", form: "PKCS8")
    try bench.authorize(key)
    let settings = try bench.settings { $0.identityFiles = [key] }
    try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 1...12 { group.addTask { try await bench.logIn(settings) } }
      for try await output in group { #expect(output == "in\n") }
    }
    #expect(
      prompter.questions == [
        "Enter passphrase for key '\(key)': ", "Bad passphrase, try again for key '\(key)': ",
      ])
  }

  @Test("nobody is asked for the passphrase of a key that the server would refuse")
  func noUselessQuestion() async throws {
    let prompter = ScriptedPrompter(["secret"])
    let bench = LoginBench(server, prompter: prompter)
    let key = try await key("locked", passphrase: "secret")
    let error = try await bench.refusal(bench.settings { $0.identityFiles = [key] })
    guard case .loginRefused(let attempts) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(attempts.refused.count == 1 && attempts.refused[0].contains(key))
    #expect(attempts.serverTakes == ["publickey"])
    #expect(prompter.questions.isEmpty)
  }

  @Test("after three wrong passphrases the key is given up for the rest of the run")
  func wrongPassphrases() async throws {
    let prompter = ScriptedPrompter(["1", "2", "3", "secret"])
    let bench = LoginBench(server, prompter: prompter)
    let key = try await key("locked", passphrase: "secret")
    try bench.authorize(key)
    let settings = try bench.settings { $0.identityFiles = [key] }
    for _ in 0..<2 {
      #expect(
        try await bench.refusal(settings) == .keyFile(.wrongPassphrase(path: key, tries: 3)))
    }
    #expect(prompter.questions.count == 3)
    // Without anybody to ask, the error says how to go on.
    let alone = try await LoginBench(server).refusal(settings)
    #expect(alone == .keyFile(.encrypted(path: key, .nobody)))
    #expect(
      alone?.diagnostic(settings).remedy
        == "load it into the agent: ssh-add \(key); or run in a terminal")
  }

  @Test("a locked default key is asked for only when nothing else lets in")
  func lockedDefault() async throws {
    let prompter = ScriptedPrompter(["secret"])
    let bench = LoginBench(server, prompter: prompter)
    let (locked, plain) = (
      try await key("first", passphrase: "secret"), try await key("second")
    )
    try server.folder.write(
      server.folder.text(of: "first.pub") + server.folder.text(of: "second.pub"),
      to: "authorized_keys")
    let settings = try bench.settings { $0.defaultIdentityFiles = [locked, plain] }
    #expect(try await bench.logIn(settings) == "in\n")
    #expect(prompter.questions.isEmpty)
    try bench.authorize(locked)
    #expect(try await bench.logIn(settings) == "in\n")
    #expect(prompter.questions.count == 1)
  }

  @Test("the time that a person takes does not count against the login")
  func patience() async throws {
    let prompter = ScriptedPrompter(["secret"], delay: .seconds(8))
    let bench = LoginBench(server, prompter: prompter)
    let key = try await key("locked", passphrase: "secret")
    try bench.authorize(key)
    let settings = try bench.settings {
      $0.identityFiles = [key]
      $0.loginTimeout = .seconds(6)
    }
    #expect(try await bench.logIn(settings) == "in\n")
  }

  /// A login with keys whose passphrases take longer than the server waits; how often it was tried.
  private func impatience(
    _ names: [String], config: [String] = [], _ prompter: ScriptedPrompter
  ) async throws -> (error: SSHError?, logins: Int) {
    let (server, relay, keys) = try await aside {
      let server = try SSHServer(config: ["LoginGraceTime 2"] + config)
      let keys = try names.map { try makeKey(in: server.folder, $0, passphrase: "secret") }
      try server.folder.write(
        names.map { server.folder.text(of: "\($0).pub") }.joined(), to: "authorized_keys")
      return (server, try Relay(to: server) { _ in .init() }, keys)
    }
    defer { relay.stop() }
    let bench = LoginBench(server, prompter: prompter)
    let error = try await bench.refusal(
      bench.settings {
        $0.identityFiles = keys
        $0.hostKeyAlias = "[\($0.address)]:\($0.port)"
        $0.port = relay.port
      })
    return (error, relay.passed.count)
  }

  @Test(
    "a server that does not wait for a passphrase is logged in to again, and nobody asked again")
  func lateAnswer() async throws {
    let prompter = ScriptedPrompter(["secret"], delay: .seconds(4))
    let (error, logins) = try await impatience(["locked"], prompter)
    #expect(error == nil)
    #expect(prompter.questions.count == 1)
    #expect(logins == 2)
  }

  @Test("a server that does not wait is logged in to again once, and then blamed")
  func lateAnswers() async throws {
    let prompter = ScriptedPrompter(["secret", "secret"], delay: .seconds(4))
    let (error, logins) = try await impatience(
      ["first", "second"], config: ["AuthenticationMethods publickey,publickey"], prompter)
    #expect(error == .outwaited(said: nil))
    let words = try error?.diagnostic(bench.settings())
    #expect(words?.remedy == "load the key into an agent beforehand: ssh-add")
    #expect(prompter.questions.count == 2)
    #expect(logins == 2)
  }

  @Test("a login that is given up ends its question")
  func givenUp() async throws {
    let prompter = ScriptedPrompter(["secret"], delay: .seconds(100))
    let bench = LoginBench(server, prompter: prompter)
    let key = try await key("locked", passphrase: "secret")
    try bench.authorize(key)
    let settings = try bench.settings { $0.identityFiles = [key] }
    let link = HostLink(
      settings, trust: bench.trust, limiter: ConnectionLimiter(), report: { _ in })
    let asking = Task { try await link.liveSession() }
    while prompter.questions.isEmpty { try await Task.sleep(for: .milliseconds(20)) }
    await link.close()
    await #expect(throws: SSHError.closed) { try await asking.value }
    // The answer that comes too late was not kept: it is asked anew.
    let later = Task { try await bench.logIn(settings) }
    while prompter.questions.count < 2 { try await Task.sleep(for: .milliseconds(20)) }
    later.cancel()
  }

  @Test("the passphrase can come from a terminal, and from SSH_ASKPASS")
  func realPrompts() async throws {
    let terminal = try PseudoTerminal()
    let key = try await key("locked", passphrase: "pass word")
    try bench.authorize(key)
    let typed = LoginBench(
      server, prompter: TerminalPrompter(terminal: terminal.path, askpass: AskPass { _ in nil }))
    let login = Task { try await typed.logIn(key: key) }
    #expect(await terminal.read(until: "': ") == "Enter passphrase for key '\(key)': ")
    terminal.type("pass word\n")
    #expect(try await login.value == "in\n")
    let program = try server.folder.program("#!/bin/sh\necho 'pass word'\n", "ask")
    let variables = ["SSH_ASKPASS": program, "SSH_ASKPASS_REQUIRE": "force"]
    let asked = LoginBench(
      server, prompter: TerminalPrompter(terminal: "/nowhere", askpass: AskPass { variables[$0] }))
    #expect(try await asked.logIn(key: key) == "in\n")
  }
}
