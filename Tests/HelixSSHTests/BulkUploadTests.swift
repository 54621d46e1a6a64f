import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

private let mebibyte = 1024 * 1024
private let block = SharedFile.blockSize

@Suite(
  "large files on a second connection", .tags(.live),
  .enabled(if: SSHServer.isAvailable, "sshd is not installed"),
  .enabled(if: SSHSettings.isLibrarySlow, "this libssh2 is fast by itself"),
  .timeLimit(.minutes(2)))
struct BulkUploadTests {
  let events = EventLog()
  let large = TransferWays.bulkSize + 5

  /// Sends files one after the other with one provider.
  private func send(
    _ cargoes: [Cargo], to host: HelixModel.Host, _ server: SSHServer,
    prompter: any Prompter = Nobody(), local: LocalUser? = nil
  ) async throws {
    let provider = SSHShellProvider(
      local: local ?? server.local, prompter: prompter, report: events.add)
    do {
      let shell = try await provider.shell(to: host)
      for cargo in cargoes { try await shell.send(cargo.transfer()) }
      await provider.closeAll()
    } catch {
      await provider.closeAll()
      throw error
    }
  }

  private var refusals: Int {
    events.count { if case .bulkRefused = $0 { true } else { false } }
  }

  private var connections: Int {
    events.count { if case .connected = $0 { true } else { false } }
  }

  /// Logins that the server let in.
  private func logins(_ server: SSHServer) -> Int {
    server.log.ranges(of: "Accepted publickey").count
  }

  /// The processes of masters that connect to a port.
  private func masters(_ port: Int) throws -> String {
    try runLocally("/usr/bin/pgrep", "-f", "^[^ ]*ssh -M .* Port=\(port) ")
  }

  @Test("a large file goes over the system's ssh, later ones share it, and nothing is left of it")
  func large() async throws {
    let server = try SSHServer()
    let cargoes = [try Cargo(random: large), try Cargo(random: large)]
    try await send(cargoes, to: server.host(), server)
    for cargo in cargoes { #expect(cargo.arrived == cargo.bytes) }
    #expect(logins(server) == 2)
    #expect(events.count { $0 == .bulkConnected("h1") } == 1)
    #expect(connections == 1)
    #expect(events.count { if case .secondTransport = $0 { true } else { false } } == 0)
    #expect(try masters(server.port).isEmpty)
  }

  @Test("a small file stays, and so does the small rest of a large one")
  func small() async throws {
    let server = try SSHServer()
    let small = try Cargo(random: TransferWays.bulkSize - 1)
    try await send([small], to: server.host(), server)
    #expect(small.arrived == small.bytes)
    #expect(logins(server) == 1)
    let rest = try Cargo(random: large)
    try rest.leave(rest.bytes.prefix(3 * block))
    let relay = try Relay(to: server) { _ in .init() }
    defer { relay.stop() }
    try await send([rest], to: relay.host(server), server)
    #expect(rest.arrived == rest.bytes)
    #expect((relay.passed.first ?? 0) > rest.bytes.count - 3 * block)
  }

  @Test("where somebody chose the transport, a large file stays with it")
  func chosen() async throws {
    let server = try SSHServer()
    let cargo = try Cargo(random: large)
    try await send([cargo], to: server.host(transport: .libssh2), server)
    #expect(cargo.arrived == cargo.bytes)
    #expect(logins(server) == 1)
  }

  @Test("when ssh cannot log in, large files stay, and it is tried once")
  func refused() async throws {
    let server = try SSHServer()
    let cargoes = [try Cargo(random: large), try Cargo(random: large)]
    // What we pass over, ssh refuses to read.
    let host = try server.host(options: ["Compression=perhaps"])
    try await send(cargoes, to: host, server)
    for cargo in cargoes { #expect(cargo.arrived == cargo.bytes) }
    #expect(refusals == 1)
    #expect(logins(server) == 1)
  }

  @Test("a key file that had to be unlocked is not asked for again")
  func locked() async throws {
    let server = try SSHServer()
    let key = try makeKey(in: server.folder, "locked", passphrase: "open")
    try server.folder.write(
      server.folder.text(of: "authorized_keys") + server.folder.text(of: "locked.pub"),
      to: "authorized_keys")
    let cargo = try Cargo(random: large)
    let person = BulkPerson()
    try await send([cargo], to: server.host(key: key), server, prompter: person)
    #expect(cargo.arrived == cargo.bytes)
    #expect(person.questions.withLock { $0 } == 1)
    #expect(logins(server) == 1)
    #expect(refusals == 0)
  }

  @Test("passwords, jump hosts and programs on the way keep a host on one connection")
  func settings() throws {
    let server = try SSHServer()
    let plain = try SSHSettings(server.host(), local: server.local, policy: .strict)
    let entrance = Entrance.keyFile(path: server.userKey)
    let bulk = try #require(plain.forBulk(at: "127.0.0.1", entrance))
    #expect(bulk.identityFiles == [server.userKey])
    #expect(bulk.identitiesOnly)
    for change: (inout SSHSettings) -> Void in [
      { $0.password = SecretValue("x") }, { $0.jumps = [plain] }, { $0.proxyCommand = "nc a 1" },
      { $0.transport = .ssh },
    ] {
      var other = plain
      change(&other)
      #expect(other.forBulk(at: "127.0.0.1", entrance) == nil)
    }
  }

  @Test("algorithms are preferred only where nobody chose")
  func algorithms() throws {
    let server = try SSHServer()
    for (options, isPreferred) in [([], true), (["Ciphers=aes256-ctr"], false)] {
      let settings = try SSHSettings(
        server.host(options: options), local: server.local, policy: .strict)
      let words = settings.forBulk(at: "127.0.0.1", .agent)?.systemArguments ?? []
      #expect(words.contains("Ciphers=^aes128-gcm@openssh.com") == isPreferred)
      #expect(words.contains("KexAlgorithms=^curve25519-sha256"))
    }
  }

  @Test("a transfer that is cut there goes on behind a whole block, on the first connection")
  func cut() async throws {
    // What is left after the cut would still be large enough.
    let cargo = try Cargo(random: 2 * large)
    let server = try SSHServer()
    let relay = try Relay(to: server) {
      $0 == 1 ? .init(cutAfter: 5 * block + 3 * mebibyte) : .init()
    }
    defer { relay.stop() }
    try await send([cargo], to: relay.host(server), server)
    #expect(cargo.arrived == cargo.bytes)
    #expect(relay.passed.count == 2)
    // What a server holds of a connection that is cut may be lost.
    let rest = cargo.bytes.count - 5 * block
    #expect((rest...rest + block + 300_000).contains(relay.passed[0]), "\(relay.passed)")
    #expect(try masters(relay.port).isEmpty)
  }

  @Test("a kept connection takes the second one along, and is listed once")
  func kept() async throws {
    let server = try SSHServer()
    let house = try KeeperHouse()
    let run = house.run(server, events)
    let cargo = try Cargo(random: large)
    try await run.shell(to: server.host()).send(cargo.transfer())
    await run.closeAll()
    #expect(cargo.arrived == cargo.bytes)
    #expect(events.count { $0 == .bulkConnected("h1") } == 1)
    #expect(try !masters(server.port).isEmpty)
    #expect(try await house.connections.list().count == 1)
    try await house.connections.end()
    #expect(try await house.isGone())
    for _ in 0..<100 where try !masters(server.port).isEmpty {
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(try masters(server.port).isEmpty)
  }
}

/// Knows one passphrase, and counts how often it is wanted.
private final class BulkPerson: Prompter {
  let questions = Lock(0)

  func ask(_ question: String) async throws(PromptFailure) -> SecretValue {
    questions.withLock { $0 += 1 }
    return SecretValue("open")
  }
}
