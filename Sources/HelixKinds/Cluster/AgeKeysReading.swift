import HelixModel
package import HelixPlan

/// What a cluster has of age identities, as fingerprints; asked by `secrets doctor`.
package struct AgeKeysReading: Sendable, Hashable {
  /// An entry of a Secret of the name that was asked for.
  package struct Entry: Sendable, Hashable {
    package var namespace: String
    package var key: String
    /// The keyed fingerprints of its lines that are identities.
    package var identities: [String]
  }

  package var entries: [Entry]

  /// The Secrets of a name in all namespaces; nil when the API does not answer.
  package static func fact(name: String) -> Fact<AgeKeysReading?> {
    Fact<AgeKeysReading?>(
      "age-keys:\(name)", command: command(name), parse: parse,
      summary: { $0.map { "\($0.entries.count) entries" } ?? "no answer" })
  }

  // Base64 holds neither quotes nor commas, so the compact JSON of a map can be taken apart.
  private static func command(_ name: String) -> String {
    let each = #"{range .items[*]}{.metadata.namespace}{" "}{.data}{"\n"}{end}"#
    return #"""
      \#(ClusterDoor.shell)
      if helix_served && helix_found=$(helix_kubectl get secrets -A \
        --field-selector \#(shellQuoted("metadata.name=\(name)")) -o jsonpath=\#(shellQuoted(each)))
      then
        printf '%s\n' "$helix_found" | while read -r helix_namespace helix_data; do
          printf '%s\n' "$helix_data" | tr ',' '\n' |
            sed -n 's/^{*"\([^"]*\)":"\([^"]*\)"}*$/\1 \2/p' | while read -r helix_key helix_value; do
              printf 'entry %s %s\n' "$helix_namespace" "$helix_key"
              printf '%s' "$helix_value" | base64 -d | tr -d '\r' | grep '^AGE-SECRET-KEY-' |
                while read -r helix_line; do
                  printf 'identity %s\n' "$(printf '%s' "$helix_line" | helix_fingerprint)"
                done
            done
        done
        echo whole
      else
        echo silent
      fi
      """#
  }

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> AgeKeysReading? {
    var reading = AgeKeysReading(entries: [])
    var ending: String?
    for line in answer.output.split(separator: "\n") {
      let cells = words(of: line)
      switch cells.first {
      case "entry" where cells.count == 3:
        reading.entries.append(Entry(namespace: cells[1], key: cells[2], identities: []))
      case "identity" where cells.count == 2 && !reading.entries.isEmpty:
        reading.entries[reading.entries.count - 1].identities.append(cells[1])
      default: ending = cells.first
      }
    }
    switch ending {
    case "whole": return reading
    case "silent": return nil
    default: throw Diagnostic("the answer about age identities broke off")
    }
  }
}
