import HelixModel
import HelixPlan

/// The file registries.yaml on a host: a keyed fingerprint of all of it, and of its lines what is
/// surely no secret.
struct InstalledRegistries: Sendable, Hashable {
  var mode: String
  var fingerprint: String
  /// The lines, comments left out and values hidden but for a few keys.
  var shown: String

  static let hidden = "‹a value that stays on the host›"

  static let fact = Fact<InstalledRegistries?>(
    "k3s-registries",
    command: """
      if [ -f \(K3sPaths.registries) ]; then
        stat -c 'mode %a %U' \(K3sPaths.registries)
        printf 'fingerprint %s\\n' "$(helix_fingerprint <\(K3sPaths.registries))"
        awk \(shellQuoted(shape)) \(K3sPaths.registries)
        echo end
      else echo absent; fi
      """,
    parse: parse, summary: { $0.map(\.summary) ?? "absent" })

  // A value is shown only behind a key that never holds a secret; the rest of a line that is none
  // of ours may be the rest of a password. Names and passwords in URLs go, too.
  private static let shape = #"""
    function bare(text) { gsub(/["\047 ]/, "", text); return text }
    /^[ \t]*(#|$)/ { next }
    { line = $0; sub(/[^ \t-].*$/, "", line); rest = substr($0, length(line) + 1)
      mark = index(rest, ":")
      if (line ~ /-/ && !(match(rest, /:([ \t]|$)/))) {
        if (open) { gsub(/\/\/[^\/@]*@/, "//…@", rest); print "|" line rest }
        else print "|" line "…"
        next
      }
      if (!match(rest, /:([ \t]|$)/)) { print "|…"; open = 0; next }
      key = substr(rest, 1, RSTART - 1); value = substr(rest, RSTART + 1)
      sub(/^[ \t]+/, "", value)
      open = bare(key) == "endpoint" && value == ""
      if (value == "") print "|" line key ":"
      else if (bare(key) ~ /^(endpoint|insecure_skip_verify|override_path|(ca|cert|key)_file)$/) {
        gsub(/\/\/[^\/@]*@/, "//…@", value); print "|" line key ": " value
      } else print "|" line key ": ‹a value that stays on the host›" }
    """#

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> InstalledRegistries? {
    let lines = FactLines(answer.output)
    guard !lines.has("absent") else { return nil }
    guard lines.has("end"), let mode = lines["mode"], let fingerprint = lines["fingerprint"] else {
      throw Diagnostic(
        "\(K3sPaths.registries) cannot be read", reason: "the host's answer broke off")
    }
    let shown = answer.output.split(separator: "\n").filter { $0.hasPrefix("|") }
      .map { $0.dropFirst() + "\n" }.joined()
    return InstalledRegistries(mode: mode, fingerprint: fingerprint, shown: shown)
  }

  private var summary: String { "\(short(fingerprint)) (\(mode))" }
}
