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
        return .told(UpgradeStatusReading(rollout: rollout, trouble: trouble).status)
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

  private static func answer<Value>(
    _ fact: Fact<Value>, _ host: HostName, _ observation: Observation
  ) throws(Diagnostic) -> Value? {
    guard let answer = observation.answer(fact.request.id, on: host) else { return nil }
    return try fact.parse(answer)
  }
}
