import HelixModel
import HelixPlan

/// The systemd unit of k3s and what belongs to it on a host.
struct InstalledUnit: Sendable, Hashable {
  enum Link: String, Sendable { case k3s, other, none }

  /// The unit's lines, continued ones joined and secrets in flags hidden; nil when there is none.
  var text: String?
  /// The mode and owner of the environment file; nil when there is none.
  var environmentMode: String?
  /// The names of the variables in it.
  var variables: [String]
  /// Checksums of the scripts that carry our mark; `other` for scripts of other tools.
  var scripts: [String: String]
  /// What stands where the commands beside k3s go.
  var links: [String: Link]

  static let commands = ["kubectl", "crictl", "ctr"]

  static func fact(_ role: K3sRoleOfNode) -> Fact<InstalledUnit> {
    Fact<InstalledUnit>(
      "k3s-unit", command: command(role), parse: parse, summary: \.summary)
  }

  private static func command(_ role: K3sRoleOfNode) -> String {
    let unit = K3sPaths.unit(role)
    let environment = K3sPaths.environment(role)
    return """
      \(redaction)
      [ ! -f \(unit) ] || { echo unit; helix_unit <\(unit); }
      [ ! -f \(environment) ] || {
        stat -c 'environment %a %U' \(environment)
        sed -n 's/^ *\\([A-Za-z_][A-Za-z0-9_]*\\)=.*/variable \\1/p' \(environment)
      }
      for helix_file in \(K3sPaths.killScript) \(K3sPaths.uninstallScript(role)); do
        [ -f "$helix_file" ] || continue
        if grep -qF '\(NodeScripts.mark)' "$helix_file"; then
          printf 'script %s %s\\n' "$helix_file" "$(sha256sum <"$helix_file" | cut -c1-64)"
        else printf 'script %s other\\n' "$helix_file"; fi
      done
      for helix_name in \(commands.joined(separator: " ")); do
        helix_path=/usr/local/bin/$helix_name
        helix_target=
        [ ! -L "$helix_path" ] || helix_target=$(readlink "$helix_path")
        if [ "$helix_target" = k3s ] || [ "$helix_target" = \(K3sPaths.binary) ]
        then helix_found=k3s
        elif [ -e "$helix_path" ] || [ -L "$helix_path" ] || command -v "$helix_name" >/dev/null
        then helix_found=other
        else helix_found=none; fi
        printf 'link %s %s\\n' "$helix_name" "$helix_found"
      done
      echo end
      """
  }

  // A token in a flag may be a word of its own, quoted, on the next line: join, then go by words.
  private static let redaction = """
    helix_unit() {
      awk -v hide=' \(ConfigRules.secretKeys.map { "--" + $0 }.joined(separator: " ")) -t ' '
        { line = held $0; held = "" }
        line ~ /\\\\[ \\t]*$/ { sub(/\\\\[ \\t]*$/, " ", line); held = line; next }
        line ~ /^Environment=/ { sub(/=.*/, "=\(InstalledConfig.hiddenMark)", line) }
        line !~ /^Exec/ { print "|" line; next }
        { n = split(line, word, /[ \\t]+/); out = ""; mask = 0; quote = ""
          for (i = 1; i <= n; i++) {
            if (word[i] == "") continue
            bare = word[i]; gsub(/["\\047]/, "", bare); flag = bare; sub(/=.*/, "", flag)
            if (mask) {
              first = substr(word[i], 1, 1); last = substr(word[i], length(word[i]))
              if (quote == "" && (first == "\\047" || first == "\\"")) quote = first
              if (quote == "" || last == quote) { mask = 0; quote = ""; bare = "\(InstalledConfig.hiddenMark)" }
              else continue
            } else if (index(hide, " " flag " ")) {
              if (bare ~ /=/) bare = flag "=\(InstalledConfig.hiddenMark)"; else mask = 1
            } else bare = word[i]
            out = out (out == "" ? "" : " ") bare
          }
          print "|" out }'
    }
    """

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> InstalledUnit {
    let raw = answer.output.split(separator: "\n")
    guard raw.last == "end" else {
      throw Diagnostic("the unit of k3s cannot be read", reason: "the host's answer broke off")
    }
    let lines = FactLines(answer.output)
    let text = raw.filter { $0.hasPrefix("|") }.map { $0.dropFirst() + "\n" }.joined()
    return InstalledUnit(
      text: lines.has("unit") ? text : nil, environmentMode: lines["environment"],
      variables: lines.all("variable"), scripts: pairs(lines.all("script")),
      links: pairs(lines.all("link")).compactMapValues(Link.init(rawValue:)))
  }

  private static func pairs(_ lines: [String]) -> [String: String] {
    let halves = lines.map(words).filter { $0.count == 2 }
    return Dictionary(halves.map { ($0[0], $0[1]) }, uniquingKeysWith: { first, _ in first })
  }

  private var summary: String {
    var parts = [text.map { "unit \(executed(in: $0))" } ?? "no unit"]
    parts.append(environmentMode.map { "environment \($0)" } ?? "no environment")
    parts += variables
    parts += scripts.sorted { $0.key < $1.key }.map { "\($0.key) \(short($0.value))" }
    parts += links.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.rawValue)" }
    return parts.joined(separator: ", ")
  }

  private func executed(in text: String) -> String {
    text.split(separator: "\n").first { $0.hasPrefix("ExecStart=") }.map(String.init)
      ?? "without a start"
  }
}
