import HelixModel
import HelixPlan

/// An object as the cluster has it, and as it would be after our apply: the server is asked for
/// both, the second by a dry run, which changes nothing.
enum LiveObject: Sendable, Hashable {
  /// Why the cluster could not have it.
  enum Lack: Sendable, Hashable {
    case nothing, kind, namespace
    /// No server answers yet.
    case cluster
  }

  case absent(Lack)
  /// An apply would change nothing at all, not even who manages what.
  case same
  case there(live: Mapping, after: Mapping)
  /// The API refuses the apply, in its words; nil where there is no object yet.
  case refused(live: Mapping?, words: String)

  /// Whose fields ours are in `managedFields`.
  static let manager = "helix-infra"
  /// Stands on objects that would otherwise hold no field of ours.
  static let mark = "\(ManifestSteering.prefix)applied"

  static func fact(_ object: ClusterObject) -> Fact<LiveObject> {
    Fact<LiveObject>(
      "object:\(object.address.name)", command: command(object), parse: parse,
      summary: { $0.summary })
  }

  /// The manifest stands in the command: JSON, so no line of it can be the delimiter.
  ///
  /// What kubectl reads from standard input it shows as a list; its one element is taken out to be
  /// compared, and where that fails both texts are sent.
  private static func command(_ object: ClusterObject) -> String {
    """
    \(ClusterDoor.shell)
    \(object.applyShell)
    helix_manifest() {
      cat <<'HELIX_MANIFEST'
    \(object.json)
    HELIX_MANIFEST
    }
    helix_ask() {
      helix_manifest | helix_kubectl get --ignore-not-found -o json --show-managed-fields -f -
    }
    helix_dry_run() { helix_apply --dry-run=server -o json --show-managed-fields; }
    if ! helix_served; then
      echo unserved
    elif ! helix_live=$(helix_ask); then
      echo refused
      helix_ask 2>&1 >/dev/null
    elif ! helix_after=$(helix_dry_run); then
      printf 'live\\n%s\\nrefused\\n' "$helix_live"
      helix_dry_run 2>&1 >/dev/null
    elif [ -z "$helix_live" ]; then
      echo absent
    else
      helix_going=$(printf '%s\\n' "$helix_live" | grep -c '^ *"deletionTimestamp"')
      helix_one=$(printf '%s\\n' "$helix_live" | sed -n '/^        {$/,/^        }$/s/^        //p')
      if [ "$helix_going" = 0 ] && [ "$helix_one" = "$helix_after" ]; then
        echo same
      else
        printf 'live\\n%s\\nafter\\n%s\\n' "$helix_live" "$helix_after"
      fi
    fi
    echo whole
    """
  }

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> LiveObject {
    let sections = try Sections(answer.output)
    if sections["absent"] != nil { return .absent(.nothing) }
    if sections["same"] != nil { return .same }
    let live = try sections["live"].flatMap(object)
    if let words = sections["refused"] {
      let words = words.joined(separator: "\n")
      if live == nil, let lack = lack(words) { return .absent(lack) }
      return .refused(live: live, words: words)
    }
    // A server that stopped a moment ago tells nothing, and ends here too.
    guard let live, let after = try sections["after"].flatMap(object) else { throw brokenOff }
    return .there(live: live, after: after)
  }

  private static func object(_ lines: [Substring]) throws(Diagnostic) -> Mapping? {
    let text = lines.joined(separator: "\n")
    guard text.contains("{") else { return nil }
    let object = try JSONReading.read(text).mapping
    guard object?["kind"]?.text == "List", let items = object?["items"]?.list else { return object }
    return items.first?.mapping
  }

  private static func lack(_ words: String) -> Lack? {
    if words.contains("no matches for kind") || words.contains("doesn't have a resource type") {
      return .kind
    }
    let isNamespace = words.contains("(NotFound)") && words.contains("namespaces \"")
    return isNamespace ? .namespace : nil
  }

  static let brokenOff = Diagnostic(
    "the cluster's API did not tell of an object",
    remedy: "see whether it answers: k3s kubectl get --raw /readyz")
}

extension LiveObject {
  /// The lines behind each word that stands alone in its line.
  private struct Sections {
    private static let words: Set<Substring> = [
      "unserved", "absent", "same", "live", "after", "refused",
    ]
    private var lines: [Substring: [Substring]] = [:]

    init(_ output: String) throws(Diagnostic) {
      var all = output.split(separator: "\n")
      guard all.popLast() == "whole" else { throw brokenOff }
      var word: Substring = ""
      for line in all {
        if Self.words.contains(line) {
          word = line
          lines[word] = []
        } else {
          lines[word]?.append(line)
        }
      }
    }

    subscript(word: Substring) -> [Substring]? { lines[word] }
  }
}

extension LiveObject {
  // Status, and what a server keeps in its books, move all the time and mean nothing here.
  private var summary: String {
    switch self {
    case .absent(.nothing): return "absent"
    case .absent(.kind): return "absent, its kind too"
    case .absent(.namespace): return "absent, its namespace too"
    case .absent(.cluster): return "absent, and no server answers"
    case .same: return "as applied"
    case .there(let live, let after):
      let meaning = Self.digest(live) + Self.digest(after)
      return (Self.isGoing(live) ? "going " : "") + (Self.isOurs(live) ? "" : "not ours ")
        + shortDigest(meaning)
    case .refused(let live, let words):
      return "refused " + shortDigest((live.map(Self.digest) ?? "") + words)
    }
  }

  private static func digest(_ object: Mapping) -> String {
    shortDigest(JSONText.write(.mapping(ObjectDifference.meaning(of: object))))
  }

  /// Whether it is being deleted.
  static func isGoing(_ object: Mapping) -> Bool {
    object["metadata"]?.mapping?["deletionTimestamp"] != nil
  }

  /// Whether helix-infra has applied it and still manages a field of it.
  static func isOurs(_ object: Mapping) -> Bool { managers(of: object).contains(manager) }

  /// Who manages its fields, in order, each once.
  static func managers(of object: Mapping) -> [String] {
    let applied = holdings(of: object).compactMap { entry -> String? in
      guard let name = entry["manager"]?.text else { return nil }
      return name == manager && entry["operation"]?.text != "Apply" ? nil : name
    }
    return Array(Set(applied)).sorted()
  }

  /// The commands by which somebody has set fields by hand that our apply takes back.
  static func hands(on live: Mapping, after: Mapping) -> [String] {
    let fields = { (object: Mapping, hand: String) in
      holdings(of: object).filter { $0["manager"]?.text == hand }.compactMap {
        $0["fieldsV1"].map { JSONText.write($0.value) }
      }
    }
    return hands.filter { fields(live, $0) != fields(after, $0) }
  }

  /// The field managers of kubectl's commands for changing one thing by hand.
  static let hands = ["annotate", "edit", "label", "patch", "set"].map { "kubectl-\($0)" }

  private static func holdings(of object: Mapping) -> [Mapping] {
    (object["metadata"]?.mapping?["managedFields"]?.list ?? []).compactMap(\.mapping)
  }
}
