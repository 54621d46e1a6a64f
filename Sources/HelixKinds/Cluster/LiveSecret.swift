import HelixModel
import HelixPlan

/// A Secret of the cluster as a server shows it; its values never leave the host.
struct LiveSecret: Sendable, Hashable {
  var type: String
  /// Keyed fingerprints of the values, by their key.
  var values: [String: String]
  /// The keys that helix-infra has put there.
  var owned: Set<String>
  var labels: [String: String]
  /// Keyed fingerprints of the annotations that were asked for.
  var annotations: [String: String]
  /// Whether a client-side apply has left a copy of the values in an annotation.
  var isCopied: Bool
  var isImmutable: Bool

  static let lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

  /// Nil when there is none.
  static func fact(_ manifest: SecretManifest) -> Fact<LiveSecret?> {
    Fact<LiveSecret?>(
      "secret:\(manifest.namespace)/\(manifest.name)", command: command(manifest), parse: parse,
      summary: { $0.map(\.summary) ?? "absent" })
  }

  // A map in kubectl's jsonpath is compact JSON, and base64 holds neither quotes nor commas.
  private static func command(_ manifest: SecretManifest) -> String {
    let annotations = manifest.annotations.keys.sorted().map { key in
      "helix_value=$(helix_secret \(shellQuoted(path(ofAnnotation: key))) | helix_fingerprint)\n"
        + "  printf 'annotation %s %s\\n' \(shellQuoted(key)) \"$helix_value\""
    }
    return #"""
      \#(ClusterDoor.shell)
      helix_secret() {
        helix_kubectl -n \#(shellQuoted(manifest.namespace)) get secret \
          \#(shellQuoted(manifest.name)) --ignore-not-found --show-managed-fields -o jsonpath="$1"
      }
      helix_entries() { tr ',' '\n' | sed -n 's/^{*"\([^"]*\)":"\([^"]*\)"}*$/\1 \2/p'; }
      helix_owned='{.metadata.managedFields[?(@.manager=="helix-infra")].fieldsV1['"'f:data'"']}'
      if ! helix_served; then
        echo unserved
      elif helix_type=$(helix_secret '{.type}') && [ -z "$helix_type" ]; then
        echo absent
      elif [ -n "$helix_type" ] && helix_data=$(helix_secret '{.data}') &&
        helix_labels=$(helix_secret '{.metadata.labels}') &&
        helix_owned=$(helix_secret "$helix_owned") &&
        helix_copy=$(helix_secret \#(shellQuoted(path(ofAnnotation: lastApplied))))
      then
        printf 'type %s\n' "$helix_type"
        [ -z "$helix_copy" ] || echo copied
        [ "$(helix_secret '{.immutable}')" != true ] || echo immutable
        printf '%s\n' "$helix_labels" | helix_entries | sed 's/^/label /'
        printf '%s\n' "$helix_owned" | tr ',{}' '\n\n\n' | sed -n 's/^"f:\([^"]*\)":*$/owned \1/p'
        printf '%s\n' "$helix_data" | helix_entries | while read -r helix_key helix_value; do
          printf 'value %s %s\n' "$helix_key" \
            "$(printf '%s' "$helix_value" | base64 -d | helix_fingerprint)"
        done
        \#(annotations.joined(separator: "\n"))
        echo whole
      fi
      """#
  }

  private static func path(ofAnnotation key: String) -> String {
    "{.metadata.annotations.\(key.split(separator: ".").joined(separator: "\\."))}"
  }

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> LiveSecret? {
    let lines = FactLines(answer.output)
    if lines.has("absent") || lines.has("unserved") { return nil }
    guard let type = lines["type"], lines.has("whole") else {
      throw Diagnostic(
        "the cluster's API did not tell of a Secret",
        remedy: "see whether it answers: k3s kubectl get --raw /readyz")
    }
    return LiveSecret(
      type: type, values: pairs(lines.all("value")), owned: Set(lines.all("owned")),
      labels: pairs(lines.all("label")), annotations: pairs(lines.all("annotation")),
      isCopied: lines.has("copied"), isImmutable: lines.has("immutable"))
  }

  private static func pairs(_ lines: [String]) -> [String: String] {
    let pairs = lines.map { line in
      let cells = line.split(separator: " ", maxSplits: 1).map(String.init)
      return (cells.first ?? "", cells.count == 2 ? cells[1] : "")
    }
    return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
  }

  private var summary: String {
    let values = values.sorted { $0.key < $1.key }.map { "\($0.key) \(short($0.value))" }
    let words = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    let marks = (isCopied ? ["copied into an annotation"] : []) + (isImmutable ? ["immutable"] : [])
    return ([type] + values + words + marks).joined(separator: ", ")
  }
}
