import Foundation
import HelixModel
import HelixPlan
import TestSupport
import Testing

@testable import HelixKinds

/// The scripts of facts and steps, run by a real shell in a folder that stands for a host's root.
@Suite("k3s scripts in a shell")
struct K3sShellTests {
  private let root: ScratchFolder
  private let canary = "canary-c0ffee-token"

  init() throws {
    root = try ScratchFolder()
    for folder in ["etc/rancher/k3s/config.yaml.d", "etc/systemd/system", "usr/local/bin"] {
      try root.folder(folder)
    }
  }

  @Test("every script of every plan is POSIX sh", arguments: K3sCase.all)
  func scriptsParse(_ fixture: K3sCase) throws {
    let plan = try plan(fixture.cluster, fixture.observation())
    for instruction in plan.graph.steps.flatMap({ $0.instructions + $0.undo }) {
      guard let script = instruction.script else { continue }
      let result = try run(script: script, in: "sh -n")
      #expect(result.status == 0, "\(script)\n\(result.errors)")
    }
  }

  @Test("the scripts left on hosts are POSIX sh")
  func leftScriptsParse() throws {
    for script in [
      NodeScripts.kill, NodeScripts.uninstall(.server), NodeScripts.uninstall(.agent),
      JoinDiagnosis.diagnosis.script, K3sQuorum.script,
    ] {
      let result = try run(script: script, in: "sh -n")
      #expect(result.status == 0, "\(script)\n\(result.errors)")
    }
  }

  @Test("every fact is answered on a host without k3s, and its answer is understood")
  func factsOnAnyHost() throws {
    #expect(try ask(InstalledBinary.fact) == nil)
    #expect(try ask(TokenFile.fact) == nil)
    #expect(try ask(InstalledConfig.fact).text == nil)
    #expect(try ask(InstalledUnit.fact(.server)).text == nil)
    #expect(try ask(NodeState.fact).serverCA == nil)
    #expect(try ask(NodeList.fact) == nil)
    #expect(try !ask(MachineFacts.fact).machine.isEmpty)
    #expect(try ask(ClockReading.fact).host > 1_700_000_000)
    #expect(try ask(TakenPort.fact([1])) == [])
    #expect(try ask(Served.fact(["127.0.0.1:1"])) == ["127.0.0.1:1": .nothing])
  }

  @Test(
    "what systemd says of both units is told apart, in whatever order it says it",
    arguments: ["sh", "bash", "busybox sh"])
  func units(shell: String) throws {
    let said = """
      systemctl() {
        [ "$1" = show ] || { echo disabled; return 1; }
        printf '%s\\n' MainPID=0 InvocationID= Id=k3s.service ActiveState=failed \
          UnitFileState=enabled '' UnitFileState=disabled Id=k3s-agent.service \
          ActiveState=inactive MainPID=0
      }
      """
    let state = try ask(NodeState.fact, after: said, in: shell)
    // What stands on the disk counts, not what systemd remembers.
    #expect(state.unit(.server) == NodeState.Unit(activity: "failed", isEnabled: false))
    #expect(state.unit(.agent) == NodeState.Unit(activity: "inactive", isEnabled: false))
    let silent = try ask(NodeState.fact, after: "systemctl() { return 1; }", in: shell)
    #expect(silent.unit(.server).activity == "unknown")
  }

  @Test(
    "what a server says of etcd's votes is understood", arguments: ["sh", "bash", "busybox sh"])
  func votes(shell: String) throws {
    let none = try QuorumWord(shellOutput(K3sQuorum.script, in: shell))
    #expect(none == QuorumWord(etcd: .absent, isLearner: false, isReady: false, voters: nil))
    try root.folder("var/lib/rancher/k3s/server/db/etcd/member")
    try root.program(
      """
      #!/bin/sh
      case "$*" in
      *readyz*) exit 0 ;;
      *jobs*) [ "$HELIX_JOBS" != hidden ] || exit 1; printf 'job m1 Complete\\njob m2 \\njob m3 SuccessCriteriaMet Complete\\njob m2 \\n' ;;
      *) printf 'voter=True m1 True\\nvoter= w1 True\\nvoter=True m2 Unknown\\nvoter=False m3 True\\n' ;;
      esac
      """, "usr/local/bin/k3s")
    let said = """
      systemctl() { return 0; }
      curl() {
        case "$*" in
        */health) echo '{"health":"true","reason":""}' ;;
        */metrics) echo 'etcd_server_is_learner 0' ;;
        esac
      }
      """
    #expect(
      try QuorumWord(shellOutput(K3sQuorum.script, after: said, in: shell))
        == QuorumWord(
          etcd: .healthy, isLearner: false, isReady: true, voters: ["m1": true, "m2": false],
          upgrading: ["m2"]))
    // A job that nobody tells of may restart any server.
    let hidden = "export HELIX_JOBS=hidden\n\(said)"
    let blind = try #require(QuorumWord(shellOutput(K3sQuorum.script, after: hidden, in: shell)))
    #expect(!blind.isReady && blind.voters?.count == 2 && blind.upgrading.isEmpty)
    let down = "systemctl() { return 3; }\ncurl() { return 22; }"
    #expect(
      try QuorumWord(shellOutput(K3sQuorum.script, after: down, in: shell))
        == QuorumWord(etcd: .unhealthy, isLearner: false, isReady: false, voters: nil))
  }

  private func shellOutput(
    _ script: String, after prelude: String = "", in shell: String
  ) throws -> String {
    try run(script: "\(prelude)\n\(inRoot(script))", in: shell).output
  }

  #if os(Linux)
    @Test("a port that another process listens on is told with the process's name")
    func takenPort() throws {
      let listener = try Listener()
      let name = try String(contentsOfFile: "/proc/self/comm", encoding: .utf8)
        .trimmingCharacters(in: .newlines)
      #expect(
        try ask(TakenPort.fact([listener.port])) == [
          TakenPort(port: listener.port, process: name)
        ])
    }
  #endif

  @Test("a secret in the config never leaves the host, however it is written")
  func secretsInConfigStay() throws {
    try root.write(
      """
      # token: \(canary)
      token: "\(canary)"   # the \(canary)
      'agent-token': \(canary)
      etcd-s3-secret-key:
        \(canary)
      datastore-endpoint: >-
        mysql://\(canary)
        @tcp(db)/k3s
      disable: [traefik, "servicelb"]
      tls-san:
      # \(canary)
      - 192.0.2.10
      secrets-encryption: true
      """, to: "etc/rancher/k3s/config.yaml")
    try root.write(
      "token: \(canary)\nnode-label+:\n- a=b\n", to: "etc/rancher/k3s/config.yaml.d/a.yaml")
    let (answer, raw) = try askRaw(InstalledConfig.fact)
    #expect(!raw.contains(canary))
    let settings = try #require(answer.text.flatMap { ConfigReader.read($0) })
    #expect(settings["disable"] == .list(["traefik", "servicelb"]))
    #expect(settings["tls-san"] == .list(["192.0.2.10"]))
    #expect(settings["secrets-encryption"] == .text("true"))
    let fingerprint = try fingerprint(of: canary)
    #expect(settings["token"]?.words == [.hidden(fingerprint)])
    #expect(settings["agent-token"]?.words == [.hidden(fingerprint)])
    #expect(answer.overlays == ["a.yaml token node-label+ "])
  }

  @Test("a token file shows its CA and a fingerprint, in the short and the full form")
  func tokenForms() throws {
    let hash = String(repeating: "ab", count: 32)
    let fingerprint = try fingerprint(of: canary)
    try root.write(canary + "\n", to: "etc/rancher/k3s/token")
    var (answer, raw) = try askRaw(TokenFile.fact)
    #expect(answer?.caHash == nil && answer?.password == fingerprint && !raw.contains(canary))
    try root.write("K10\(hash)::server:\(canary)\n", to: "etc/rancher/k3s/token")
    (answer, raw) = try askRaw(TokenFile.fact)
    #expect(answer?.caHash == hash && answer?.password == fingerprint && !raw.contains(canary))
  }

  @Test("a secret in a unit's flags or environment never leaves the host")
  func secretsInUnitStay() throws {
    try root.write(
      """
      [Service]
      Environment=K3S_TOKEN=\(canary)
      ExecStart=/usr/local/bin/k3s \\
          server \\
      \t'--cluster-init' \\
      \t'--token' \\
      \t'\(canary)' \\
      \t'--agent-token=\(canary)' \\
      \t'--disable' 'traefik'

      """, to: "etc/systemd/system/k3s.service")
    try root.write("K3S_TOKEN='\(canary)'\n", to: "etc/systemd/system/k3s.service.env")
    let (answer, raw) = try askRaw(InstalledUnit.fact(.server))
    #expect(!raw.contains(canary))
    #expect(answer.variables == ["K3S_TOKEN"])
    #expect(answer.flags["disable"] == .text("traefik"))
    #expect(answer.flags["cluster-init"] == .text("true"))
    #expect(!answer.does(.server))
  }

  @Test("our own unit and scripts are known again")
  func ownUnit() throws {
    try root.write(NodeScripts.unit(.agent), to: "etc/systemd/system/k3s-agent.service")
    try root.write(NodeScripts.kill, to: "usr/local/bin/k3s-killall.sh")
    let answer = try ask(InstalledUnit.fact(.agent), keepingPathsInside: false)
    #expect(answer.isOurs)
    #expect(answer.scripts.count == 1 && answer.scripts.values.first?.count == 64)
  }

  @Test("a kubeconfig gets its address and names, and nothing else changes")
  func kubeconfig() throws {
    try root.write(
      """
      apiVersion: v1
      clusters:
      - cluster:
          certificate-authority-data: REFUQQ==
          server: https://127.0.0.1:6443
        name: default
      contexts:
      - context:
          cluster: default
          user: default
        name: default
      current-context: default
      users:
      - name: default
        user:
          client-key-data: a2V5

      """, to: "etc/rancher/k3s/k3s.yaml")
    let rewrite = KubeconfigRewrite(server: "https://192.0.2.10:6443", name: "helix")
    let text = try run(script: inRoot(rewrite.script)).output
    #expect(!text.contains("default") && !text.contains("127.0.0.1"))
    #expect(text.contains("server: https://192.0.2.10:6443\n  name: helix\n"))
    #expect(text.contains("- name: helix\n") && text.contains("current-context: helix\n"))
    let served = try #require(try ask(KubeconfigContent.served(rewrite)))
    try root.write(text, to: "kept")
    let path = root.file("kept")
    let kept = try #require(try ask(KubeconfigContent.kept(at: path, name: "helix")))
    #expect(kept.values == served.values && kept.values.count == 3)
    #expect(kept.namesOurs && kept.clusters == 1)
  }

  @Test("a CA is hashed as k3s hashes it: its bytes alone, its root in a chain")
  func caHash() throws {
    let one = "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"
    let root = "-----BEGIN CERTIFICATE-----\nUk9PVA==\n-----END CERTIFICATE-----\n"
    let hash = { (text: String) in
      try run(
        script: "\(ShellLibrary.caHash)\nprintf '%s' \(shellQuoted(text)) | helix_ca_hash"
      ).output
    }
    let sum = { (text: String) in
      try run(script: "printf '%s' \(shellQuoted(text)) | sha256sum | cut -c1-64").output
    }
    #expect(try hash(one) == sum(one))
    #expect(try hash(one + root) == sum("ROOT"))
    #expect(try hash("not found").isEmpty)
  }
}

// MARK: - Running

extension K3sShellTests {
  private func ask<Value>(
    _ fact: Fact<Value>, keepingPathsInside: Bool = true, after prelude: String = "",
    in shell: String = "sh"
  ) throws -> Value {
    try askRaw(fact, keepingPathsInside: keepingPathsInside, after: prelude, in: shell).0
  }

  private func askRaw<Value>(
    _ fact: Fact<Value>, keepingPathsInside: Bool = true, after prelude: String = "",
    in shell: String = "sh"
  ) throws -> (Value, String) {
    let script =
      "HELIX_KEY=key\n\(FactPrelude.script)\n\(prelude)\n\(inRoot(fact.request.command))"
    let result = try run(script: script, in: shell)
    let output =
      keepingPathsInside
      ? result.output.replacingOccurrences(of: root.path, with: "") : result.output
    return (try fact.parse(FactAnswer(status: Int(result.status), output: output)), output)
  }

  /// The script with a host's folders moved below the scratch folder.
  private func inRoot(_ script: String) -> String {
    ["/etc/rancher", "/etc/systemd", "/usr/local/bin", "/var/lib/rancher"].reduce(script) {
      $0.replacingOccurrences(of: $1, with: root.path + $1)
    }
  }

  private func fingerprint(of text: String) throws -> String {
    let script = "HELIX_KEY=key\n\(FactPrelude.script)\nprintf '%s' \(text) | helix_fingerprint"
    return try run(script: script).output.trimmingCharacters(in: .newlines)
  }
}

#if os(Linux)
  /// A socket that listens on a port of the loopback interface for as long as it lives.
  private final class Listener {
    let port: Int
    private let descriptor: Int32

    init() throws {
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      let opened = withUnsafeMutablePointer(to: &address) { [descriptor] pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
          bind(descriptor, pointer, size) == 0 && listen(descriptor, 1) == 0
            && getsockname(descriptor, pointer, &size) == 0
        }
      }
      port = Int(UInt16(bigEndian: address.sin_port))
      try #require(opened)
    }

    deinit { close(descriptor) }
  }
#endif

extension Instruction {
  fileprivate var script: String? {
    switch self {
    case .run(let script), .learn(_, let script): script
    case .feed(let feed): feed.script
    case .wait(let wait): wait.script
    case .fetch(let fetch): fetch.script
    case .launch(let launch): launch.script
    case .write, .install, .reboot: nil
    }
  }
}
