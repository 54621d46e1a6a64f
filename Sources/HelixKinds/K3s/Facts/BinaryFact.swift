import HelixModel
import HelixPlan

/// The k3s binary that is installed.
struct InstalledBinary: Sendable, Hashable {
  var sha256: String
  /// What it says of itself; nil when it cannot be run or is no release.
  var version: K3sVersion?

  static let fact = Fact<InstalledBinary?>(
    "k3s-binary",
    command: """
      if [ -f \(K3sPaths.binary) ]; then
        printf 'sha256 %s\\n' "$(sha256sum <\(K3sPaths.binary) | cut -c1-64)"
        timeout 10 \(K3sPaths.binary) --version 2>/dev/null |
          sed -n 's/^k3s version \\([^ ]*\\).*/version \\1/p'
      else echo absent; fi
      """,
    parse: parse, summary: { $0.map(\.summary) ?? "absent" })

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> InstalledBinary? {
    let lines = FactLines(answer.output)
    guard !lines.has("absent") else { return nil }
    guard let sha256 = lines["sha256"] else {
      throw Diagnostic("\(K3sPaths.binary) cannot be read", reason: "it gave no checksum")
    }
    return InstalledBinary(sha256: sha256, version: lines["version"].flatMap { K3sVersion($0) })
  }

  private var summary: String {
    "\(version.map(\.description) ?? "unknown version"), sha256 \(short(sha256))"
  }
}
