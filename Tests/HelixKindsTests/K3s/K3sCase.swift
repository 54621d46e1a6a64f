import Foundation
import HelixModel
import HelixPlan
import Testing

@testable import HelixKinds

/// A fixture folder: a declared cluster, what its hosts answer, and the plan that should come of it.
struct K3sCase: CustomTestStringConvertible, Sendable {
  let name: String
  let folder: URL
  var cluster: K3sCaseCluster

  init(folder: URL) throws {
    self.folder = folder
    name = folder.lastPathComponent
    cluster = try K3sCaseCluster(
      String(contentsOf: folder.appending(path: "cluster.txt"), encoding: .utf8))
    let manifests = folder.appending(path: "manifests.json")
    if let text = try? String(contentsOf: manifests, encoding: .utf8) {
      cluster.objects = try Self.objects(text, at: cluster.here)
    }
  }

  private static func objects(
    _ text: String, at place: HelixModel.SourceLocation
  ) throws -> [ManifestObject] {
    try (JSONReading.read(text).list ?? []).compactMap(\.mapping).map { body in
      let metadata = try #require(body["metadata"]?.mapping)
      return ManifestObject(
        apiVersion: try #require(body["apiVersion"]?.text), kind: try #require(body["kind"]?.text),
        namespace: metadata["namespace"]?.text, name: try #require(metadata["name"]?.text),
        body: body, location: place)
    }
  }

  var testDescription: String { name }

  static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures")

  static let all: [K3sCase] = {
    let root = fixtures.appending(path: "k3s")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
    return names.sorted().compactMap { try? K3sCase(folder: root.appending(path: $0)) }
  }()

  /// What all hosts answer: by their profile, unless the case has a file of its own.
  func observation() throws -> Observation {
    try cluster.observation { host, fact in
      let file = folder.appending(path: "facts/\(host)/\(fact).txt")
      return try? String(contentsOf: file, encoding: .utf8)
    }
  }
}

/// The plan of a declared cluster on hosts that answered.
func plan(_ cluster: K3sCaseCluster, _ observation: Observation) throws -> Plan {
  let desired = try cluster.desired(hosts: cluster.limit ?? cluster.hosts.map(\.name))
  var observation = observation
  for artifact in desired.artifacts(observation, fingerprints: PlainFingerprints()) {
    observation.checksums[artifact] = "sha256-of-\(artifact.release)"
  }
  return try Planner.plan(desired, observation: observation, fingerprints: PlainFingerprints())
}

/// Fingerprints that can be written into fixtures by hand: `fp-NAME` for a secret.
struct PlainFingerprints: Fingerprinter {
  let key = SecretValue("key")

  func fingerprint(of text: TemplateText) throws(Diagnostic) -> String? {
    let told = text.parts.map { part in
      switch part {
      case .literal(let literal): literal
      case .secret(let name): "fp-\(name.rawValue)"
      case .learned(let name): "learned-\(name.rawValue)"
      case .coded(let text, let coding): "fp-\(text.shown)|\(coding.rawValue)"
      }
    }.joined()
    // A whole file: one word of it fits into a fixture.
    return told.contains("\n") ? "fp-\(digest(of: told))" : told
  }

  /// FNV-1a: enough to tell texts apart.
  func digest(of text: String) -> String {
    let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
    return String(hash, radix: 16)
  }
}
