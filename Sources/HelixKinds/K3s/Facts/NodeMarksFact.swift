import HelixModel
import HelixPlan

/// Labels and taints of a node: those that are asked for, or those of them that it has.
struct NodeMarks: Sendable, Hashable {
  /// What tells a taint from the others of its node.
  struct TaintKey: Sendable, Hashable, Comparable, CustomStringConvertible {
    var key: String
    var effect: String

    var description: String { "\(key):\(effect)" }

    static func < (left: TaintKey, right: TaintKey) -> Bool {
      (left.key, left.effect) < (right.key, right.effect)
    }
  }

  var labels: [String: String] = [:]
  var taints: [TaintKey: String] = [:]

  var isEmpty: Bool { labels.isEmpty && taints.isEmpty }

  /// What `node-label` and `node-taint` say, in whatever of their forms.
  init(_ settings: ConfigSettings) {
    for word in Self.words(settings["node-label"]) {
      let (key, value) = Self.halves(word)
      labels[key] = value
    }
    for word in Self.words(settings["node-taint"]) {
      guard let colon = word.lastIndex(of: ":") else { continue }
      let (key, value) = Self.halves(String(word[..<colon]))
      taints[TaintKey(key: key, effect: String(word[word.index(after: colon)...]))] = value
    }
  }

  init() {}

  private static func words(_ value: ConfigValue?) -> [String] {
    (value?.texts ?? []).flatMap { $0.split(separator: ",") }.map(String.init)
  }

  private static func halves(_ word: String) -> (String, String) {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    return (String(parts[0]), parts.count == 2 ? String(parts[1]) : "")
  }

  /// The names alone, as the node's annotation remembers them.
  var names: Set<String> {
    Set(labels.keys.map { "label/\($0)" } + taints.keys.map { "taint/\($0)" })
  }
}

/// A node's marks as the cluster has them, as far as they are helix-infra's business.
struct LiveMarks: Sendable, Hashable {
  /// Names which marks of a node helix-infra has set.
  static let annotation = "helix.infra/marks"

  /// Those that are asked for or were set earlier; the others are somebody else's.
  var marks: NodeMarks
  var remembered: Set<String>

  /// By node, of the nodes that are asked for; nil when the API does not answer.
  static func fact(_ wanted: [String: NodeMarks]) -> Fact<[String: LiveMarks]?> {
    Fact<[String: LiveMarks]?>(
      "k3s-node-marks",
      command: """
        \(ClusterDoor.shell)
        if helix_served && helix_kubectl get nodes -o jsonpath=\(shellQuoted(template))
        then echo answered; else echo silent; fi
        """,
      parse: { (answer) throws(Diagnostic) in try parse(answer, wanted) },
      summary: { $0.map(summary) ?? "no answer" })
  }

  private static let template =
    #"{range .items[*]}node{"\t"}{.metadata.name}{"\t"}{.metadata.annotations.helix\.infra/marks}"#
    + #"{"\t"}{.metadata.labels}{"\t"}{.spec.taints}{"\n"}{end}"#

  private static func parse(
    _ answer: FactAnswer, _ wanted: [String: NodeMarks]
  ) throws(Diagnostic) -> [String: LiveMarks]? {
    var nodes: [String: LiveMarks] = [:]
    var ending: Substring?
    for line in answer.output.split(separator: "\n") {
      let cells = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard cells.count == 5, cells[0] == "node" else {
        ending = line
        continue
      }
      let name = String(cells[1])
      guard let wanted = wanted[name] else { continue }
      let remembered = Set(cells[2].split(separator: ",").map(String.init))
      nodes[name] = LiveMarks(
        marks: try marks(labels: cells[3], taints: cells[4], of: wanted.names.union(remembered)),
        remembered: remembered)
    }
    switch ending {
    case "answered": return nodes
    case "silent": return nil
    default: throw Diagnostic("the list of nodes broke off", reason: "its last line is missing")
    }
  }

  private static func marks(
    labels: Substring, taints: Substring, of names: Set<String>
  ) throws(Diagnostic) -> NodeMarks {
    var marks = NodeMarks()
    let all = labels.isEmpty ? nil : try JSONReading.read(labels).mapping
    for entry in all?.entries ?? [] where names.contains("label/\(entry.key)") {
      marks.labels[entry.key] = entry.value.text ?? ""
    }
    let list = taints.isEmpty ? nil : try JSONReading.read(taints).list
    for taint in (list ?? []).compactMap(\.mapping) {
      guard let key = taint["key"]?.text, let effect = taint["effect"]?.text else { continue }
      let name = NodeMarks.TaintKey(key: key, effect: effect)
      if names.contains("taint/\(name)") { marks.taints[name] = taint["value"]?.text ?? "" }
    }
    return marks
  }

  private static func summary(_ nodes: [String: LiveMarks]) -> String {
    let told = nodes.sorted { $0.key < $1.key }.map { name, live in
      let labels = live.marks.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      let taints = live.marks.taints.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      return "\(name) \((labels + taints + live.remembered.sorted()).joined(separator: " "))"
    }
    let text = told.joined(separator: ", ")
    return text.utf8.count > 400 ? "\(nodes.count) nodes, \(shortDigest(text))" : text
  }
}
