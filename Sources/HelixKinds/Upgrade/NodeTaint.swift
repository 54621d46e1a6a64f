import HelixModel

/// A taint of a node, or one that k3s is told to give it.
struct NodeTaint: Sendable, Hashable, Comparable {
  var key: String
  var value: String
  var effect: String

  /// Those that Kubernetes puts on nodes and takes away by itself; the controller's jobs tolerate a
  /// cordon, and on a node that is not well they should wait.
  private static let passing = "node.kubernetes.io/"

  var isPassing: Bool { key.hasPrefix(Self.passing) }

  /// `key=value:effect`, as k3s's `node-taint` has it.
  init?(flag: String) {
    guard let colon = flag.lastIndex(of: ":") else { return nil }
    let front = flag[..<colon].split(separator: "=", maxSplits: 1).map(String.init)
    guard let key = front.first, !key.isEmpty else { return nil }
    self.init(
      key: key, value: front.count > 1 ? front[1] : "",
      effect: String(flag[flag.index(after: colon)...]))
  }

  init(key: String, value: String, effect: String) {
    self.key = key
    self.value = value
    self.effect = effect
  }

  init?(_ node: Node) {
    guard let fields = node.mapping, let key = fields["key"]?.text,
      let effect = fields["effect"]?.text
    else { return nil }
    self.init(key: key, value: fields["value"]?.text ?? "", effect: effect)
  }

  /// Taints that an operator has given, each key and effect once.
  ///
  /// Whatever the value is: another one on the next server must not keep the upgrade off it.
  static func tolerations(of taints: [NodeTaint]) -> [Draft] {
    var seen: Set<[String]> = []
    return taints.sorted().filter {
      !$0.isPassing && $0.effect != "PreferNoSchedule" && seen.insert([$0.key, $0.effect]).inserted
    }.map { taint in
      ["key": .text(taint.key), "operator": "Exists", "effect": .text(taint.effect)]
    }
  }

  /// Whether a toleration lets pods onto a node with the taint.
  func isTolerated(by toleration: Node) -> Bool {
    guard let fields = toleration.mapping else { return false }
    if let effect = fields["effect"]?.text, !effect.isEmpty, effect != self.effect { return false }
    let key = fields["key"]?.text ?? ""
    if fields["operator"]?.text == "Exists" { return key.isEmpty || key == self.key }
    return key == self.key && (fields["value"]?.scalarText ?? "") == value
  }

  var words: String { "\(key)\(value.isEmpty ? "" : "=\(value)"):\(effect)" }

  static func < (left: NodeTaint, right: NodeTaint) -> Bool {
    (left.key, left.effect, left.value) < (right.key, right.effect, right.value)
  }
}

/// A selector of pods in kubectl's words, `app=web,tier!=db,!static`, as Kubernetes objects have it.
struct PodSelector: Sendable {
  private let requirements: [(key: String, sort: String, value: String?)]

  /// Nil where the text is none of the simple forms.
  init?(_ text: String) {
    var requirements: [(key: String, sort: String, value: String?)] = []
    for part in text.split(separator: ",") {
      let word = String(part.filter { $0 != " " })
      if let mark = word.firstRange(of: "!=") {
        requirements.append(
          (String(word[..<mark.lowerBound]), "NotIn", String(word[mark.upperBound...])))
      } else if let mark = word.firstRange(of: "==") ?? word.firstRange(of: "=") {
        requirements.append(
          (String(word[..<mark.lowerBound]), "In", String(word[mark.upperBound...])))
      } else if word.hasPrefix("!") {
        requirements.append((String(word.dropFirst()), "DoesNotExist", nil))
      } else {
        requirements.append((word, "Exists", nil))
      }
    }
    guard !requirements.isEmpty,
      requirements.allSatisfy({ !$0.key.isEmpty && !$0.key.contains("(") })
    else { return nil }
    self.requirements = requirements
  }

  var draft: Draft {
    let expressions = requirements.map { key, sort, value -> Draft in
      [
        "key": .text(key), "operator": .text(sort),
        "values": value.map { [.text($0)] } ?? .absent,
      ]
    }
    return ["matchExpressions": .list(expressions)]
  }
}
