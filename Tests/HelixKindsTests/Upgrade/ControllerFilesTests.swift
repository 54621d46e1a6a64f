import HelixModel
import HelixPlan
import Testing

@testable import HelixKinds

/// The controller from a folder of manifests, as where there is no internet.
@Suite("the controller's manifests from a folder")
struct ControllerFilesTests {
  private static let part = SourceLocation(file: "inventory/cluster.yaml", line: 9, column: 3)
  private static let written = SourceLocation(file: "inventory/cluster.yaml", line: 10, column: 18)
  private static let folder = SourceLocation(file: "inventory/cluster.yaml", line: 11, column: 20)
  private static let own = SourceLocation(file: "controller/all.yaml", line: 1, column: 1)

  private static func object(
    _ kind: String, _ name: String, group: String = "v1", image: String? = nil
  ) -> ManifestObject {
    let spec: Draft =
      image.map { image in
        ["template": ["spec": ["containers": [["name": "c", "image": .text(image)]]]]]
      } ?? .absent
    let isOurs = kind != "Namespace" && kind != "CustomResourceDefinition"
    return Draft.fields([("spec", spec)]).object(
      group, kind, name, in: isOurs ? "system-upgrade" : nil, at: own)
  }

  /// As in a release's own files: the definition stands last there.
  private static func objects(
    image: String = "rancher/system-upgrade-controller:v0.16.3"
  ) -> [ManifestObject] {
    [
      object("Deployment", "system-upgrade-controller", group: "apps/v1", image: image),
      object("ServiceAccount", "system-upgrade"), object("Namespace", "system-upgrade"),
      object(
        "CustomResourceDefinition", PlanDefinition.name, group: "apiextensions.k8s.io/v1"),
    ]
  }

  private static func resources(
    _ objects: [ManifestObject]?, version: String? = nil, window: Bool = false
  ) throws(Diagnostics) -> [any Resource] {
    let cluster: K3sCaseCluster
    var inventory: Inventory
    do {
      cluster = try K3sCaseCluster("version v1.29.15+k3s1\nserver master-1 server")
      inventory = cluster.inventory
    } catch {
      throw Diagnostics(Diagnostic("\(error)"))
    }
    let at = { (text: String) in Located(text, at: part) }
    var servers = UpgradeSpec.PlanSpec(location: part)
    if window {
      servers.window = .init(days: [], start: at("02:00"), end: at("05:00"))
    }
    inventory.cluster?.upgrade = UpgradeSpec(
      controller: .init(
        version: version.map { Located($0, at: written) } ?? at("v0.13.4"),
        manifests: Located("controller", at: folder), objects: objects),
      servers: servers, agents: .init(drain: .init(timeout: 90), location: part), location: part)
    return try SystemUpgradeRole.resources(
      for: RoleDemand(
        role: SystemUpgradeRole.role.name, hosts: inventory.hosts.map(\.name), earlier: [:],
        given: [], location: part), inventory: inventory)
  }

  private static func refusal(
    _ objects: [ManifestObject], version: String? = nil, window: Bool = false
  ) -> Diagnostic? {
    do throws(Diagnostics) {
      _ = try resources(objects, version: version, window: window)
      return nil
    } catch {
      return error.all.first
    }
  }

  @Test("its objects stand in place of generated ones, what others need first")
  func order() throws {
    let kinds = try Self.resources(Self.objects()).map(\.address.description).prefix(5)
    #expect(
      Array(kinds) == [
        "cluster/object:namespace/system-upgrade",
        "cluster/object:customresourcedefinition.apiextensions.k8s.io/plans.upgrade.cattle.io",
        "cluster/object:serviceaccount/system-upgrade/system-upgrade",
        "cluster/object:deployment.apps/system-upgrade/system-upgrade-controller",
        "cluster/upgrade-plan:servers",
      ])
  }

  @Test("without a definition in the folder the generated one is taken")
  func definition() throws {
    let objects = Self.objects().filter { $0.kind != "CustomResourceDefinition" }
    let first = try Self.resources(objects).first?.address.description
    #expect(first?.hasSuffix("/plans.upgrade.cattle.io") == true)
  }

  @Test("a folder without the controller is refused where it is named")
  func noController() {
    let problem = Self.refusal(Self.objects().filter { $0.kind != "Deployment" })
    #expect(problem?.summary == "there is no Deployment system-upgrade/system-upgrade-controller")
    #expect(problem?.place == .source(Self.folder))
    #expect(problem?.remedy?.contains("system-upgrade-controller.yaml") == true)
  }

  @Test("an UpgradePlan among them is refused where it stands")
  func planAmongThem() {
    let plan = Self.object("Plan", "server-plan", group: UpgradePlanObject.apiVersion)
    let problem = Self.refusal(Self.objects() + [plan])
    #expect(
      problem?.summary == "the UpgradePlan server-plan is among the controller's manifests")
    #expect(problem?.place == .source(Self.own))
  }

  @Test("a version that the folder is not of is refused, one that it is of is not")
  func otherVersion() {
    let problem = Self.refusal(Self.objects(), version: "v0.13.4")
    #expect(
      problem?.summary == "the controller's manifests are of v0.16.3, and version says v0.13.4")
    #expect(problem?.place == .source(Self.written))
    #expect(Self.refusal(Self.objects(), version: "v0.16.3") == nil)
    #expect(Self.refusal(Self.objects()) == nil)
  }

  @Test(
    "what UpgradePlans may say goes by the image's release, or by version where it has none",
    arguments: [
      ("rancher/system-upgrade-controller:v0.13.4", nil, false),
      ("rancher/system-upgrade-controller:v0.16.3@sha256:12ab", nil, true),
      ("registry.example.org:5000/suc", "v0.13.4", false),
      ("registry.example.org:5000/suc@sha256:12ab", "v0.16.3", true),
    ] as [(String, String?, Bool)])
  func release(image: String, version: String?, hasWindow: Bool) throws {
    let objects = Self.objects(image: image)
    #expect((Self.refusal(objects, version: version, window: true) == nil) == hasWindow)
    let plans = try Self.resources(objects, version: version).compactMap {
      $0 as? UpgradePlanResource
    }
    #expect(plans.map { $0.release?.takesDurationText } == [hasWindow, hasWindow])
  }
}
