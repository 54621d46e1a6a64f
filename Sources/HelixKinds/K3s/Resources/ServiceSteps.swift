import HelixModel
import HelixPlan

/// The steps that bring k3s on a node to where it is needed.
struct ServiceSteps {
  let service: K3sService
  let need: ServiceNeed
  let view: NodeView
  /// The machine of the server that begins the cluster, when this one is the first to join it.
  let first: MachineFacts?

  private var node: K3sNode { service.node }
  private var role: K3sRoleOfNode { node.role }
  private var unit: String { "\(role.service).service" }

  private static let startTimeout = 600

  var all: [Step] {
    switch role {
    case .server: [serverStep] + [tieStep].compactMap(\.self)
    case .agent: [agentStep] + [nodeStep].compactMap(\.self)
    }
  }

  private var verb: String {
    switch need.sort {
    case .start, .resume: "start"
    case .restart: "restart"
    case .wait: "wait"
    }
  }

  /// What is said to systemd; never waiting, because a k3s that cannot join would block for ever.
  private var command: Instruction {
    let order = need.isRestart ? "restart" : "start"
    return .run(
      script: """
        set -e
        systemctl daemon-reload
        systemctl enable --quiet \(unit)
        systemctl reset-failed \(unit) 2>/dev/null || true
        systemctl --no-block \(order) \(unit)
        """)
  }

  /// Active, and no order to systemd pending: right after a restart was ordered, the old process
  /// may still stand.
  private var runs: Wait {
    Wait(
      "\(role.service) runs on \(node.host)",
      script: """
        job=$(systemctl show -p Job \(unit) | cut -d= -f2)
        [ "${job:-0}" = 0 ] && systemctl is-active --quiet \(unit)
        """,
      timeout: Self.startTimeout, interval: 2, diagnosis: JoinDiagnosis.name)
  }
}

// MARK: - Servers

extension ServiceSteps {
  private var serverStep: Step {
    var instructions: [Instruction] = [
      command, .wait(runs), .wait(answers), .wait(etcdIsHealthy), .wait(takesPart),
    ]
    if view.entry == .initialise {
      instructions += [.wait(tokenIsThere), .learn(JoinPoint.Identity.name, script: caHash)]
    }
    return service.step(
      verb, "\(title) and wait until it is healthy", instructions,
      spends: budget)
  }

  private var title: String {
    switch (need.sort, view.entry) {
    case (.start, .initialise): "begin the cluster on \(node.host)"
    case (.start, _): "join \(node.host) as a server"
    case (.resume, _): "start k3s on \(node.host)"
    case (.restart, _): "restart k3s on \(node.host)"
    case (.wait, _): "look at k3s on \(node.host)"
    }
  }

  /// Once it has a peer, the server that began the cluster must never begin one again, were its
  /// data lost.
  private var tieStep: Step? {
    guard let first, let server = node.cluster.managedServers.first else { return nil }
    var beginner = node
    beginner.member = server
    let tied = beginner.settings(
      .member(.joins(url: node.cluster.url(node.member))), addresses: first.addresses)
    return Step(
      StepID(service.address, "tie"),
      title: "let \(server.host) find back into the cluster through \(node.host)",
      host: server.host, after: [StepID(service.address, verb)],
      instructions: K3sConfig.tie(tied))
  }

  private var budget: Budget? {
    switch need.sort {
    case .start: .membership
    case .restart: .voter(node.host)
    case .resume, .wait: nil
    }
  }

  private var answers: Wait {
    Wait(
      "the API on \(node.host) answers",
      script: "timeout 15 \(K3sPaths.binary) kubectl get --raw /readyz >/dev/null",
      timeout: Self.startTimeout, interval: 2, diagnosis: JoinDiagnosis.name)
  }

  /// A server whose data is in SQLite has no etcd to ask.
  private var etcdIsHealthy: Wait {
    Wait(
      "etcd on \(node.host) is healthy",
      script: """
        \(ShellLibrary.http)
        [ ! -d \(K3sPaths.etcdMember) ] ||
          helix_http 127.0.0.1 2381 /health | grep -q '"health": *"true"'
        """,
      timeout: Self.startTimeout, interval: 2, diagnosis: JoinDiagnosis.name)
  }

  private var takesPart: Wait {
    Wait(
      "\(node.name) is \(readyWord) and votes",
      script: """
        set -- $(timeout 15 \(K3sPaths.binary) kubectl get node \(shellQuoted(node.name)) \\
          -o jsonpath=\(shellQuoted(Self.conditions)))
        \(readiness) && { [ "$2" = voter=True ] || [ ! -d \(K3sPaths.etcdMember) ]; }
        """,
      timeout: Self.startTimeout, interval: 2, diagnosis: JoinDiagnosis.name)
  }

  private var tokenIsThere: Wait {
    Wait(
      "the cluster's token is written", script: "[ -s \(K3sPaths.serverToken) ]", timeout: 120,
      diagnosis: JoinDiagnosis.name)
  }

  private var caHash: String {
    """
    set -e
    \(ShellLibrary.caHash)
    helix_ca_hash <\(K3sPaths.serverCA)
    """
  }
}

// MARK: - Readiness

extension ServiceSteps {
  private static let conditions =
    #"ready={.status.conditions[?(@.type=="Ready")].status} "#
    + #"voter={.status.conditions[?(@.type=="EtcdIsVoter")].status}"#

  private var readyWord: String { node.cluster.bringsNetwork ? "ready" : "registered" }

  /// Where the user brings the network plugin, a node is not ready before it is installed, and the
  /// plugin is not installed before there are nodes.
  private var readiness: String {
    node.cluster.bringsNetwork
      ? #"[ "$1" = ready=True ]"#
      : #"case $1 in ready=True | ready=False) true ;; *) false ;; esac"#
  }
}

// MARK: - Agents

extension ServiceSteps {
  private var agentStep: Step {
    service.step(
      verb, "\(need.isRestart ? "restart" : "start") k3s on \(node.host) and wait until it runs",
      [command, .wait(runs)])
  }

  /// An agent cannot ask about its own node, so a server does.
  private var nodeStep: Step? {
    guard let server = witness else { return nil }
    let wait = Wait(
      "\(node.name) is \(readyWord)",
      script: """
        set -- $(timeout 15 \(K3sPaths.binary) kubectl get node \(shellQuoted(node.name)) \\
          -o jsonpath=\(shellQuoted(Self.conditions)))
        \(readiness)
        """,
      timeout: Self.startTimeout, interval: 2)
    return Step(
      StepID(service.address, "ready"), title: "see on \(server) that \(node.name) is \(readyWord)",
      host: server, after: [StepID(service.address, verb)], instructions: [.wait(wait)],
      timeout: 660)
  }

  private var witness: HostName? {
    view.survey.speaker(for: node)?.host ?? view.entry.joinPoint?.server
      ?? view.survey.holders.first?.host
  }
}
