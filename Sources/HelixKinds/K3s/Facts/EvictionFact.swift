import HelixModel
import HelixPlan

/// The PodDisruptionBudgets that let no pod go now, and the pods of their namespaces.
struct EvictionView: Sendable, Hashable {
  struct Budget: Sendable, Hashable {
    var namespace: String
    var name: String
    /// As Kubernetes writes it.
    var selector: Node
  }

  struct Pod: Sendable, Hashable {
    var namespace: String
    var name: String
    var node: String
    var labels: [String: String]
  }

  var budgets: [Budget]
  /// Those that a drain evicts; pods of DaemonSets and of the kubelet itself are not among them.
  var pods: [Pod]

  /// Budgets that keep pods on a node, each with those pods, in order.
  func obstacles(on node: String) -> [(budget: String, pods: [String])] {
    let here = pods.filter { $0.node == node }
    return budgets.compactMap { budget in
      let covered = here.filter { $0.namespace == budget.namespace && budget.covers($0) }
      guard !covered.isEmpty else { return nil }
      return ("\(budget.namespace)/\(budget.name)", covered.map(\.name).sorted())
    }.sorted { $0.budget < $1.budget }
  }
}

extension EvictionView.Budget {
  /// A label selector's meaning; one without any word selects every pod of its namespace.
  fileprivate func covers(_ pod: EvictionView.Pod) -> Bool {
    let words = selector.mapping
    let labels = words?["matchLabels"]?.mapping?.entries ?? []
    let rules = words?["matchExpressions"]?.list ?? []
    return labels.allSatisfy { pod.labels[$0.key] == $0.value.text }
      && rules.allSatisfy { Self.holds($0, pod) }
  }

  private static func holds(_ rule: Node, _ pod: EvictionView.Pod) -> Bool {
    let rule = rule.mapping
    let value = rule?["key"]?.text.flatMap { pod.labels[$0] }
    let values = rule?["values"]?.list?.compactMap(\.text) ?? []
    return switch rule?["operator"]?.text {
    case "In": value.map(values.contains) ?? false
    case "NotIn": value.map { !values.contains($0) } ?? true
    case "Exists": value != nil
    case "DoesNotExist": value == nil
    // What cannot be judged may well block.
    default: true
    }
  }
}

// MARK: - The question

extension EvictionView {
  static let fact = Fact<EvictionView?>(
    "k3s-evictions",
    command: """
      \(ClusterDoor.shell)
      if helix_served && helix_budgets=$(\(blocking)); then
        printf '%s\n' "$helix_budgets" | sed -n '/./s/^/budget\t/p'
        printf '%s\n' "$helix_budgets" | cut -f1 | sort -u | while read -r helix_space; do
          [ -n "$helix_space" ] || continue
          helix_kubectl get pods -n "$helix_space" -o jsonpath=\(shellQuoted(podRow)) || exit 1
        done && echo answered || echo silent
      else echo silent; fi
      """,
    parse: parse, summary: { $0.map(\.summary) ?? "no answer" })

  /// Only where something blocks are pods asked for: there may be thousands.
  private static let blocking = """
    helix_kubectl get poddisruptionbudgets -A -o jsonpath=\(shellQuoted(budgetRow)) |
        awk -F '\t' '$1 == "row" && $2 + 0 == 0 { print $3 "\t" $4 "\t" $5 } $1 == "end" { end = 1 }
          END { exit !end }'
    """

  private static let budgetRow =
    #"{range .items[*]}row{"\t"}{.status.disruptionsAllowed}{"\t"}{.metadata.namespace}{"\t"}"#
    + #"{.metadata.name}{"\t"}{.spec.selector}{"\n"}{end}end{"\n"}"#

  private static let podRow =
    #"{range .items[*]}pod{"\t"}{.metadata.namespace}{"\t"}{.metadata.name}{"\t"}"#
    + #"{.spec.nodeName}{"\t"}{.status.phase}{"\t"}{.metadata.ownerReferences[0].kind}{"\t"}"#
    + #"{.metadata.labels}{"\n"}{end}"#

  /// Names on standard error what let no pod go, after a drain that did not come to its end.
  static let told = """
    echo 'PodDisruptionBudgets that let no pod go:' >&2
    \(ClusterDoor.shell)
    \(blocking) | awk '{ print "  " $1 "/" $2 }' >&2
    """

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> EvictionView? {
    let lines = answer.output.split(separator: "\n")
    if lines.last == "silent" { return nil }
    guard lines.last == "answered" else {
      throw Diagnostic(
        "the disruption budgets cannot be read", reason: "the host's answer broke off")
    }
    var view = EvictionView(budgets: [], pods: [])
    for line in lines {
      let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      switch (cells[0], cells.count) {
      case ("budget", 4...):
        view.budgets.append(
          Budget(
            namespace: cells[1], name: cells[2], selector: try object(cells[3])))
      case ("pod", 7...) where cells[4] == "Running" && !["DaemonSet", "Node"].contains(cells[5]):
        view.pods.append(
          Pod(
            namespace: cells[1], name: cells[2], node: cells[3],
            labels: try labels(object(cells[6]))))
      default: break
      }
    }
    return view
  }

  private static func object(_ text: String) throws(Diagnostic) -> Node {
    try JSONReading.read(text.isEmpty ? "{}" : text, as: "the API's answer")
  }

  private static func labels(_ node: Node) -> [String: String] {
    let entries = (node.mapping?.entries ?? []).map { ($0.key, $0.value.text ?? "") }
    return Dictionary(entries, uniquingKeysWith: { first, _ in first })
  }

  // What blocks where; which pods come and go elsewhere moves by nature.
  private var summary: String {
    let nodes = Set(pods.map(\.node)).sorted()
    let told = nodes.flatMap { node in obstacles(on: node).map { "\($0.budget) on \(node)" } }
    return told.isEmpty ? "nothing blocks" : told.joined(separator: ", ")
  }
}
