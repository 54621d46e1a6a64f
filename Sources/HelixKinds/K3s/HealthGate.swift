import HelixModel
import HelixPlan

/// What must be seen of a node before the next one has its turn.
struct HealthGate: Sendable {
  let node: K3sNode
  /// The release that the node must report; nil when any will do.
  var release: K3sVersion?

  static let timeout = 600

  private var role: K3sRoleOfNode { node.role }
  private var diagnosis: String {
    (release == nil ? JoinDiagnosis.diagnosis : JoinDiagnosis.afterUpgrade).name
  }
  private var unit: String { "\(role.service).service" }

  /// Active, and no order to systemd pending: right after a restart was ordered, the old process
  /// may still stand.
  var runs: Wait {
    Wait(
      "\(role.service) runs on \(node.host)",
      script: """
        job=$(systemctl show -p Job \(unit) | cut -d= -f2)
        [ "${job:-0}" = 0 ] && systemctl is-active --quiet \(unit)
        """,
      timeout: Self.timeout, interval: 2, diagnosis: diagnosis)
  }

  /// Everything that can be asked on the node itself, in the order in which it comes true.
  var onNode: [Instruction] {
    switch role {
    case .server: [.wait(runs), .wait(answers), .wait(etcdIsHealthy), .wait(takesPart)]
    case .agent: [.wait(runs), .wait(isReadyByItsOwnWord)]
    }
  }
}

// MARK: - Servers

extension HealthGate {
  var answers: Wait {
    Wait(
      "the API on \(node.host) answers",
      script: "timeout 15 \(K3sPaths.binary) kubectl get --raw /readyz >/dev/null",
      timeout: Self.timeout, interval: 2, diagnosis: diagnosis)
  }

  /// A server whose data is in SQLite has no etcd to ask.
  var etcdIsHealthy: Wait {
    Wait(
      "etcd on \(node.host) is healthy",
      script: """
        \(ShellLibrary.http)
        [ ! -d \(K3sPaths.etcdMember) ] ||
          helix_http 127.0.0.1 2381 /health | grep -q '"health": *"true"'
        """,
      timeout: Self.timeout, interval: 2, diagnosis: diagnosis)
  }

  var takesPart: Wait {
    Wait(
      "\(node.name) is \(readyWord) and votes\(releaseWord)",
      script: """
        \(ask())
        \(readiness) && { [ "$2" = voter=True ] || [ ! -d \(K3sPaths.etcdMember) ]; }\(agrees)
        """,
      timeout: Self.timeout, interval: 2, diagnosis: diagnosis)
  }
}

// MARK: - Readiness

extension HealthGate {
  var readyWord: String { node.cluster.bringsNetwork ? "ready" : "registered" }

  private var releaseWord: String { release.map { ", with \($0)" } ?? "" }

  private static let conditions =
    #"ready={.status.conditions[?(@.type=="Ready")].status} "#
    + #"voter={.status.conditions[?(@.type=="EtcdIsVoter")].status}"#

  private func ask(through flags: String = "") -> String {
    let version = release == nil ? "" : " version={.status.nodeInfo.kubeletVersion}"
    return """
      set -- $(timeout 15 \(K3sPaths.binary) kubectl\(flags) get node \(shellQuoted(node.name)) \\
        -o jsonpath=\(shellQuoted(Self.conditions + version)))
      """
  }

  /// Where the user brings the network plugin, a node is not ready before it is installed, and the
  /// plugin is not installed before there are nodes.
  private var readiness: String {
    node.cluster.bringsNetwork
      ? #"[ "$1" = ready=True ]"#
      : #"case $1 in ready=True | ready=False) true ;; *) false ;; esac"#
  }

  private var agrees: String { release.map { #" && [ "$3" = version=\#($0) ]"# } ?? "" }

  /// An agent has no admin's kubeconfig, so a server tells whether its node is ready.
  var isReady: Wait {
    Wait(
      "\(node.name) is \(readyWord)\(releaseWord)",
      script: """
        \(ask())
        \(readiness)\(agrees)
        """,
      timeout: Self.timeout, interval: 2)
  }

  /// What an agent's kubelet may ask about its own node; a rollback has to be decided where it is
  /// done.
  private var isReadyByItsOwnWord: Wait {
    Wait(
      "\(node.name) is \(readyWord)\(releaseWord), by its own kubelet",
      script: """
        [ ! -s \(K3sPaths.kubeletConfig) ] || {
          \(ask(through: " --kubeconfig \(K3sPaths.kubeletConfig)"))
          \(readiness)\(agrees)
        }
        """,
      timeout: Self.timeout, interval: 2, diagnosis: diagnosis)
  }
}
