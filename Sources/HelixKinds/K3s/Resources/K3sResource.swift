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
      .flatMap { node.cluster.turn(of: $0.host, .server) }
  }

  package var questions: [Question] {
    node.cluster.facts.survey + [Question(NodeState.fact, on: node.host)] + ownQuestions
  }

  package func quorum(_ sight: inout Sight) throws(Diagnostic) -> Quorum? {
    try ClusterSurvey.read(node.cluster, &sight).quorum
  }

  /// A silent server may hold the cluster's data, a silent agent only misses something.
  package func verdict(whenSilent silence: Diagnostic) -> Verdict {
    node.role == .server ? .refused(silence) : .heldBack(silence)
  }

  /// A change of what k3s runs with, only if the restart it leads to may be: files that wait on a
  /// disk for their restart would be taken up by a crash.
  func inTurn(_ work: Work, _ view: NodeView) -> Verdict {
    let unit = view.state.unit(node.role)
    guard unit.isActive || unit.isStarting, work.steps.contains(where: { $0.id.name != tidyStep })
    else { return .change(work) }
    var work = work
    work.leadsTo = [ClusterSurvey.service(node.host)]
    return .change(work)
  }

  /// What must be done before the files of its node are touched.
  func waits(_ view: NodeView) -> TurnWaits {
    let waits = view.survey.waitsForFiles(of: node, view.state)
    return view.release == nil ? waits : waits + view.survey.waitsForTurn(of: node, in: view.round)
  }

  func step(
    _ name: String, _ title: String, _ instructions: [Instruction], undo: [Instruction] = [],
    spends: Budget? = nil, brings: HostName? = nil, timeout: Int = 120
  ) -> Step {
    Step(
      StepID(address, name), title: title, on: node.host, instructions, undo: undo,
      spends: spends, brings: brings, timeout: timeout)
  }
}

extension Step {
  /// A step that may take `timeout` beside what its own waits, long scripts and reboots may take.
  init(
    _ id: StepID, title: String, on host: HostName, after: [StepID] = [],
    _ instructions: [Instruction], undo: [Instruction] = [], spends: Budget? = nil,
    brings: HostName? = nil, timeout: Int = 120
  ) {
    let waits = instructions.reduce(0) { sum, instruction in
      switch instruction {
      case .wait(let wait): sum + wait.timeout
      case .launch(let launch): sum + launch.timeout
      case .reboot(let reboot): sum + reboot.timeout
      case .run, .feed, .write, .install, .learn, .fetch: sum
      }
    }
    self.init(
      id, title: title, host: host, after: after, instructions: instructions, undo: undo,
      spends: spends, brings: brings, timeout: timeout + waits)
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
  let round: UpgradeRound
  /// From which release to which the running k3s goes with this plan; nil when it stays.
  let release: ReleaseChange?
}

/// Another release for a member that runs.
struct ReleaseChange: Sendable, Hashable {
  var from: K3sVersion
  var to: K3sVersion
}

extension K3sNode {
  /// Compares with the cluster in view, and refuses a change that the cluster does not allow now.
  ///
  /// Most changes wait while somebody else brings another release to the node; what has nothing to
  /// do with k3s need not.
  func judge(
    _ sight: inout Sight, waitsForUpgrade: Bool = true,
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
    let round = try UpgradeRound.read(cluster, &sight)
    let view = NodeView(
      survey: survey, state: state, entry: entry, round: round,
      release: round.changes[host].map { ReleaseChange(from: $0, to: round.target) })
    let verdict = try difference(&sight, view)
    if waitsForUpgrade, case .change = verdict,
      let why = try K3sArtifact(node: self).waitsForUpgrade(&sight)
    {
      return .heldBack(why)
    }
    guard case .change = verdict, let objection = survey.objection(to: self) else {
      return verdict
    }
    return .refused(objection)
  }
}
