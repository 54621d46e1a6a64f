import HelixModel
import HelixPlan
import Testing

@testable import HelixCLI

@Suite("facts for people and programs")
struct FactsTests {
  /// A server of the cluster, by what it answers.
  private static let answers: [FactID: FactAnswer] = [
    FactID("k3s-machine"): FactAnswer(
      status: 0,
      output: """
        machine x86_64
        machine-id 766c9749e0d0
        boot-id 6f0c7d1e
        hostname master-1
        system Debian GNU/Linux 12 (bookworm)
        memory 4028108
        addresses 10.77.0.11

        """),
    FactID("system"): FactAnswer(
      status: 0,
      output: """
        kernel=6.1.0-18-amd64
        virtualisation=kvm
        cpus=2
        MemAvailable=2101248
        SwapTotal=0
        SwapFree=0
        uptime=273845
        zone=/usr/share/zoneinfo/Europe/Berlin
        Version=252.39
        SystemState=running
        user=root
        sudo=ops
        disk:
        /dev/vda1 20509264 6625696 524288 35% /
        addresses:
        2: eth0    inet 10.77.0.11/24 brd 10.77.0.255
        2: eth0    inet6 fe80::1/64 scope link
        5: cni0    inet 10.42.0.1/24 brd 10.42.0.255
        7: veth1    inet6 fe80::2/64 scope link
        routes4:
        default via 10.77.0.1 dev eth0
        end:

        """),
    FactID("k3s-clock"): FactAnswer(status: 0, output: "1795239932 1795239922\n"),
    FactID("k3s-binary"): FactAnswer(status: 0, output: "sha256 ab\nversion v1.29.1+k3s2\n"),
    FactID("k3s-state"): FactAnswer(
      status: 0, output: "unit k3s active enabled\nunit k3s-agent inactive \n"),
  ]

  private func report(
    _ hosts: KeyValuePairs<HostName, Observation.HostAnswers>
  ) -> FactsReport {
    FactsReport(
      Observation(hosts: Dictionary(uniqueKeysWithValues: hosts.map { ($0.key, $0.value) })),
      of: hosts.map(\.key))
  }

  @Test("a host is a block of lines")
  func block() {
    let silent = Diagnostic("cannot connect to worker-1")
    let report = report([
      "worker-1": .unreachable(silent), "master-1": .answered(Self.answers),
    ])
    #expect(!report.isWhole)
    #expect(report.unread.isEmpty, "who asked has told already why a host is silent")
    #expect(
      FactsText().render(report) == """
        master-1
          system         Debian GNU/Linux 12 (bookworm)
          kernel         6.1.0-18-amd64
          machine        x86_64, 2 CPUs, kvm
          memory         3.8 GiB, 2.0 GiB available
          swap           none
          root disk      19.6 GiB, 512 MiB available
          addresses      cni0 10.42.0.1/24
                         eth0 10.77.0.11/24
          default route  10.77.0.1 on eth0 from 10.77.0.11
          systemd        252.39, running
          k3s            v1.29.1+k3s2, k3s active
          login          ops, root through sudo
          hostname       master-1
          machine-id     766c9749e0d0
          boot-id        6f0c7d1e
          up             3 d 4 h
          clock          2026-11-21T05:45:32Z, 10 s ahead of here
          time zone      Europe/Berlin

        """)
  }

  @Test("what a host says of itself cannot move the cursor")
  func escapes() {
    var answers = Self.answers
    answers[FactID("system")]?.output = "kernel=6.1\u{1B}[2J\nuser=root\nend:\n"
    let text = FactsText().render(report(["master-1": .answered(answers)]))
    #expect(text.contains("6.1\\u{1b}[2J"))
  }

  @Test("a host whose answers make no sense is told like one that is silent, and why")
  func unread() throws {
    var answers = Self.answers
    answers[FactID("system")] = nil
    let report = report(["master-1": .answered(answers), "master-2": .answered(Self.answers)])
    #expect(!report.isWhole)
    #expect(report.unread.map(\.place) == [.host("master-1", address: nil)])
    let json = String(decoding: try report.jsonDocument(), as: UTF8.self)
    #expect(json.hasPrefix("{\n  \"format\" : \"helix-infra/facts\",\n  \"hosts\" : {\n"))
    #expect(json.contains(#""summary" : "the host does not say what system it runs""#))
  }
}
