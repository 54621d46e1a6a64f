import HelixModel
import HelixPlan

/// A node as the cluster knows it.
struct LiveNode: Sendable, Hashable {
  var machineID: String
  var version: K3sVersion?
  var isReady: Bool
  /// Whether its kubelet speaks to the cluster: a node that waits for a network plugin does, and is
  /// not ready.
  var isHeard: Bool
  /// Nil for a node that is no etcd member.
  var isVoter: Bool?
  /// Whether it takes no new pods.
  var isCordoned = false
  /// What it was cordoned for by helix-infra; nil when it was not, or by somebody else.
  var cordonedFor: String?
}

/// What a server's API says of the cluster's nodes; nil when it does not answer.
struct NodeList: Sendable, Hashable {
  /// By name.
  var nodes: [String: LiveNode]

  static let fact = Fact<NodeList?>(
    "k3s-nodes",
    command: """
      if [ -x \(K3sPaths.binary) ] && systemctl is-active --quiet k3s.service &&
        timeout 20 \(K3sPaths.binary) kubectl get nodes -o jsonpath=\(shellQuoted(template))
      then echo answered; else echo silent; fi
      """,
    parse: parse, summary: { $0.map(\.summary) ?? "no answer" })

  // The whole objects of a large cluster would be hundreds of megabytes.
  private static let template =
    #"{range .items[*]}node{"\t"}{.metadata.name}{"\t"}{.status.nodeInfo.machineID}{"\t"}"#
    + #"{.status.nodeInfo.kubeletVersion}{"\t"}"#
    + #"{.status.conditions[?(@.type=="Ready")].status}{"\t"}"#
    + #"{.status.conditions[?(@.type=="EtcdIsVoter")].status}{"\t"}"#
    + #"{.spec.unschedulable}{"\t"}{.metadata.annotations.\#(NodeDrain.annotationPath)}{"\n"}{end}"#

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> NodeList? {
    var nodes: [String: LiveNode] = [:]
    var ending: Substring?
    for line in answer.output.split(separator: "\n") {
      let cells = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard cells.count >= 6, cells[0] == "node" else {
        ending = line
        continue
      }
      nodes[String(cells[1])] = LiveNode(
        machineID: String(cells[2]), version: K3sVersion(cells[3]), isReady: cells[4] == "True",
        isHeard: cells[4] == "True" || cells[4] == "False",
        isVoter: cells[5].isEmpty ? nil : cells[5] == "True",
        isCordoned: cells.count > 6 && cells[6] == "true",
        cordonedFor: cells.count > 7 && !cells[7].isEmpty ? String(cells[7]) : nil)
    }
    switch ending {
    case "answered": return NodeList(nodes: nodes)
    case "silent": return nil
    default: throw Diagnostic("the list of nodes broke off", reason: "its last line is missing")
    }
  }

  // Agents come and go by the hour where a pool grows and shrinks: only the members of etcd are told.
  private var summary: String {
    let members = nodes.filter { $0.value.isVoter != nil }.sorted { $0.key < $1.key }
    let told = members.map { name, node in
      "\(name) \(node.isVoter == true ? "voter" : "learner") \(node.isReady ? "ready" : "not ready")"
        + (node.version.map { " \($0)" } ?? "")
    }
    let ours = nodes.filter { $0.value.cordonedFor != nil }.keys.sorted().map { "\($0) cordoned" }
    return (["answers"] + told + ours).joined(separator: ", ")
  }
}
