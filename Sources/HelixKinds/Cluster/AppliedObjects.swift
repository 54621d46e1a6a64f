import HelixModel
import HelixPlan

/// What a ConfigMap of the cluster remembers of the objects that were applied, so that those that
/// leave the files can be deleted.
struct AppliedObjects: Sendable, Hashable {
  static let namespace = "kube-system"
  static let name = "helix-infra-manifests"

  /// What became of an object that is remembered and no longer wanted.
  enum Standing: Sendable, Hashable {
    case ours
    /// Somebody else manages all of it now.
    case others
    case gone
  }

  /// The names of objects by their keys.
  var entries: [String: String]
  /// Of those that are not wanted.
  var stale: [String: Standing]

  /// The key of an object, made of what may stand in one; its version does not count.
  static func key(of object: ManifestObject) -> String {
    let kind = object.kind.lowercased() + (object.group.isEmpty ? "" : ".\(object.group)")
    let words = [kind, object.namespace ?? "", object.name].map(escaped)
    let key = words.joined(separator: "__")
    // Longer keys are refused; the digest keeps two of them apart.
    return key.utf8.count <= 253 ? key : "\(key.prefix(230)).\(shortDigest(key))"
  }

  /// An underscore stands in no name that Kubernetes checks, so it marks what does not fit.
  private static func escaped(_ text: String) -> String {
    text.utf8.map { byte in
      let letter = Character(Unicode.Scalar(byte))
      if letter.isASCII, letter.isLetter || letter.isNumber || ".-".contains(letter) {
        return String(letter)
      }
      let digits = String(byte, radix: 16)
      return "_" + (digits.count < 2 ? "0" : "") + digits
    }.joined()
  }

  /// What is remembered of an object, in words that hold neither commas nor quotes.
  static func value(of object: ManifestObject) -> String {
    [object.apiVersion, object.kind, object.namespace ?? "-", object.name].joined(separator: " ")
  }

  /// An object as it is remembered; nil for a value that says too little.
  static func object(_ value: String) -> ManifestObject? {
    let cells = words(of: value)
    guard cells.count == 4 else { return nil }
    return ManifestObject(
      apiVersion: cells[0], kind: cells[1], namespace: cells[2] == "-" ? nil : cells[2],
      name: cells[3], body: Mapping(),
      location: SourceLocation(file: "\(namespace)/\(name)", line: 1, column: 1))
  }
}

extension AppliedObjects {
  /// What is remembered, and of what is not `wanted` any more, what became of it.
  static func fact(wanted: [String]) -> Fact<AppliedObjects> {
    Fact<AppliedObjects>(
      "applied-objects", command: command(wanted), parse: parse, summary: { $0.summary })
  }

  // A map in kubectl's jsonpath is compact JSON, and neither keys nor values hold quotes or commas.
  private static func command(_ wanted: [String]) -> String {
    #"""
    \#(ClusterDoor.shell)
    helix_wanted=\#(shellQuoted(" \(wanted.joined(separator: " ")) "))
    \#(standing)
    if ! helix_served; then
      echo unserved
    elif helix_data=$(helix_kubectl -n \#(namespace) get configmap \#(name) --ignore-not-found \
      -o jsonpath='{.data}')
    then
      printf '%s\n' "$helix_data" | tr ',' '\n' | sed -n 's/^{*"\([^"]*\)":"\([^"]*\)"}*$/\1 \2/p' |
        while read -r helix_key helix_value; do
          printf 'entry %s %s\n' "$helix_key" "$helix_value"
          case $helix_wanted in *" $helix_key "*) continue ;; esac
          set -- $helix_value
          printf 'stale %s %s\n' "$helix_key" "$(helix_standing "$@")"
        done
      echo whole
    fi
    """#
  }

  /// `helix_standing APIVERSION KIND NAMESPACE NAME` tells in one word what became of an object.
  static let standing = #"""
    helix_stub() {
      helix_place=; [ "$3" = - ] || helix_place=",\"namespace\":\"$3\""
      printf '{"apiVersion":"%s","kind":"%s","metadata":{"name":"%s"%s}}\n' "$1" "$2" "$4" "$helix_place"
    }
    helix_standing() {
      if helix_owners=$(helix_stub "$@" | helix_kubectl get --ignore-not-found --show-managed-fields \
        -o jsonpath='{.metadata.uid}{range .metadata.managedFields[*]} {.manager}/{.operation}{end}' \
        -f - 2>&1)
      then
        case "$helix_owners " in
        " ") echo gone ;;
        *" helix-infra/Apply "*) echo ours ;;
        *) echo others ;;
        esac
      else
        case $helix_owners in
        *"no matches for kind"*|*"doesn't have a resource type"*) echo gone ;;
        *) echo unknown ;;
        esac
      fi
    }
    """#

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> AppliedObjects {
    let lines = FactLines(answer.output)
    guard lines.has("whole") else { throw LiveObject.brokenOff }
    var applied = AppliedObjects(entries: [:], stale: [:])
    for line in lines.all("entry") {
      let cells = line.split(separator: " ", maxSplits: 1).map(String.init)
      if cells.count == 2 { applied.entries[cells[0]] = cells[1] }
    }
    for line in lines.all("stale") {
      let cells = words(of: line)
      guard cells.count == 2 else { continue }
      switch cells[1] {
      case "ours": applied.stale[cells[0]] = .ours
      case "others": applied.stale[cells[0]] = .others
      case "gone": applied.stale[cells[0]] = .gone
      default: throw LiveObject.brokenOff
      }
    }
    return applied
  }

  private var summary: String {
    let stale = stale.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    let names = entries.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    let digest = shortDigest(names.joined(separator: "\n"))
    return (["\(entries.count) remembered, \(digest)"] + stale).joined(separator: ", ")
  }
}
