import HelixModel
import HelixPlan

/// What stands in the way of jobs: pods that do not run, and disruption budgets that hold pods back.
struct UpgradeTrouble: Sendable, Hashable {
  /// A pod of a job.
  struct Pod: Sendable, Hashable {
    var name: String
    var job: String
    var node: String
    var phase: String
    /// A container's reason for waiting or its end, and message: `prepare ImagePullBackOff …`.
    var reasons: [String]
  }

  /// A PodDisruptionBudget that allows nothing now.
  struct Budget: Sendable, Hashable {
    var name: String
    var pods: String
  }

  var pods: [Pod]
  var budgets: [Budget]

  static let none = UpgradeTrouble(pods: [], budgets: [])

  static let fact = Fact<UpgradeTrouble>(
    "upgrade-trouble", command: command, parse: parse,
    summary: { "\($0.pods.count) pods, \($0.budgets.count) budgets" })

  private static let command = """
    \(ClusterDoor.shell)
    if helix_served; then
      helix_kubectl -n \(ControllerObjects.namespace) get pods -l upgrade.cattle.io/plan \\
        -o jsonpath=\(shellQuoted(podRow))
      helix_kubectl get poddisruptionbudgets.policy -A -o jsonpath=\(shellQuoted(budgetRow))
    fi
    true
    """

  private static let podRow =
    #"{range .items[*]}pod{"\t"}{.metadata.name}{"\t"}{.metadata.labels.job-name}{"\t"}"#
    + #"{.spec.nodeName}{"\t"}{.status.phase}{"\t"}"#
    + state(".status.initContainerStatuses[*]") + state(".status.containerStatuses[*]")
    + #"{"\n"}{end}"#

  private static func state(_ path: String) -> String {
    #"{range \#(path)}{.name} {.state.waiting.reason}{.state.terminated.reason}{"|"}{end}"#
  }

  private static let budgetRow =
    #"{range .items[*]}budget{"\t"}{.metadata.namespace}/{.metadata.name}{"\t"}"#
    + #"{.status.disruptionsAllowed}{"\t"}{.status.currentHealthy}{"\t"}{.status.desiredHealthy}"#
    + #"{"\n"}{end}"#

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> UpgradeTrouble {
    var trouble = UpgradeTrouble.none
    for line in answer.output.split(separator: "\n") {
      let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      switch (cells[0], cells.count) {
      case ("pod", 6):
        let reasons = cells[5].split(separator: "|").map(words).filter { $0.count > 1 }
        trouble.pods.append(
          Pod(
            name: cells[1], job: cells[2], node: cells[3], phase: cells[4],
            reasons: reasons.map { $0.joined(separator: " ") }))
      case ("budget", 5) where cells[2] == "0":
        trouble.budgets.append(Budget(name: cells[1], pods: "\(cells[3]) of \(cells[4])"))
      default: break
      }
    }
    trouble.pods.sort { $0.name < $1.name }
    trouble.budgets.sort { $0.name < $1.name }
    return trouble
  }
}
