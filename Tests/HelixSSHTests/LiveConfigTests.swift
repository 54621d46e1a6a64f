import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

/// Hosts that the inventory knows by a name only: all else stands in the user's configuration.
@Suite(
  "hosts of ssh's configuration", .tags(.live), .enabled(if: SSHServer.isAvailable),
  .timeLimit(.minutes(1)))
struct LiveConfigTests {
  private let place = SourceLocation(file: "hosts.yaml", line: 3, column: 7)

  private func host(_ name: String, _ connection: Connection? = nil) -> HelixModel.Host {
    HelixModel.Host(
      name: "n1", connection: connection ?? Connection(address: name), groups: [],
      variables: Mapping(), location: place)
  }

  private func configure(_ server: SSHServer, _ lines: [String]) throws {
    try runLocally("/bin/mkdir", "-p", "-m", "700", server.folder.file(".ssh"))
    let known = try server.knownHosts()
    let all = [
      "Host there", "HostName \(server.address)", "Port \(server.port)",
      "UserKnownHostsFile \(known)",
    ]
    try server.folder.write((lines + all).joined(separator: "\n") + "\n", to: ".ssh/config")
  }

  private func answer(_ server: SSHServer, _ host: HelixModel.Host) async throws -> String {
    let provider = SSHShellProvider(local: server.local)
    do {
      let shell = try await provider.shell(to: host)
      let result = try await shell.run(Command("echo reached", become: .never))
      await provider.closeAll()
      return result.output
    } catch {
      await provider.closeAll()
      throw error
    }
  }

  @Test("such a host is reached with the key, the port and the known hosts of its Host lines")
  func reached() async throws {
    let server = try SSHServer()
    try configure(server, ["IdentityFile \(server.userKey)"])
    #expect(try await answer(server, host("there")) == "reached\n")
    let error = await #expect(throws: Diagnostic.self) {
      try await answer(server, host("elsewhere.invalid"))
    }
    #expect(error?.summary == "the address \"elsewhere.invalid\" cannot be found")
  }

  @Test("a key that only a file names may be missing, one that the inventory names may not")
  func missingKeys() async throws {
    let server = try SSHServer()
    try configure(server, ["IdentityFile ~/nowhere", "IdentityFile \(server.userKey)"])
    #expect(try await answer(server, host("there")) == "reached\n")
    let named = Connection(address: "there", privateKeyFile: server.folder.file("nowhere"))
    let error = await #expect(throws: Diagnostic.self) {
      try await answer(server, host("there", named))
    }
    #expect(error?.summary == "no private key at \(server.folder.file("nowhere"))")
  }

  @Test("the algorithms that a file leaves are the only ones that are offered")
  func algorithms() async throws {
    let server = try SSHServer(config: ["Ciphers aes128-ctr"])
    try configure(server, ["IdentityFile \(server.userKey)", "Ciphers aes256-ctr,aes192-ctr"])
    var settings = try SSHSettings(host("there"), local: server.local, policy: .strict)
    settings.transport = .libssh2
    let link = HostLink(
      settings, trust: Trust(), limiter: ConnectionLimiter(),
      gates: { _ in throw SSHError.closed }, report: { _ in })
    let error = await #expect(throws: SSHError.self) { try await link.liveSession() }
    guard case .noCommonAlgorithm(let gap)? = error else {
      Issue.record("it said \(String(describing: error))")
      return
    }
    #expect(gap.ours == ["aes256-ctr", "aes192-ctr"])
    #expect(gap.offered == ["aes128-ctr"])
    try configure(server, ["IdentityFile \(server.userKey)", "Ciphers ^aes128-*"])
    #expect(try await answer(server, host("there")) == "reached\n")
  }

  @Test("a broken configuration is told before anything is dialled")
  func broken() async throws {
    let server = try SSHServer()
    try configure(server, ["Prot 22"])
    let error = await #expect(throws: Diagnostics.self) { try await answer(server, host("there")) }
    #expect(error?.all.map(\.summary) == ["unknown ssh option \"Prot\""])
  }
}
