import HelixModel
import HelixPlan

/// The config file on a host, its secrets replaced by fingerprints before it travelled.
struct InstalledConfig: Sendable, Hashable {
  /// The file's words, without comments; nil when there is no file.
  var text: String?
  var mode: String
  /// Files of config.yaml.d, each with the keys it sets.
  var overlays: [String]

  static let fact = fact(at: K3sPaths.config, folder: K3sPaths.configFolder)

  static func fact(at path: String, folder: String) -> Fact<InstalledConfig> {
    Fact<InstalledConfig>(
      "k3s-config",
      command: """
        \(redaction)
        for helix_file in \(folder)/*.yaml \(folder)/*.yml; do
          [ -f "$helix_file" ] || continue
          printf 'overlay %s %s\\n' "${helix_file##*/}" \\
            "$(sed -n 's/^\\([a-z0-9-]*+\\{0,1\\}\\):.*/\\1/p' "$helix_file" | tr '\\n' ' ')"
        done
        if [ -f \(path) ]; then
          stat -c 'mode %a %U' \(path)
          helix_redact <\(path)
          echo end
        else echo absent; fi
        """,
      parse: parse, summary: \.summary)
  }

  /// Marks a value that stayed on the host; its fingerprint follows.
  static let hiddenMark = "helix-hidden:"

  // Comments go, because a secret may have been commented out; so does whatever continues the
  // value of a secret key.
  private static let redaction = """
    helix_redact() {
      helix_hidden=
      while IFS= read -r helix_line || [ -n "$helix_line" ]; do
        case $helix_line in
        '' | '#'* | '---'* | '...'*) continue ;;
        '{'* | '['* | '?'* | '%'*) echo '|helix-unreadable'; return ;;
        ' '* | '	'* | '-'*)
          helix_bare=${helix_line#"${helix_line%%[! 	]*}"}
          case $helix_bare in '' | '#'*) continue ;; esac
          [ -n "$helix_hidden" ] || printf '|%s\\n' "$helix_line"
          continue ;;
        esac
        helix_key=$(printf '%s' "${helix_line%%:*}" | tr -d "\\"' ")
        case ${helix_key%+} in
        \(ConfigRules.secretKeys.joined(separator: " | ")))
          helix_hidden=1
          printf '|%s: \(hiddenMark)%s\\n' "$helix_key" \\
            "$(printf '%s' "${helix_line#*:}" | helix_scalar | helix_fingerprint)" ;;
        *)
          helix_hidden=
          printf '|%s\\n' "$helix_line" ;;
        esac
      done
    }
    helix_scalar() {
      sed -e 's/^[ 	]*//' -e 's/^"\\([^"]*\\)".*/\\1/;t end' -e "s/^'\\([^']*\\)'.*/\\1/;t end" \\
        -e 's/[ 	][ 	]*#.*//' -e 's/[ 	]*$//' -e ':end' | tr -d '\\n'
    }
    """

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> InstalledConfig {
    let lines = answer.output.split(separator: "\n")
    let overlays = lines.filter { $0.hasPrefix("overlay ") }.map { String($0.dropFirst(8)) }
    let ending = lines.last ?? ""
    if ending == "absent" { return InstalledConfig(text: nil, mode: "", overlays: overlays) }
    guard ending == "end", let mode = FactLines(answer.output)["mode"] else {
      throw Diagnostic("\(K3sPaths.config) cannot be read", reason: "the host's answer broke off")
    }
    let text = lines.filter { $0.hasPrefix("|") }.map { $0.dropFirst() + "\n" }.joined()
    return InstalledConfig(text: text, mode: mode, overlays: overlays)
  }

  private var summary: String {
    guard let text else { return "absent" }
    let overlaid = overlays.isEmpty ? "" : "; with \(overlays.joined(separator: ", "))"
    return text.split(separator: "\n").joined(separator: " · ") + " (\(mode))" + overlaid
  }
}
