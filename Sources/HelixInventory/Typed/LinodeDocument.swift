internal import HelixModel

/// linode.yaml: pools of Linodes that grow and shrink with the cluster's needs.
enum LinodeDocument {
  static let shape = Shape.fields([
    .required("token", .secret, "the secret that holds the Linode API token"),
    .optional("region", .text(example: "us-east"), "the region of pools that name none"),
    .optional("image", .text(example: "linode/debian12"), "the image of pools that name none"),
    .required("pools", .named(pool), "the pools by name"),
  ])

  private static let pool = Shape.fields([
    .required("type", .text(example: "g6-nanode-1"), "Linode's word for the size"),
    .optional("region", .text(example: "us-east"), "the pool's region"),
    .optional("image", .text(example: "linode/debian12"), "the image, which must have cloud-init"),
    .optional("minimum", .integer(0...1000), "the fewest nodes to keep"),
    .required("maximum", .integer(1...1000), "the most nodes to pay for"),
    .optional("labels", .named(.text(example: "burst")), "labels of the pool's nodes"),
    .optional(
      "taints", .list(of: .text(example: "example.org/burst=true:NoSchedule")),
      "taints of the pool's nodes"),
  ])

  static func spec(_ document: Node) -> LinodeSpec? {
    guard let top = Fields(document), let token = top.secret("token") else { return nil }
    let pools = top.open("pools").entries.compactMap { entry -> LinodeSpec.Pool? in
      guard let fields = Fields(entry.value), let type = fields.text("type"),
        let region = fields.text("region") ?? top.text("region"),
        let maximum = fields.integer("maximum")
      else { return nil }
      let image =
        fields.text("image") ?? top.text("image")
        ?? Located("linode/debian12", at: entry.keyLocation)
      return LinodeSpec.Pool(
        name: Located(entry.key, at: entry.keyLocation), region: region, type: type, image: image,
        minimum: fields.integer("minimum") ?? 0, maximum: maximum, labels: labels(fields),
        taints: fields.texts("taints").map(\.value))
    }
    return LinodeSpec(token: token, pools: pools)
  }

  private static func labels(_ pool: Fields) -> [String: String] {
    let entries = pool.open("labels").entries.compactMap { entry in
      entry.value.scalarText.map { (entry.key, $0) }
    }
    return Dictionary(entries) { first, _ in first }
  }

  // MARK: - Checks

  static func problems(_ document: Node) -> [Diagnostic] {
    guard let top = Fields(document) else { return [] }
    return top.open("pools").entries.flatMap { entry -> [Diagnostic] in
      guard let fields = Fields(entry.value) else { return [] }
      return nameProblems(entry) + regionProblems(fields, of: entry, in: top)
        + sizeProblems(fields) + labelProblems(fields)
    }
  }

  /// The name becomes part of node names and of Linode labels, which allow no double dash.
  private static func nameProblems(_ entry: Mapping.Entry) -> [Diagnostic] {
    let name = entry.key
    let startsWithLetter = name.unicodeScalars.first.map { ("a"..."z").contains($0) } ?? false
    guard !NodeNames.isLabel(name) || name.count > 32 || name.contains("--") || !startsWithLetter
    else { return [] }
    return [
      Diagnostic(
        "\"\(name)\" cannot be the name of a pool",
        reason: "it becomes part of node names and Linode labels: at most 32 lower-case letters, "
          + "digits and single dashes, a letter first",
        remedy: "write for example burst", at: entry.keyLocation)
    ]
  }

  private static func regionProblems(
    _ pool: Fields, of entry: Mapping.Entry, in top: Fields
  ) -> [Diagnostic] {
    guard pool.text("region") == nil, top.text("region") == nil else { return [] }
    return [
      Diagnostic(
        "the pool \"\(entry.key)\" has no region", reason: "Linode wants one for every machine",
        remedy: "add region: us-east to the pool, or to the top of the file",
        at: entry.keyLocation)
    ]
  }

  private static func sizeProblems(_ pool: Fields) -> [Diagnostic] {
    var problems: [Diagnostic] = []
    if let minimum = pool.integer("minimum"), let maximum = pool.integer("maximum"),
      minimum > maximum, let place = pool.mapping["minimum"]?.location
    {
      problems.append(
        Diagnostic(
          "the minimum \(minimum) is above the maximum \(maximum)",
          remedy: "make it at most \(maximum)", at: place))
    }
    if let type = pool.text("type"), !type.value.isLinodeType {
      problems.append(
        Diagnostic(
          "\"\(type.value)\" is not a Linode type", reason: "types are written as in Linode's API",
          remedy: "write for example g6-nanode-1 or g6-standard-2", at: type.location))
    }
    return problems
  }

  private static func labelProblems(_ pool: Fields) -> [Diagnostic] {
    var problems: [Diagnostic] = []
    for entry in pool.open("labels").entries {
      guard let value = entry.value.scalarText,
        !LabelForm.isKey(entry.key) || !LabelForm.isValue(value)
      else { continue }
      problems.append(
        Diagnostic(
          "\"\(entry.key): \(value)\" is not a label",
          remedy: "write a key such as example.org/pool and a value of letters, digits, . _ -",
          at: entry.keyLocation))
    }
    for taint in pool.texts("taints") where !LabelForm.isTaint(taint.value) {
      problems.append(
        Diagnostic(
          "\"\(taint.value)\" is not a taint",
          remedy: "write key=value:NoSchedule, PreferNoSchedule or NoExecute", at: taint.location))
    }
    return problems
  }
}

extension String {
  /// `g6-nanode-1`, `g1-gpu-rtx6000-1`, `g7-premium-2`.
  fileprivate var isLinodeType: Bool {
    let parts = split(separator: "-", omittingEmptySubsequences: false)
    guard let generation = parts.first, parts.count >= 3, generation.first == "g",
      Int(generation.dropFirst()) != nil
    else { return false }
    return NodeNames.isLabel(self)
  }
}
