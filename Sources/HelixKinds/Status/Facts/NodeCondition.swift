/// What the cluster says of a node's condition, and who may have cordoned it.
struct NodeCondition: Sendable, Hashable {
  /// Whether it is a server, by its label.
  var isServer: Bool
  var isCordoned: Bool
  /// What helix-infra cordoned it for: `upgrade`; nil when it was somebody else.
  var cordonNote: String?
  /// The conditions that hold and should not: `DiskPressure`.
  var pressures: [String]
  /// The hash that each UpgradePlan has left on the node, by the plan's name.
  var planHashes: [String: String]
  /// Why it is ready or not, in a word and in a sentence.
  var reason: String
  var message: String

  private static let pressureTypes = [
    "DiskPressure", "MemoryPressure", "PIDPressure", "NetworkUnavailable",
  ]

  // Of labels only those of plans travel; a node may have a hundred others.
  static let script = """
    helix_nodes=$(helix_get nodes -o jsonpath='\(template)') && {
        printf '%s\\n' "$helix_nodes" | awk '
          BEGIN { FS = OFS = "\\t" }
          $1 != "node" { next }
          { labels = $4; plans = ""
            while (match(labels, "\\"plan[.]upgrade[.]cattle[.]io/[^\\"]*\\":\\"[^\\"]*\\"")) {
              plan = substr(labels, RSTART, RLENGTH); labels = substr(labels, RSTART + RLENGTH)
              gsub("\\"", "", plan); sub(".*[.]io/", "", plan); plans = plans plan " " }
            server = $4 ~ "node-role[.]kubernetes[.]io/control-plane" ? "server" : "agent"
            $4 = plans; $1 = "node" OFS server; print }'
        echo answered nodes
      }
    """

  private static let template =
    #"{range .items[*]}node{"\t"}{.metadata.name}{"\t"}{.spec.unschedulable}{"\t"}"#
    + #"{.metadata.labels}{"\t"}{.metadata.annotations.\#(NodeDrain.annotationPath)}{"\t"}"#
    + pressureTypes.map { #"{.status.conditions[?(@.type=="\#($0)")].status}{"\t"}"# }.joined()
    + #"{.status.conditions[?(@.type=="Ready")].reason}{"\t"}"#
    + #"{.status.conditions[?(@.type=="Ready")].message}{"\n"}{end}"#

  static func read(_ rows: [[Substring]]) -> [String: NodeCondition] {
    var conditions: [String: NodeCondition] = [:]
    for row in rows where row.first == "node" && row.count >= 8 + pressureTypes.count {
      let pressures = zip(pressureTypes, row[6...]).filter { $1 == "True" }.map(\.0)
      let rest = row[(6 + pressureTypes.count)...]
      conditions[String(row[2])] = NodeCondition(
        isServer: row[1] == "server", isCordoned: row[3] == "true",
        cordonNote: row[5].isEmpty ? nil : String(row[5]), pressures: pressures,
        planHashes: hashes(row[4]), reason: String(rest.first ?? ""),
        message: rest.dropFirst().joined(separator: " "))
    }
    return conditions
  }

  private static func hashes(_ text: Substring) -> [String: String] {
    let pairs = text.split(separator: " ").map { $0.split(separator: ":", maxSplits: 1) }
    return Dictionary(
      pairs.filter { $0.count == 2 }.map { (String($0[0]), String($0[1])) },
      uniquingKeysWith: { first, _ in first })
  }
}
