import HelixModel
import HelixPlan

/// The steps that bring k3s on a node to where it is needed.
struct ServiceSteps {
  let service: K3sService
  let need: ServiceNeed
  let view: NodeView
  /// The machine of the server that begins the cluster, when this one is the first to join it.
  let first: MachineFacts?
  /// A release that has not been seen well on the node yet; nil when there is no such thing.
  let onTrial: K3sVersion?

  private var node: K3sNode { service.node }
  private var role: K3sRoleOfNode { node.role }
  private var unit: String { "\(role.service).service" }

  private var gate: HealthGate { HealthGate(node: node, release: view.release?.to) }

  var all: [Step] {
    switch role {
    case .server: [serverStep] + [tieStep, trialStep(after: verb)].compactMap(\.self)
    case .agent:
      [agentStep]
        + [nodeStep, trialStep(after: nodeStep?.id.name ?? verb)].compactMap(\.self)
    }
  }

  /// A step of its own: were it to fail, nothing would have to be taken back.
  private func trialStep(after step: String) -> Step? {
    guard let onTrial else { return nil }
    return Step(
      StepID(service.address, "settle"), title: "note that \(node.host) is well with \(onTrial)",
      on: node.host, after: [StepID(service.address, step)],
      [.run(script: "rm -f \(K3sPaths.trial)")])
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
}

// MARK: - Servers

extension ServiceSteps {
  private var serverStep: Step {
    var instructions = [command] + gate.onNode
    if view.entry == .initialise {
      instructions += [.wait(tokenIsThere), .learn(JoinPoint.Identity.name, script: caHash)]
    }
    return service.step(
      verb, "\(title) and wait until it is healthy", instructions, undo: rollback,
      spends: budget, brings: node.host)
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

// MARK: - Agents

extension ServiceSteps {
  private var agentStep: Step {
    // What a node that joins lacks is seen better from a server, which knows it not yet or well.
    let gate = onTrial == nil ? [.wait(gate.runs)] : gate.onNode
    return service.step(
      verb, "\(need.isRestart ? "restart" : "start") k3s on \(node.host) and wait until it runs",
      [command] + gate, undo: rollback)
  }

  /// An agent cannot ask about its own node, so a server does.
  private var nodeStep: Step? {
    guard let server = witness else { return nil }
    return Step(
      StepID(service.address, "ready"),
      title: "see on \(server) that \(node.name) is \(gate.readyWord)",
      host: server, after: [StepID(service.address, verb)], instructions: [.wait(gate.isReady)],
      timeout: 660)
  }

  private var witness: HostName? {
    view.survey.speaker(for: node)?.host ?? view.entry.joinPoint?.server
      ?? view.survey.holders.first?.host
  }
}

// MARK: - The way back

extension ServiceSteps {
  /// Back to the kept binary, where the node does not come up healthy with another release.
  private var rollback: [Instruction] {
    guard let release = view.release, need.isRestart else { return [] }
    return [.run(script: restorePrevious(release.from))] + HealthGate(node: node).onNode
  }

  /// A second name of the kept binary, which stays where it is: a copy would need room on a disk that
  /// holds two already.
  private func restorePrevious(_ before: K3sVersion) -> String {
    """
    # put the kept k3s back on \(node.host), and restart it
    set -e
    [ -f \(K3sPaths.previousBinary) ] || { echo 'no binary was kept to go back to' >&2; exit 1; }
    # It may be of an earlier upgrade: somebody can have put the new one there by hand. It calls
    # itself what its file is called.
    case $(timeout 20 \(K3sPaths.previousBinary) --version 2>/dev/null) in
    k3s*\(shellQuoted(" version \(before) "))*) ;;
    *) echo \(shellQuoted("the binary that was kept is not \(before), which ran before")) >&2; exit 1 ;;
    esac
    echo \(shellQuoted("\(node.host) goes back to the kept k3s"))
    if ! [ \(K3sPaths.binary) -ef \(K3sPaths.previousBinary) ]; then
      ln -f \(K3sPaths.previousBinary) \(K3sPaths.binary).back 2>/dev/null ||
        cp -p \(K3sPaths.previousBinary) \(K3sPaths.binary).back
      sync \(K3sPaths.binary).back
      mv -f \(K3sPaths.binary).back \(K3sPaths.binary)
    fi
    rm -f \(K3sPaths.trial)
    systemctl reset-failed \(unit) 2>/dev/null || true
    systemctl --no-block restart \(unit)
    """
  }
}
