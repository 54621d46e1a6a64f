import HelixModel
import HelixPlan

/// How the admin's kubeconfig of a server becomes one for people elsewhere: with the address and the
/// names it has outside.
struct KubeconfigRewrite: Sendable, Hashable {
  /// The API's address outside: `https://192.0.2.1:6443`.
  var server: String
  /// What cluster, context and user are called.
  var name: String

  /// Prints the rewritten file.
  var script: String {
    let quoted = Self.escaped(name)
    let expressions =
      [#"s|^\( *server:\) .*|\1 \#(Self.escaped(server))|"#]
      + ["name", "cluster", "user", "current-context"].map { key in
        #"s|^\([ -]*\#(key):\) default$|\1 \#(quoted)|"#
      }
    return "sed "
      + expressions.map { "-e " + shellQuoted($0) }.joined(separator: " \\\n  ")
      + " \(K3sPaths.kubeconfig)"
  }

  /// For the right side of sed's `s|…|…|`.
  private static func escaped(_ text: String) -> String {
    String(text.flatMap { #"\|&"#.contains($0) ? ["\\", $0] : [$0] })
  }
}

/// What a kubeconfig holds, as fingerprints of the values that make it work.
struct KubeconfigContent: Sendable, Hashable {
  /// Keyed fingerprints of addresses, CA, certificate and key.
  var values: Set<String>
  var mode: String
  /// How many clusters the file names, and whether one bears the name of ours.
  var clusters: Int
  var namesOurs: Bool
}

extension KubeconfigContent {
  /// What the rewritten kubeconfig of a server holds; nil when there is none yet.
  static func served(_ rewrite: KubeconfigRewrite) -> Fact<KubeconfigContent?> {
    Fact<KubeconfigContent?>(
      "k3s-kubeconfig",
      command: """
        \(fingerprints)
        if [ -f \(K3sPaths.kubeconfig) ]; then
          { \(rewrite.script)
          } | helix_kubeconfig
          echo end
        else echo absent; fi
        """,
      parse: parse, summary: summary)
  }

  /// What the local file holds; nil when there is none.
  static func kept(at path: String, name: String) -> Fact<KubeconfigContent?> {
    Fact<KubeconfigContent?>(
      "kubeconfig:\(path)",
      command: """
        \(fingerprints)
        helix_path=\(shellQuoted(path))
        case $helix_path in '~/'*) helix_path=$HOME/${helix_path#'~/'} ;; esac
        if [ -f "$helix_path" ]; then
          printf 'mode %s\\n' "$(stat -c %a "$helix_path" 2>/dev/null || stat -f %Lp "$helix_path")"
          printf 'clusters %s\\n' "$(grep -c '^ *server:' "$helix_path")"
          ! grep -qxF -e \(shellQuoted("  name: \(name)")) -e \(shellQuoted("- name: \(name)")) \\
            "$helix_path" || echo ours
          helix_kubeconfig <"$helix_path"
          echo end
        else echo absent; fi
        """,
      parse: parse, summary: summary)
  }

  private static let fingerprints = """
    helix_kubeconfig() {
      sed -n -e 's/^ *server: *//p' -e 's/^ *certificate-authority-data: *//p' \\
        -e 's/^ *client-certificate-data: *//p' -e 's/^ *client-key-data: *//p' |
        tr -d "\\"'" |
        while IFS= read -r helix_value; do
          printf 'value %s\\n' "$(printf '%s' "$helix_value" | helix_fingerprint)"
        done
    }
    """

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> KubeconfigContent? {
    let lines = FactLines(answer.output)
    if lines.has("absent") { return nil }
    guard lines.has("end") else {
      throw Diagnostic("the kubeconfig cannot be read", reason: "the answer broke off")
    }
    return KubeconfigContent(
      values: Set(lines.all("value")), mode: lines["mode"] ?? "",
      clusters: lines.number("clusters") ?? 0, namesOurs: lines.has("ours"))
  }

  @Sendable
  private static func summary(_ content: KubeconfigContent?) -> String {
    guard let content else { return "absent" }
    let values = content.values.sorted().map(short).joined(separator: " ")
    return content.mode.isEmpty ? values : "\(values) (\(content.mode))"
  }
}
