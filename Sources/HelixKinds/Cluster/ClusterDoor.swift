import HelixModel
import HelixPlan

/// Where the cluster's API is asked and told: on a server, through its own kubectl.
struct ClusterDoor: Sendable {
  /// Whose managed hosts are those that the plan makes nodes.
  let cluster: K3sCluster

  /// How the cluster can be reached in this plan.
  enum Way: Sendable {
    /// A server answers now.
    case open(HostName)
    /// A server answers once its k3s has been started by this plan.
    case opening(HostName)
    case closed(Diagnostic)
  }

  var questions: [Question] { cluster.facts.survey }

  /// The API may be gone for a moment while a server is restarted, so those come first.
  var waits: [Address] { cluster.managedServers.map { ClusterSurvey.service($0.host) } }

  func way(_ sight: inout Sight) throws(Diagnostic) -> Way {
    let survey = try ClusterSurvey.read(cluster, &sight)
    switch survey.standing {
    case .living:
      return survey.living.first.map { .open($0.host) } ?? .closed(nobodyAnswers)
    case .asleep: return opening(survey.holders.first)
    case .new: return opening(cluster.servers.first)
    case .unseen(let silence), .unclear(let silence): return .closed(silence)
    }
  }

  private func opening(_ server: K3sCluster.Member?) -> Way {
    guard let server, cluster.managed.contains(server.host) else { return .closed(nobodyAnswers) }
    return .opening(server.host)
  }

  private var nobodyAnswers: Diagnostic {
    Diagnostic(
      "no server of \(cluster.name) answers",
      reason: "what belongs into the cluster is told to a server that lives",
      remedy: "start the cluster first: give its servers \(K3sRole.role.name) in an earlier play")
  }

  /// `helix_kubectl` is a server's kubectl, which never waits long for an API that hangs, and
  /// `helix_served` tells whether the server runs at all.
  static let shell = """
    helix_kubectl() { timeout 60 \(K3sPaths.binary) kubectl --request-timeout=20s "$@"; }
    helix_served() { [ -x \(K3sPaths.binary) ] && systemctl is-active --quiet k3s.service; }
    """
}
