import HelixModel
import HelixPlan

/// A resource that is part of one node of the cluster.
protocol K3sResource: Resource {
  /// The kind's word in addresses.
  static var kind: String { get }
  var node: K3sNode { get }
  /// What it asks beside the state of its host and of the servers.
  var ownQuestions: [Question] { get }
}

extension K3sResource {
  package var address: Address { node.address(Self.kind) }
  package var location: SourceLocation? { node.location }

  /// The services of the servers that stand before it.
  package var mayAwait: [Address] {
    node.cluster.managedServers.prefix { $0.host != node.host }
      .map { ClusterSurvey.service($0.host) }
  }

  package var questions: [Question] {
    node.cluster.facts.survey + [Question(NodeState.fact, on: node.host)] + ownQuestions
  }

  package var quorumGuard: QuorumGuard? { node.cluster.quorumGuard }

  /// A silent server may hold the cluster's data, a silent agent only misses something.
  package func verdict(whenSilent silence: Diagnostic) -> Verdict {
    node.role == .server ? .refused(silence) : .heldBack(silence)
  }

  /// A change of what k3s runs with, if the restart it leads to may be: files that wait on a disk
  /// for their restart would be taken up by a crash.
  func inTurn(_ work: Work, _ view: NodeView) -> Verdict {
    let unit = view.state.unit(node.role)
    guard unit.isActive || unit.isStarting, work.steps.contains(where: { $0.id.name != tidyStep }),
      let obstacle = view.survey.restartObstacle(node)
    else { return .change(work) }
    return obstacle
  }

  /// A step that may take `timeout` beside what its waits may take.
  func step(
    _ name: String, _ title: String, _ instructions: [Instruction], spends: Budget? = nil,
    timeout: Int = 120
  ) -> Step {
    let waits = instructions.reduce(0) { sum, instruction in
      if case .wait(let wait) = instruction { sum + wait.timeout } else { sum }
    }
    return Step(
      StepID(address, name), title: title, host: node.host, instructions: instructions,
      spends: spends, timeout: timeout + waits)
  }
}

/// The name of steps that change nothing a running k3s would have to take up by a restart.
let tidyStep = "tidy"

/// Sets owner and mode alone; the file's date stays, so that it does not look changed.
func keepToRoot(_ path: String) -> Instruction {
  .run(script: "chown root: \(path) && chmod 600 \(path)")
}

/// What a resource of a node compares against.
struct NodeView {
  let survey: ClusterSurvey
  let state: NodeState
  let entry: Entry
}

extension K3sNode {
  /// Compares with the cluster in view, and refuses a change that the cluster does not allow now.
  func judge(
    _ sight: inout Sight,
    _ difference: (inout Sight, NodeView) throws(Diagnostic) -> Verdict
  ) throws(Diagnostic) -> Verdict {
    let survey = try ClusterSurvey.read(cluster, &sight)
    let state = try sight.read(NodeState.fact, on: host)
    let entry: Entry
    do throws(Obstacle) {
      entry = try survey.entry(of: self, state)
    } catch {
      return error.verdict
    }
    let verdict = try difference(&sight, NodeView(survey: survey, state: state, entry: entry))
    guard case .change = verdict, let objection = survey.objection(to: self) else {
      return verdict
    }
    return .refused(objection)
  }
}
