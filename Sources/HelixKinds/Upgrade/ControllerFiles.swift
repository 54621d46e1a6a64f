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
    let containers = deployment.body["spec"]?.mapping?["template"]?.mapping?["spec"]?.mapping?[
      "containers"]?.list
    let image = containers?.first?.mapping?["image"]?.text ?? ""
    let tag = image.lastIndex(of: ":").map { String(image[image.index(after: $0)...]) }
    release = tag.flatMap { ControllerRelease($0) }
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
