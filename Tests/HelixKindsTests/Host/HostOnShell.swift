import Foundation
import HelixModel
import HelixPlan
import HelixRun
import Testing

@testable import HelixKinds

/// Plans and applies host kinds for real, on the machine the tests run on.
struct HostOnShell {
  private let shells = HostShells(
    hosts: [
      HelixModel.Host(
        name: HostCase.host, connection: Connection(address: "127.0.0.1"), groups: [],
        variables: Mapping(),
        location: SourceLocation(file: "inventory/hosts.yaml", line: 1, column: 1))
    ], remote: LocalShells())

  /// The secrets that there are, by name.
  var secrets: [String: String] = [:]
  let told = Told()

  /// What one task would do here now.
  func plan(_ module: String, _ arguments: [String: Value]) async throws -> Plan {
    let (resource, observation) = try await observed(module, arguments)
    return try planOf(
      resource, observation, fingerprints: KeyedDigests(secrets: Secrets(values: secrets)))
  }

  /// What one task asks, and what this machine answers.
  func observed(
    _ module: String, _ arguments: [String: Value]
  ) async throws -> (resource: any Resource, observation: Observation) {
    let here = SourceLocation(file: "playbooks/site.yaml", line: 1, column: 1)
    let entries = arguments.sorted { $0.key < $1.key }.map { key, value in
      Mapping.Entry(key: key, keyLocation: here, value: Node(value, at: here))
    }
    let resource = try Catalogue.resource(for: demandOf(module, Mapping(entries)))
    let observer = Observer(shells: shells, key: KeyedDigests.key, events: told)
    return (
      resource, try await observer.observe([HostCase.host: resource.questions.map(\.request)])
    )
  }

  /// Carries a plan out; a step that fails fails the test.
  func apply(_ plan: Plan) async {
    let ports = RunPorts(
      shells: shells, secrets: Secrets(values: secrets), artifacts: NoArtifacts(),
      kubeconfigs: NoKubeconfigs(), diagnoses: [:], home: "/nonexistent")
    let summary = await Executor(ports: ports, parallelism: 1, events: told).run(plan)
    for failure in summary.failures { Issue.record("\(failure.step): \(failure.diagnostic)") }
  }

  /// The triple: the task finds something to do, doing it leaves nothing to do, and doing the same
  /// work once more leaves it at that.
  func triple(_ module: String, _ arguments: [String: Value], _ action: Action) async throws {
    let first = try await plan(module, arguments)
    #expect(first.refusals == [])
    #expect(first.changes.map(\.action) == [action], "\(first.changes)")
    for round in ["the first", "the second"] {
      await apply(first)
      let again = try await plan(module, arguments)
      #expect(again.refusals == [])
      #expect(again.changes.map(\.action) == [.none], "after \(round) time: \(again.changes)")
    }
  }
}

/// A folder of its own for one test, with a name that must be quoted; gone when the test ends.
final class AwkwardFolder: Sendable {
  let path: String
  private let outer: String

  init() throws {
    outer = "/tmp/helix-kinds-tests-\(randomNonce())"
    path = "\(outer)/o'brien's \"$HOME\" `files`"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: outer) }

  func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  func write(_ text: String, to name: String, mode: Int = 0o644) throws {
    try Data(text.utf8).write(to: URL(filePath: self(name)))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: self(name))
  }

  func text(of name: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(filePath: self(name))), as: UTF8.self)
  }

  func mode(of name: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: self(name))[.posixPermissions] as? Int
  }

  /// Everything in it, hidden files too, so that nothing is left lying about unseen.
  var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }
}

private struct LocalShells: ShellProvider {
  func shell(to host: HelixModel.Host) async throws -> any Shell { LocalShell(host: host.name) }
  func closeAll() async {}
}

/// Everything that was reported.
actor Told: EventSink {
  private(set) var events: [Event] = []
  func report(_ event: Event) { events.append(event) }
}

private struct Secrets: SecretStore {
  var values: [String: String]

  func value(of name: SecretName) throws -> SecretValue {
    guard let value = values[name.rawValue] else { throw Diagnostic("no such secret here") }
    return SecretValue(value)
  }
}

/// Fingerprints made as hosts make them.
private struct KeyedDigests: Fingerprinter {
  static let key = SecretValue("key")
  var key: SecretValue { Self.key }
  var secrets: Secrets

  func fingerprint(of text: TemplateText) throws(Diagnostic) -> String? {
    let value = String(decoding: try secrets.fill(text).value.reveal(), as: UTF8.self)
    return digest(of: "key:" + digest(of: "key:" + value))
  }

  func digest(of text: String) -> String { TrueDigests().digest(of: text) }
}

private struct NoArtifacts: ArtifactStore {
  func checksum(of artifact: ArtifactReference) async throws -> String {
    throw Diagnostic("no artifacts here")
  }
  func file(of artifact: ArtifactReference) async throws -> String {
    throw Diagnostic("no artifacts here")
  }
}

private struct NoKubeconfigs: KubeconfigMerging {
  func merge(_ incoming: String, into existing: String?) throws(Diagnostic) -> String {
    throw Diagnostic("no kubeconfigs here")
  }
}
