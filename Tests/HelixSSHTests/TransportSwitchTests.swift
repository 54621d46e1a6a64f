import HelixModel
import Testing

@testable import HelixSSH

@Suite("which program speaks ssh with a host")
struct TransportSwitchTests {
  private func settings(_ change: (inout SSHSettings) -> Void) throws -> SSHSettings {
    let host = HelixModel.Host(
      name: "h", connection: Connection(address: "192.0.2.1"), groups: [], variables: Mapping(),
      location: SourceLocation(file: "hosts.yaml", line: 1, column: 1))
    let local = LocalUser(name: "me", home: "/nonexistent", agentSocket: nil)
    var settings = try SSHSettings(host, local: local, policy: .strict)
    change(&settings)
    return settings
  }

  @Test("the inventory's choice comes first, then what the configuration needs")
  func beginning() throws {
    #expect(try TransportSwitch(settings { _ in }) == .native)
    #expect(try TransportSwitch(settings { $0.transport = .ssh }) == .system(nil))
    #expect(
      try TransportSwitch(settings { $0.needsSystem = ["a", "b"] }) == .system("a; b"))
    #expect(
      try TransportSwitch(
        settings {
          $0.needsSystem = ["a"]
          $0.transport = .libssh2
        }) == .native)
  }

  @Test("only what libssh2 cannot do goes on with the system's ssh, and only by itself")
  func taking() throws {
    let gap = SSHError.noCommonAlgorithm(
      AlgorithmGap(purpose: "cipher", offered: ["a"], ours: ["b"]))
    #expect(
      try TransportSwitch.reason(for: gap, settings { _ in })
        == "libssh2 has no cipher algorithm in common with the host")
    #expect(try TransportSwitch.reason(for: gap, settings { $0.transport = .libssh2 }) == nil)
    #expect(
      try TransportSwitch.reason(for: gap, settings { $0.password = SecretValue("x") }) == nil)
    let ticket = SSHError.loginRefused(
      LoginAttempts(serverTakes: ["publickey", "gssapi-with-mic"]))
    #expect(
      try TransportSwitch.reason(for: ticket, settings { $0.mayShowTicket = true })
        == "libssh2 cannot show the Kerberos ticket that the host would take")
    #expect(try TransportSwitch.reason(for: ticket, settings { _ in }) == nil)
    let changed = SSHError.hostKey(.changed(HostKey(blob: []), name: "h", known: []))
    for error in [changed, .closed, .unreachable([]), .timedOut(.logIn, after: .seconds(1))] {
      #expect(try TransportSwitch.reason(for: error, settings { _ in }) == nil)
    }
  }
}
