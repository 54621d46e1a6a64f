import HelixModel
import HelixPlan

/// What a server's API says of the cluster beyond the list of its nodes.
struct ClusterVoice: Sendable, Hashable {
  enum Readiness: Sendable, Hashable {
    case ready
    /// The checks that fail, as the API names them.
    case failing([String])
    /// Nothing answers in time.
    case silent
    /// k3s does not run as a server.
    case absent
  }

  var readiness: Readiness
  /// By the node's name; nil when the API did not say.
  var conditions: [String: NodeCondition]?
  /// Nil when the API did not say, as where there are no such objects.
  var plans: [UpgradePlanState]?
  /// Nil when the API did not say.
  var pods: PodsNotReady?

  static let fact = Fact<ClusterVoice>(
    "k3s-api", command: command, parse: parse,
    summary: { voice in
      switch voice.readiness {
      case .ready: "ready"
      case .failing(let checks): "not ready: \(checks.joined(separator: ", "))"
      case .silent: "no answer"
      case .absent: "no server"
      }
    })

  // Where the first question hangs, the others would, too: they are not asked.
  private static let command = """
    helix_get() { timeout 15 \(K3sPaths.binary) kubectl --request-timeout=12s get "$@"; }
    if [ -x \(K3sPaths.binary) ] && systemctl is-active --quiet k3s.service; then
      helix_ready=$(timeout 10 \(K3sPaths.binary) kubectl --request-timeout=8s \\
        get --raw /readyz 2>&1)
      case $helix_ready in
      ok) echo ready ;;
      *'[-]'*)
        printf '%s\\n' "$helix_ready" | tr ' ' '\\n' | sed -n 's/.*\\[-\\]/failing /p' | head -n 20 ;;
      *) echo silent ;;
      esac
      if [ "$helix_ready" = ok ]; then
        \(NodeCondition.script)
        \(UpgradePlanState.script)
        \(PodsNotReady.script)
      fi
    else echo absent; fi
    echo asked
    """

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> ClusterVoice {
    let lines = answer.output.split(separator: "\n")
    guard lines.last == "asked" else {
      throw Diagnostic("the host does not say how its API is", reason: "its answer broke off")
    }
    let words = FactLines(answer.output)
    let failing = words.all("failing")
    let readiness: Readiness =
      if words.has("ready") { .ready } else if !failing.isEmpty { .failing(failing) } else {
        words.has("absent") ? .absent : .silent
      }
    let rows = lines.map { $0.split(separator: "\t", omittingEmptySubsequences: false) }
    let answered = Set(words.all("answered").map { $0.split(separator: " ").first ?? "" })
    return ClusterVoice(
      readiness: readiness,
      conditions: answered.contains("nodes") ? NodeCondition.read(rows) : nil,
      plans: answered.contains("plans") ? UpgradePlanState.read(rows) : nil,
      pods: answered.contains("pods") ? PodsNotReady(rows, lines: words) : nil)
  }
}
