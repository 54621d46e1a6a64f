import HelixModel

/// Manifests of the controller that the user keeps in a folder, for clusters without the internet.
struct ControllerFiles: Sendable {
  private let objects: [ManifestObject]
  /// What the Deployment's image says; nil where its tag is none that is known.
  let release: ControllerRelease?

  /// - Throws: what a folder of its manifests must hold, or must not.
  init(objects: [ManifestObject], upgrade: UpgradeSpec) throws(Diagnostic) {
    if let plan = objects.first(where: { $0.group == PlanDefinition.group && $0.kind == "Plan" }) {
      throw Diagnostic(
        "the UpgradePlan \(plan.name) is among the controller's manifests",
        reason: "UpgradePlans of nodes are written from upgrade.plans",
        remedy: "take it out of the folder", at: plan.location)
    }
    guard
      let deployment = objects.first(where: {
        $0.kind == "Deployment" && $0.name == ControllerObjects.name
          && $0.namespace == ControllerObjects.namespace
      })
    else {
      throw Diagnostic(
        "there is no Deployment \(ControllerObjects.namespace)/\(ControllerObjects.name)",
        reason: "that is the controller, by the name it has in its own manifests",
        remedy: "put the release's system-upgrade-controller.yaml into the folder",
        at: upgrade.controller.manifests?.location ?? upgrade.location)
    }
    self.objects = objects
    release = try Self.release(of: deployment, upgrade)
  }

  /// What the image says, or cluster.yaml where it says nothing.
  private static func release(
    of deployment: ManifestObject, _ upgrade: UpgradeSpec
  ) throws(Diagnostic) -> ControllerRelease? {
    let containers = deployment.body["spec"]?.mapping?["template"]?.mapping?["spec"]?.mapping?[
      "containers"]?.list
    let image = containers?.first?.mapping?["image"]?.text ?? ""
    let named = image.split(separator: "@").first ?? ""
    let tag = named.lastIndex(of: ":").map { String(named[named.index(after: $0)...]) }
    let release = tag.flatMap { ControllerRelease($0) }
    // One that nobody has written stands where the whole part does.
    let written = upgrade.controller.version
    guard written.location != upgrade.location else { return release }
    guard let release else { return ControllerRelease(written.value) }
    guard release.tag != written.value else { return release }
    throw Diagnostic(
      "the controller's manifests are of \(release.tag), and version says \(written.value)",
      reason: "UpgradePlans are written for one release, and the image is \(image)",
      remedy: "write version: \(release.tag), or leave version out: the manifests say it",
      at: written.location)
  }

  /// What others need comes first; else the order of the files.
  var inOrder: [ManifestObject] {
    let place = { (object: ManifestObject) in
      switch object.kind {
      case "Namespace": 0
      case "CustomResourceDefinition": 1
      case "Deployment": 3
      default: 2
      }
    }
    return objects.enumerated().sorted {
      (place($0.element), $0.offset) < (place($1.element), $1.offset)
    }
    .map(\.element)
  }
}
