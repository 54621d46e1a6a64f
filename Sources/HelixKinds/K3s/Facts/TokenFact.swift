import HelixModel
import HelixPlan

/// The token file that the config points to; its value stays on the host.
struct TokenFile: Sendable, Hashable {
  var mode: String
  /// The hash of the full form; nil in the short form.
  var caHash: String?
  /// The keyed fingerprint of the password part.
  var password: String

  static let fact = fact(at: K3sPaths.token)

  static func fact(at path: String) -> Fact<TokenFile?> {
    Fact<TokenFile?>(
      "k3s-token",
      command: """
        \(ShellLibrary.token)
        if [ -f \(path) ]; then
          stat -c 'mode %a %U' \(path)
          helix_token \(path)
        else echo absent; fi
        """,
      parse: parse, summary: { $0.map(\.summary) ?? "absent" })
  }

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> TokenFile? {
    let lines = FactLines(answer.output)
    guard !lines.has("absent") else { return nil }
    guard let mode = lines["mode"], let password = lines["token-password"] else {
      throw Diagnostic(
        "\(K3sPaths.token) cannot be read", reason: "no fingerprint could be made of it")
    }
    return TokenFile(mode: mode, caHash: lines["token-ca"], password: password)
  }

  private var summary: String {
    "\(caHash.map { "full form of \(short($0))" } ?? "short form"), \(short(password)), \(mode)"
  }
}
