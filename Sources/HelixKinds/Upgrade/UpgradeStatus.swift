package import HelixModel
package import HelixPlan

/// How far an upgrade is, node by node, and what stands in its way.
package struct UpgradeStatus: Sendable, Equatable, Encodable {
  /// The whole in one word.
  package enum State: String, Sendable, Encodable {
    /// Every node runs the wanted release and is well.
    case done
    /// Nodes still have to come to it.
    case underWay = "under-way"
    /// Something does not go on by itself.
    case stuck
  }

  /// One node.
  package struct Row: Sendable, Equatable, Encodable {
    package var node: String
    package var role: String
    package var from: String
    /// The release of this hop; nil where it is not known or the node has it.
    package var to: String?
    package var isReady: Bool
    /// Who has cordoned it: `helix-infra`, `upgrade`, `failed upgrade`, `somebody`; nil when it takes pods.
    package var cordoned: String?
    /// How the UpgradePlan stands to it: `done`, `waiting`, `held`, `left out`.
    package var mark: String
    package var job: String?
    /// Why it does not go on, as far as that is known.
    package var reason: String?
  }

  package var state: State
  package var strategy: String
  /// The release that nodes come to in the end, and that of this hop.
  package var wanted: String
  package var hop: String
  /// The controller's image; nil when it is not there.
  package var controller: String?
  package var nodes: [Row]
  package var problems: [Diagnostic]

  /// Whether a node has come to this hop's release, or something is at work for it.
  package var isBegun: Bool {
    nodes.contains { row in
      row.to == nil || row.job != nil || row.mark == "held"
        || (row.cordoned != nil && row.cordoned != "somebody")
    }
  }

  /// What one server must be asked.
  package static let requests = [UpgradeView.fact.request, UpgradeTrouble.fact.request]
}

// MARK: - Reading

extension UpgradeStatus {
  /// What comes of asking the servers.
  package enum Answer: Sendable, Equatable {
    case told(UpgradeStatus)
    /// No server answers now, as while the only one is restarted.
    case silence(Diagnostic)
  }

  /// The status that the first server tells which answers.
  ///
  /// - Throws: what is missing in the inventory.
  package static func read(
    _ observation: Observation, inventory: Inventory
  ) throws(Diagnostics) -> Answer {
    guard let spec = inventory.cluster else {
      throw Diagnostics(
        Diagnostic(
          "there is no cluster in the inventory", reason: "it has no cluster.yaml",
          remedy: "name the inventory folder: -i FOLDER"))
    }
    let cluster = try K3sCluster(spec, inventory: inventory, managed: [])
    let upgrade =
      spec.upgrade
      ?? UpgradeSpec(
        strategy: cluster.upgradesOverSSH ? .ssh : .controller,
        controller: .init(version: Located("", at: spec.location)),
        servers: .init(location: spec.location), agents: .init(location: spec.location),
        location: spec.location)
    var silence: Diagnostic?
    for server in cluster.servers {
      do throws(Diagnostic) {
        guard let view = try answer(UpgradeView.fact, server.host, observation) ?? nil else {
          silence = silence ?? observation.silence(of: server.host)
          continue
        }
        let trouble = try answer(UpgradeTrouble.fact, server.host, observation) ?? .none
        let release = ControllerRelease(upgrade.controller.version.value)
        let rollout = UpgradeRollout(cluster, upgrade, release, view)
        var status = UpgradeStatusReading(rollout: rollout, trouble: trouble).status
        status.mind(silent(cluster.servers, observation))
        return .told(status)
      } catch {
        // Half an answer is what a server gives that is being restarted.
        silence = silence ?? error
      }
    }
    return .silence(
      Diagnostic(
        "no server of \(cluster.name) answers", reason: silence?.summary,
        remedy: "bring a server back, then ask again"))
  }

  /// Servers that nobody could ask: the cluster itself notices a dead one only after a while.
  private static func silent(
    _ servers: [K3sCluster.Member], _ observation: Observation
  ) -> [Diagnostic] {
    servers.compactMap { server in
      guard let silence = observation.silence(of: server.host) else { return nil }
      return Diagnostic(
        "\(server.host) does not answer", reason: silence.summary,
        remedy: "bring it back; whether it is well is not known until it answers",
        at: .host(server.host, address: server.address))
    }
  }

  private mutating func mind(_ silences: [Diagnostic]) {
    guard !silences.isEmpty else { return }
    problems += silences
    state = .stuck
  }

  private static func answer<Value>(
    _ fact: Fact<Value>, _ host: HostName, _ observation: Observation
  ) throws(Diagnostic) -> Value? {
    guard let answer = observation.answer(fact.request.id, on: host) else { return nil }
    return try fact.parse(answer)
  }
}
