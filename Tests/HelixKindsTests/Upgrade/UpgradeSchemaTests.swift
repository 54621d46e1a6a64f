import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixKinds

/// Programs that know Kubernetes' schemas, when they are on this machine.
private enum Schemas {
  static let python = ProcessInfo.processInfo.environment["HELIX_ORACLES"].map {
    "\($0)/bin/python"
  }
  static let folder = K3sCase.fixtures.appending(path: "upgrade-schemas")

  static let canValidate: Bool = {
    guard let python else { return false }
    let imports = "import jsonschema, kubernetes_validate, yaml"
    return (try? run(python, ["-c", imports]).status) == 0
  }()

  static let kubectl: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "")
    .split(separator: ":").map { "\($0)/kubectl" }
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  static let whyNot: Comment =
    "python with kubernetes-validate, jsonschema and PyYAML is not in $HELIX_ORACLES"
}

@Suite("generated manifests and the schemas of Kubernetes")
struct UpgradeSchemaTests {
  private static let place = SourceLocation(file: "inventory/cluster.yaml", line: 9, column: 3)

  private static func plans(_ release: ControllerRelease) throws -> [ManifestObject] {
    let version = try #require(K3sVersion("v1.29.15+k3s1"))
    let drain = UpgradeSpec.Drain(
      timeout: 90, gracePeriod: 30, force: true, disableEviction: true,
      skipWaitForDeleteTimeout: 60, podSelector: "app!=storage,tier=web,!static")
    let at = { (text: String) in Located(text, at: place) }
    let window = UpgradeSpec.Window(
      days: [at("saturday")], start: at("22:00"), end: at("04:00"), timeZone: at("Europe/Zurich"))
    let full = UpgradeSpec.PlanSpec(
      concurrency: 2, drain: drain, exclusive: true,
      window: release.hasWindow ? window : nil, deadline: 5400,
      prepare: at("registry.example.org/k3s-upgrade"), location: place)
    let taints = ["CriticalAddonsOnly=true:NoExecute", "dedicated=etcd:NoSchedule"]
    return [K3sRoleOfNode.server, .agent].flatMap { role in
      [UpgradeSpec.PlanSpec(location: place), full].map { spec in
        UpgradePlanObject(
          role: role, target: .release(version), spec: spec, registry: "registry.example.org",
          release: release, taints: taints.compactMap { NodeTaint(flag: $0) }
        ).object
      }
    }
  }

  private static func objects(_ release: ControllerRelease) throws -> [ManifestObject] {
    let controller = ControllerObjects(
      release: release, registry: nil, location: place)
    return [PlanDefinition.object(at: place)] + controller.all + (try plans(release))
  }

  /// As they are applied: what steers us is no part of them.
  private static func json(_ objects: [ManifestObject]) -> String {
    let bodies = objects.map { JSONText.write(.mapping(ManifestSteering.stripped($0.body))) }
    return "[\(bodies.joined(separator: ",\n"))]\n"
  }

  @Test(
    "every object passes its schema, whatever the controller's release",
    .enabled(if: Schemas.canValidate, Schemas.whyNot), arguments: ControllerRelease.known)
  func schemas(release: ControllerRelease) throws {
    let file = FileManager.default.temporaryDirectory
      .appending(path: "helix-objects-\(release.tag)-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: file) }
    try Self.json(Self.objects(release)).write(to: file, atomically: true, encoding: .utf8)
    let definition = release.takesDurationText ? "v0.16.3" : "v0.15.3"
    let ran = try run(
      try #require(Schemas.python),
      [
        Schemas.folder.appending(path: "check.py").path, file.path,
        Schemas.folder.appending(path: "plan-crd-\(definition).yaml").path,
      ])
    #expect(ran.status == 0, "\(ran.all)")
    let count = try Self.objects(release).count
    #expect(ran.output.split(separator: "\n").count { $0.hasPrefix("good ") } == count)
  }

  @Test(
    "kubectl apply --dry-run=client takes every object",
    .enabled(if: Schemas.kubectl != nil, "there is no kubectl on this machine"))
  func kubectl() throws {
    let release = try #require(ControllerRelease.known.last)
    let objects = try Self.objects(release)
    let text = #"{"apiVersion": "v1", "kind": "List", "items": \#(Self.json(objects))}"#
    let file = FileManager.default.temporaryDirectory
      .appending(path: "helix-kubectl-\(UUID().uuidString).yaml")
    defer { try? FileManager.default.removeItem(at: file) }
    try text.write(to: file, atomically: true, encoding: .utf8)
    // Even then kubectl asks a server which kinds there are.
    let ran = try run(
      "python3",
      [
        Schemas.folder.appending(path: "discovery.py").path, try #require(Schemas.kubectl),
        file.path,
      ])
    #expect(ran.status == 0, "\(ran.all)")
    #expect(ran.output.split(separator: "\n").count { $0.hasSuffix("(dry run)") } == objects.count)
  }

  @Test("a drain's timeout is a number of nanoseconds where a text would stop the controller")
  func drainTimeout() throws {
    let timeout = { (tag: String) throws -> Value? in
      let release = try #require(ControllerRelease(tag))
      let body = try Self.plans(release)[1].body
      return body["spec"]?.mapping?["drain"]?.mapping?["timeout"]?.value
    }
    #expect(try timeout("v0.13.4") == .integer(90_000_000_000))
    #expect(try timeout("v0.16.2") == .integer(90_000_000_000))
    #expect(try timeout("v0.16.3") == .text("90s"))
  }

  @Test("the controller's objects are the recorded ones", arguments: ["v0.13.4", "v0.16.3"])
  func recorded(tag: String) throws {
    let release = try #require(ControllerRelease(tag))
    let controller = ControllerObjects(
      release: release, registry: "registry.example.org/", location: Self.place)
    try expectRecorded(
      Self.json(controller.all + Self.plans(release)),
      at: Schemas.folder.appending(path: "objects-\(tag).json"))
  }
}
