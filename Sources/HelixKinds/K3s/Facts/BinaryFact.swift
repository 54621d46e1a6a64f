import HelixModel
import HelixPlan

/// The k3s binary that is installed.
struct InstalledBinary: Sendable, Hashable {
  var sha256: String
  /// What it says of itself; nil when it cannot be run or is no release.
  var version: K3sVersion?
  /// The release that was put on the member and has not been seen well, whether or not it got there.
  var trial: K3sVersion?
  /// What the kept binary says of itself; nil where nothing is on trial.
  var previous: K3sVersion?

  /// Where to go back to, should the release that is there not come up well; nil when it was seen
  /// well.
  var wayBack: K3sVersion? {
    guard let previous, let version, trial == version, previous != version else { return nil }
    return previous
  }

  static let fact = Fact<InstalledBinary?>(
    "k3s-binary",
    command: """
      if [ -f \(K3sPaths.binary) ]; then
        printf 'sha256 %s\\n' "$(sha256sum <\(K3sPaths.binary) | cut -c1-64)"
        timeout 10 \(K3sPaths.binary) --version 2>/dev/null |
          sed -n 's/^k3s version \\([^ ]*\\).*/version \\1/p'
        if [ -s \(K3sPaths.trial) ]; then
          printf 'trial %s\\n' "$(head -n 1 \(K3sPaths.trial))"
          # It calls itself what its file is called.
          [ ! -x \(K3sPaths.previousBinary) ] ||
            timeout 10 \(K3sPaths.previousBinary) --version 2>/dev/null |
              sed -n 's/^k3s[^ ]* version \\([^ ]*\\).*/previous \\1/p'
        fi
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
    let release = { (word: String) in lines[word].flatMap { K3sVersion($0) } }
    return InstalledBinary(
      sha256: sha256, version: release("version"), trial: release("trial"),
      previous: release("previous"))
  }

  private var summary: String {
    "\(version.map(\.description) ?? "unknown version"), sha256 \(short(sha256))"
      + (wayBack.map { ", on trial after \($0)" } ?? "")
  }
}
