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
    /// When it was made, in a spelling that sorts.
    var created: String
    /// In the order in which they run.
    var containers: [Container]
    /// The last line that it wrote; told of the newest failed pod alone.
    var lastLine: String?
  }

  /// A container of a pod, and why it waits or how it has ended.
  struct Container: Sendable, Hashable {
    var name: String
    var image: String
    /// `ImagePullBackOff`, `Completed`, `Error`; empty while it runs.
    var reason: String
    /// Nil before it has ended.
    var exitCode: Int?
    /// The last line that it left in its pod's status.
    var message: String?
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

  // A job that fails again and again leaves a pod each time: one look at all of them, and one at what
  // the newest has written. Containers of k3s-upgrade leave no message in their status.
  private static let command = """
    \(ClusterDoor.shell)
    helix_own() { helix_kubectl -n \(ControllerObjects.namespace) "$@"; }
    if helix_served; then
      helix_pods=$(helix_own get pods -l upgrade.cattle.io/plan -o jsonpath=\(shellQuoted(podRow)))
      printf '%s\\n' "$helix_pods"
      helix_pod=$(printf '%s\\n' "$helix_pods" | awk -F '\\t' '
        $5 == "Failed" && $6 >= at { at = $6; pod = $2 }
        END { print pod }')
      [ -z "$helix_pod" ] || helix_own logs "$helix_pod" --all-containers --tail=10 2>/dev/null |
        awk -v pod="$helix_pod" '{ print "log\\t" pod "\\t" $0 }'
      helix_kubectl get poddisruptionbudgets.policy -A -o jsonpath=\(shellQuoted(budgetRow))
    fi
    true
    """

  private static let podRow =
    #"{range .items[*]}pod{"\t"}{.metadata.name}{"\t"}{.metadata.labels.job-name}{"\t"}"#
    + #"{.spec.nodeName}{"\t"}{.status.phase}{"\t"}{.metadata.creationTimestamp}{"\t"}"#
    + state(".status.initContainerStatuses[*]") + state(".status.containerStatuses[*]")
    + #"{"\n"}{end}"#

  /// Three cells for each container; the last is JSON, since messages have lines.
  private static func state(_ path: String) -> String {
    #"{range \#(path)}{.name}{"\t"}{.image}{"\t"}{.state}{"\t"}{end}"#
  }

  private static let budgetRow =
    #"{range .items[*]}budget{"\t"}{.metadata.namespace}/{.metadata.name}{"\t"}"#
    + #"{.status.disruptionsAllowed}{"\t"}{.status.currentHealthy}{"\t"}{.status.desiredHealthy}"#
    + #"{"\n"}{end}"#

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> UpgradeTrouble {
    var trouble = UpgradeTrouble.none
    var logs: [String: [String]] = [:]
    for line in answer.output.split(separator: "\n") {
      let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      switch (cells[0], cells.count) {
      case ("pod", 7...): trouble.pods.append(try Pod(cells))
      case ("log", 3...): logs[cells[1], default: []].append(cells[2...].joined(separator: " "))
      case ("budget", 5) where cells[2] == "0":
        trouble.budgets.append(Budget(name: cells[1], pods: "\(cells[3]) of \(cells[4])"))
      default: break
      }
    }
    for index in trouble.pods.indices {
      trouble.pods[index].lastLine = lastLine(of: logs[trouble.pods[index].name] ?? [])
    }
    trouble.pods.sort { ($0.created, $0.name) < ($1.created, $1.name) }
    trouble.budgets.sort { $0.name < $1.name }
    return trouble
  }

  /// The last line that says something; a shell that shows what it runs does so with `+`.
  fileprivate static func lastLine(of lines: [String]) -> String? {
    lines.map { line in words(of: line).joined(separator: " ") }
      .last { !$0.isEmpty && !$0.hasPrefix("+ ") }
  }
}

// MARK: - Pods

extension UpgradeTrouble.Pod {
  fileprivate init(_ cells: [String]) throws(Diagnostic) {
    self.init(
      name: cells[1], job: cells[2], node: cells[3], phase: cells[4], created: cells[5],
      containers: [])
    for start in stride(from: 6, to: cells.count - 2, by: 3) {
      containers.append(try UpgradeTrouble.Container(Array(cells[start..<start + 3])))
    }
  }

  /// What ended it: `upgrade ended with 1: …`; nil when no container has failed.
  var failure: String? {
    guard phase == "Failed" else { return nil }
    let failed = containers.first { ($0.exitCode ?? 0) != 0 }
    let end = failed.map { "\($0.name) ended with \($0.exitCode ?? 0)" }
    return [end, failed?.message ?? lastLine].compactMap(\.self).joined(separator: ": ")
  }
}

extension UpgradeTrouble.Container {
  fileprivate init(_ cells: [String]) throws(Diagnostic) {
    let states = cells[2].isEmpty ? nil : try JSONReading.read(cells[2]).mapping
    let waiting = states?["waiting"]?.mapping
    let ended = states?["terminated"]?.mapping
    let lines = (ended?["message"]?.text ?? "").split(whereSeparator: \.isNewline).map(String.init)
    self.init(
      name: cells[0], image: cells[1], reason: (waiting ?? ended)?["reason"]?.text ?? "",
      exitCode: ended?["exitCode"]?.scalarText.flatMap { Int($0) },
      message: UpgradeTrouble.lastLine(of: lines))
  }
}
