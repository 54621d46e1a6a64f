import HelixModel
import HelixPlan

/// Checks that a host can carry k3s and belongs to this cluster; it never changes anything.
struct K3sHost: K3sResource {
  static let kind = "k3s-host"
  let node: K3sNode

  private var ports: Fact<[TakenPort]>? { node.cluster.facts.ports[node.role] }

  var ownQuestions: [Question] {
    [Question(MachineFacts.fact, on: node.host), Question(ClockReading.fact, on: node.host)]
      + (ports.map { [Question($0, on: node.host)] } ?? [])
  }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let machine = try sight.read(MachineFacts.fact, on: node.host)
    let state = try sight.read(NodeState.fact, on: node.host)
    let survey = try ClusterSurvey.read(node.cluster, &sight)
    if case .unclear(let diagnostic) = survey.standing { return .refused(diagnostic) }
    var problems = [
      belonging(state, survey), unfit(machine),
      clones(machine, try Fellows.read(node.cluster, &sight)),
    ]
    problems.append(try skew(&sight))
    if !survey.isMember(node, state) { problems.append(cramped(machine)) }
    problems.append(try taken(&sight))
    if let problem = problems.compactMap(\.self).first { return .refused(problem) }
    return .unchanged(reason: "\(machine.machine), \(machine.system), in time, ports free")
  }

  private func refusal(_ summary: String, _ reason: String, _ remedy: String) -> Diagnostic {
    Diagnostic(
      summary, reason: reason, remedy: remedy,
      at: .host(node.host, address: node.member.address))
  }
}

// MARK: - The machine

extension K3sHost {
  private func unfit(_ machine: MachineFacts) -> Diagnostic? {
    if ArtifactReference.k3s(node.cluster.version.value, machine: machine.machine) == nil {
      return refusal(
        "no k3s release runs on \(node.host)", "it is a \(machine.machine) machine",
        "k3s is released for x86_64, aarch64, armv7l and s390x")
    }
    if !machine.hasSystemd {
      return refusal(
        "\(node.host) is not run by systemd", "k3s is kept running by a systemd unit",
        "use a distribution with systemd")
    }
    if !machine.hasMemoryController {
      return refusal(
        "\(node.host) has no memory cgroup", "the kubelet cannot limit memory without it",
        "add cgroup_memory=1 cgroup_enable=memory to the kernel's command line and reboot")
    }
    return nil
  }

  private func cramped(_ machine: MachineFacts) -> Diagnostic? {
    guard let place = machine.crampedPlaces.first else { return nil }
    let needed =
      place == "/var/lib" ? MachineFacts.neededForData : MachineFacts.neededForBinary
    return refusal(
      "\(node.host) has too little room in \(place)",
      "a first install of k3s needs \(needed >> 10) MiB there", "free or add disk space")
  }

  private func clones(_ machine: MachineFacts, _ fellows: Fellows) -> Diagnostic? {
    let twins = (fellows.byMachineID[machine.machineID] ?? []).filter { $0 != node.host }
    guard !twins.isEmpty else { return nil }
    let all = ([node.host] + twins).sorted().map(\.rawValue).joined(separator: ", ")
    return Diagnostic(
      "\(all) have one machine-id", reason: "they are clones: nodes and leases would be mixed up",
      remedy: "on all but one: rm /etc/machine-id; systemd-machine-id-setup; reboot")
  }

  private func skew(_ sight: inout Sight) throws(Diagnostic) -> Diagnostic? {
    let clock = try sight.read(ClockReading.fact, on: node.host)
    guard let median = try Fellows.read(node.cluster, &sight).medianClock else { return nil }
    let apart = clock.offset - median
    guard abs(apart) > ClockReading.tolerance else { return nil }
    return refusal(
      "the clock of \(node.host) is \(abs(apart)) s \(apart > 0 ? "ahead" : "behind")",
      "certificates made by other nodes would not be valid there",
      "let it keep time with the others, for example with systemd-timesyncd")
  }

  private func taken(_ sight: inout Sight) throws(Diagnostic) -> Diagnostic? {
    guard let ports, let port = try sight.read(ports, on: node.host).first else { return nil }
    return refusal(
      "port \(port.port) is taken on \(node.host)",
      "\(port.process ?? "a process") listens there, so k3s cannot",
      "stop \(port.process ?? "it") on \(node.host)")
  }
}

// MARK: - The cluster

extension K3sHost {
  /// Whether what the host holds already belongs to the cluster, in the role it is to have.
  private func belonging(_ state: NodeState, _ survey: ClusterSurvey) -> Diagnostic? {
    let otherRole: K3sRoleOfNode = node.role == .server ? .agent : .server
    let other = state.unit(otherRole)
    if other.isActive || other.isStarting || other.isEnabled {
      return refusal(
        "\(node.host) runs k3s as \(otherRole.rawValue), not as \(node.role.rawValue)",
        "a node does not change its role in place",
        "drain it, delete its node, and run \(K3sPaths.uninstallScript(otherRole)) there")
    }
    guard node.role == .agent, let own = state.agentCA else { return nil }
    switch survey.standing {
    case .living(own), .asleep(own), .unseen: return nil
    case .living(let ca), .asleep(let ca):
      return foreign("its CA hash is \(short(own)), that of \(node.cluster.name) is \(short(ca))")
    case .new, .unclear:
      return foreign("its CA hash is \(short(own)), and \(node.cluster.name) does not exist yet")
    }
  }

  private func foreign(_ reason: String) -> Diagnostic {
    refusal(
      "\(node.host) belongs to another cluster", reason,
      "check the inventory; if it may leave, run \(K3sPaths.uninstallScript(.agent)) there")
  }
}

/// What tells the hosts of the cluster from each other.
///
/// It looks at the answers themselves: were every host's facts a reliance of every other's, a plan
/// would grow with the square of the hosts.
struct Fellows: Sendable {
  var byMachineID: [String: [HostName]] = [:]
  var medianClock: Int?

  static func read(
    _ cluster: K3sCluster, _ sight: inout Sight
  ) throws(Diagnostic) -> Fellows {
    try sight.shared(Fellows.self) { (sight) throws(Diagnostic) in
      Fellows(cluster, sight.observation)
    }
  }

  private init(_ cluster: K3sCluster, _ observation: Observation) {
    var offsets: [Int] = []
    for host in (cluster.servers + cluster.agents).map(\.host) {
      if let machine = Self.answer(MachineFacts.fact, host, observation), !machine.machineID.isEmpty
      {
        byMachineID[machine.machineID, default: []].append(host)
      }
      if let clock = Self.answer(ClockReading.fact, host, observation) {
        offsets.append(clock.offset)
      }
    }
    offsets.sort()
    medianClock = offsets.isEmpty ? nil : offsets[offsets.count / 2]
  }

  private static func answer<Value>(
    _ fact: Fact<Value>, _ host: HostName, _ observation: Observation
  ) -> Value? {
    observation.answer(fact.request.id, on: host).flatMap { try? fact.parse($0) }
  }
}
