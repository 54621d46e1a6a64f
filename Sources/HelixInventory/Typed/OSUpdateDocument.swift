internal import HelixModel

/// The `os-update:` part of cluster.yaml: its shape, and what it becomes.
enum OSUpdateDocument {
  static let shape = Shape.fields([
    .optional(
      "reboot", .word(OSUpdateSpec.Reboot.allCases.map(\.rawValue)),
      "when a node reboots after its packages were updated"),
    .optional("concurrency", .integer(1...100), "how many agents at once"),
    .optional(
      "drain", .either(.bool, UpgradeDocument.drain),
      "how the pods are taken off a node first; false only keeps new ones away"),
  ])

  /// What the part declares; nil when there is none.
  static func spec(_ fields: Fields?) -> OSUpdateSpec? {
    guard let fields else { return nil }
    var spec = OSUpdateSpec()
    if let word = fields.text("reboot"), let reboot = OSUpdateSpec.Reboot(rawValue: word.value) {
      spec.reboot = reboot
    }
    spec.concurrency = fields.integer("concurrency") ?? spec.concurrency
    if fields.mapping["drain"] != nil { spec.drain = UpgradeDocument.drain(fields) }
    return spec
  }
}
