import HelixModel

/// The definition of UpgradePlans, so that they can be written before the controller has started.
///
/// Every release of the controller brings its own and insists on it at each start. This one is only
/// there until then, and it keeps fields that it does not name.
enum PlanDefinition {
  static let group = "upgrade.cattle.io"
  static let name = "plans.upgrade.cattle.io"

  static func object(at location: SourceLocation) -> ManifestObject {
    let spec: Draft = [
      "group": .text(group), "scope": "Namespaced",
      "names": [
        "kind": "Plan", "listKind": "PlanList", "plural": "plans", "singular": "plan",
        "categories": ["upgrade"],
      ],
      "versions": [version],
    ]
    return Draft.fields([("spec", spec)]).object(
      "apiextensions.k8s.io/v1", "CustomResourceDefinition", name, at: location)
  }

  private static var version: Draft {
    [
      "name": "v1", "served": true, "storage": true, "subresources": ["status": .fields([])],
      "additionalPrinterColumns": [
        column("Image", ".spec.upgrade.image"), column("Channel", ".spec.channel"),
        column("Version", ".spec.version"),
      ],
      "schema": [
        "openAPIV3Schema": [
          "type": "object",
          "required": ["spec"],
          "properties": [
            "spec": spec,
            "status": ["type": "object", "x-kubernetes-preserve-unknown-fields": true],
          ],
        ]
      ],
    ]
  }

  private static func column(_ name: String, _ path: String) -> Draft {
    ["name": .text(name), "type": "string", "jsonPath": .text(path)]
  }

  private static let text: Draft = ["type": "string"]
  private static let whole: Draft = ["type": "integer", "format": "int64"]
  private static let truth: Draft = ["type": "boolean"]
  private static let texts: Draft = ["type": "array", "items": text]
  private static let open: Draft = [
    "type": "object", "x-kubernetes-preserve-unknown-fields": true,
  ]

  private static func object(_ properties: [(String, Draft)], required: [Draft] = []) -> Draft {
    [
      "type": "object", "required": required.isEmpty ? .absent : .list(required),
      "properties": .fields(properties), "x-kubernetes-preserve-unknown-fields": true,
    ]
  }

  private static var spec: Draft {
    object(
      [
        ("concurrency", whole), ("jobActiveDeadlineSecs", whole), ("nodeSelector", open),
        ("serviceAccountName", text), ("channel", text), ("version", text),
        ("tolerations", ["type": "array", "items": open]), ("exclusive", truth),
        (
          "window",
          object([("days", texts), ("startTime", text), ("endTime", text), ("timeZone", text)])
        ),
        ("prepare", container), ("upgrade", container), ("cordon", truth), ("drain", drain),
      ], required: ["upgrade"])
  }

  private static var container: Draft {
    object([("image", text), ("command", texts), ("args", texts)], required: ["image"])
  }

  private static var drain: Draft {
    object([
      ("timeout", ["anyOf": [["type": "integer"], text], "x-kubernetes-int-or-string": true]),
      ("gracePeriod", ["type": "integer", "format": "int32"]), ("deleteEmptydirData", truth),
      ("ignoreDaemonSets", truth), ("force", truth), ("disableEviction", truth),
      ("skipWaitForDeleteTimeout", whole), ("podSelector", open),
    ])
  }
}
