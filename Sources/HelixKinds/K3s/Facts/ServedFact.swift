import HelixModel
import HelixPlan

/// What a host finds when it asks a registration address for a cluster's CA.
enum Served: Sendable, Hashable {
  /// A cluster answers, with this CA.
  case cluster(ca: String)
  /// Nothing answers, or nothing that is a k3s cluster.
  case nothing
  /// The host has no tool to ask with.
  case unknown
}

extension Served {
  /// What stands behind each of some `address:port`, asked at once, so that dead ones cost one wait.
  static func fact(_ targets: [String]) -> Fact<[String: Served]> {
    Fact<[String: Served]>(
      "k3s-served", command: command(targets), parse: parse,
      summary: { answers in
        answers.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.word)" }
          .joined(separator: ", ")
      })
  }

  // A load balancer without a server behind it accepts and closes: that is nothing, too.
  // The pipe to cat ends with the last asker; dash's `wait` hangs where SIGCHLD came in blocked.
  private static func command(_ targets: [String]) -> String {
    """
    \(ShellLibrary.caHash)
    helix_cacerts() {
      if command -v curl >/dev/null 2>&1; then
        curl -fksS --noproxy '*' --connect-timeout 3 -m 8 "https://$1/cacerts"
      elif command -v wget >/dev/null 2>&1; then
        wget -q -O - --no-check-certificate --no-proxy -T 4 -t 1 "https://$1/cacerts"
      elif command -v openssl >/dev/null 2>&1; then
        printf 'GET /cacerts HTTP/1.0\\r\\n\\r\\n' |
          timeout 8 openssl s_client -quiet -connect "$1" | sed -n '/-BEGIN CERT/,$p'
      else
        echo unknown
      fi
    }
    for helix_target in \(targets.map(shellQuoted).joined(separator: " ")); do
      (
        helix_bundle=$(helix_cacerts "$helix_target" 2>/dev/null; printf .)
        helix_bundle=${helix_bundle%.}
        case $helix_bundle in
        unknown*) helix_found=unknown ;;
        *) helix_found=$(printf '%s' "$helix_bundle" | helix_ca_hash) || helix_found=nothing ;;
        esac
        printf '%s %s\\n' "$helix_target" "$helix_found"
      ) &
    done | cat
    """
  }

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> [String: Served] {
    var served: [String: Served] = [:]
    for line in answer.output.split(separator: "\n") {
      let parts = words(of: line)
      guard parts.count == 2 else { continue }
      served[parts[0]] =
        switch parts[1] {
        case "nothing": .nothing
        case "unknown": .unknown
        default: .cluster(ca: parts[1])
        }
    }
    return served
  }

  private var word: String {
    switch self {
    case .cluster(let ca): "serves \(short(ca))"
    case .nothing: "serves nothing"
    case .unknown: "cannot be asked"
    }
  }
}
