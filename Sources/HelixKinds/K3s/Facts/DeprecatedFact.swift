import HelixModel
import HelixPlan

/// APIs that somebody asked a server for and that a later release does not have.
struct DeprecatedAPIs: Sendable, Hashable {
  struct API: Sendable, Hashable {
    /// `policy/v1beta1 podsecuritypolicies`.
    var name: String
    /// The release without it: `1.25`.
    var removedIn: String

    fileprivate var minor: Int? { removedIn.split(separator: ".").last.flatMap { Int($0) } }
  }

  var apis: [API]

  /// Those that a release does not have any more.
  func missing(in version: K3sVersion) -> [API] {
    apis.filter { api in api.minor.map { $0 <= version.minor } ?? false }
  }

  /// Asked only where another minor is wanted: a server's metrics are many megabytes.
  static func fact(_ wanted: K3sVersion) -> Fact<DeprecatedAPIs> {
    Fact<DeprecatedAPIs>(
      "k3s-deprecated",
      command: """
        \(ClusterDoor.shell)
        if helix_served; then
          case $(timeout 10 \(K3sPaths.binary) --version 2>/dev/null) in
          'k3s version v\(wanted.major).\(wanted.minor).'*) ;;
          *) helix_kubectl get --raw /metrics |
            sed -n 's/^apiserver_requested_deprecated_apis{\\(.*\\)} 1.*/deprecated \\1/p' | sort -u ;;
          esac
        fi
        """,
      parse: { answer throws(Diagnostic) in DeprecatedAPIs(answer) },
      summary: { $0.apis.map(\.name).joined(separator: ", ") })
  }

  private init(_ answer: FactAnswer) {
    apis = FactLines(answer.output).all("deprecated").compactMap { line in
      let labels = Self.labels(line)
      guard let resource = labels["resource"], let removed = labels["removed_release"],
        !removed.isEmpty
      else { return nil }
      let group = [labels["group"], labels["version"]].compactMap(\.self).filter { !$0.isEmpty }
      let kind = [resource, labels["subresource"] ?? ""].filter { !$0.isEmpty }
      return API(
        name: "\(group.joined(separator: "/")) \(kind.joined(separator: "/"))", removedIn: removed)
    }
  }

  /// `group="policy",version="v1beta1"` taken apart; no label of these holds a quotation mark.
  private static func labels(_ text: String) -> [String: String] {
    let pairs = text.split(separator: "\",").compactMap { pair -> (String, String)? in
      let halves = pair.split(separator: "=", maxSplits: 1)
      guard halves.count == 2 else { return nil }
      return (String(halves[0]), halves[1].filter { $0 != "\"" })
    }
    return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
  }
}

// MARK: - Before another minor release

extension DeprecatedAPIs {
  /// What every server is asked: each counts what it was asked for itself.
  static func questions(_ cluster: K3sCluster) -> [Question] {
    cluster.servers.map { Question(fact(cluster.version.value), on: $0.host) }
  }

  /// What is worth knowing before servers come to another minor release, whoever brings them there.
  static func warning(
    _ cluster: K3sCluster, from: K3sVersion, to: K3sVersion, _ sight: inout Sight
  ) throws(Diagnostic) -> Diagnostic? {
    guard to.minor != from.minor else { return nil }
    let fact = fact(cluster.version.value)
    var missing: Set<API> = []
    for server in try ClusterSurvey.read(cluster, &sight).living {
      missing.formUnion(try sight.read(fact, on: server.host).missing(in: to))
    }
    guard !missing.isEmpty else { return nil }
    let told = missing.map { "\($0.name) (gone in \($0.removedIn))" }.sorted()
    return Diagnostic(
      "\(to) does not have APIs that are still asked for: \(told.joined(separator: ", "))",
      reason: "whoever asks for them is refused after the upgrade",
      remedy: "bring manifests and clients to the newer API first",
      at: cluster.version.location, severity: .warning)
  }
}
