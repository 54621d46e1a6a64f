internal import HelixModel

/// aws.yaml: places in AWS that can take over when the machines at home cannot.
enum AWSDocument {
  static let shape = Shape.fields([
    .optional(
      "account", .text(example: "\"123456789012\""),
      "the account that may be changed; any other is refused"),
    .optional("region", .text(example: "eu-central-1"), "the region of targets that name none"),
    .required("targets", .named(target), "the targets by name"),
  ])

  private static let target = Shape.fields([
    .optional("region", .text(example: "eu-central-1"), "the target's region"),
    .required(
      "platform", .word(AWSSpec.Platform.allCases.map(\.rawValue)),
      "ec2 runs the same k3s from a snapshot, eks restores into EKS, ecs runs single services"),
    .optional(
      "version", .text(example: "\"1.33\""), "the Kubernetes minor of an eks target"),
    .optional("instance-type", .text(example: "t3.large"), "EC2's word for the size"),
    .optional("servers", .integer(1...7), "servers of an ec2 target"),
    .optional("agents", .integer(0...1000), "agents of an ec2 target, or nodes of an eks target"),
    .optional("snapshot-bucket", .text(example: "helix-etcd"), "the bucket of etcd snapshots"),
    .optional("velero-bucket", .text(example: "helix-velero"), "the bucket of Velero's backups"),
  ])

  static func spec(_ document: Node) -> AWSSpec? {
    guard let top = Fields(document) else { return nil }
    let targets = top.open("targets").entries.compactMap { entry -> AWSSpec.Target? in
      guard let fields = Fields(entry.value),
        let platform = fields.text("platform").flatMap({ AWSSpec.Platform(rawValue: $0.value) }),
        let region = fields.text("region") ?? top.text("region")
      else { return nil }
      return AWSSpec.Target(
        name: Located(entry.key, at: entry.keyLocation), region: region,
        instanceType: fields.text("instance-type") ?? Located("t3.large", at: entry.keyLocation),
        servers: fields.integer("servers") ?? 1, agents: fields.integer("agents") ?? 0,
        snapshotBucket: fields.text("snapshot-bucket"),
        veleroBucket: fields.text("velero-bucket"), platform: platform,
        version: fields.text("version"))
    }
    return AWSSpec(targets: targets, account: top.text("account"))
  }

  // MARK: - Checks

  static func problems(_ document: Node) -> [Diagnostic] {
    guard let top = Fields(document) else { return [] }
    return accountProblems(top)
      + top.open("targets").entries.flatMap { entry -> [Diagnostic] in
        guard let fields = Fields(entry.value) else { return [] }
        return placeProblems(fields, of: entry, in: top) + platformProblems(fields, of: entry)
          + bucketProblems(fields)
      }
  }

  private static func accountProblems(_ top: Fields) -> [Diagnostic] {
    guard let account = top.text("account") else { return [] }
    let isGood = account.value.count == 12 && account.value.allSatisfy { ("0"..."9").contains($0) }
    guard !isGood else { return [] }
    return [
      Diagnostic(
        "\"\(account.value)\" is not an AWS account", reason: "an account has twelve digits",
        remedy: "write it in quotation marks, without dashes", at: account.location)
    ]
  }

  private static func placeProblems(
    _ target: Fields, of entry: Mapping.Entry, in top: Fields
  ) -> [Diagnostic] {
    var problems: [Diagnostic] = []
    if !NodeNames.isLabel(entry.key) {
      problems.append(
        Diagnostic(
          "\"\(entry.key)\" cannot be the name of a target", reason: NodeNames.rule,
          remedy: "write for example frankfurt", at: entry.keyLocation))
    }
    guard let region = target.text("region") ?? top.text("region") else {
      problems.append(
        Diagnostic(
          "the target \"\(entry.key)\" has no region",
          remedy: "add region: eu-central-1 to the target, or to the top of the file",
          at: entry.keyLocation))
      return problems
    }
    if !region.value.isRegion {
      problems.append(
        Diagnostic(
          "\"\(region.value)\" is not an AWS region",
          reason: region.value.dropLast().isRegionText
            ? "this is the name of a zone, which a region has several of" : nil,
          remedy: region.value.dropLast().isRegionText
            ? "write \(region.value.dropLast())" : "write for example eu-central-1",
          at: region.location))
    }
    return problems
  }

  private static func platformProblems(_ target: Fields, of entry: Mapping.Entry) -> [Diagnostic] {
    var problems: [Diagnostic] = []
    switch target.text("platform")?.value {
    case "ec2":
      if target.text("snapshot-bucket") == nil {
        problems.append(
          Diagnostic(
            "the target \"\(entry.key)\" has no snapshot-bucket",
            reason: "an ec2 target starts from an etcd snapshot",
            remedy: "add snapshot-bucket: NAME", at: entry.keyLocation))
      }
      if let version = target.text("version") {
        problems.append(
          Diagnostic(
            "an ec2 target has no version of its own",
            reason: "it runs the k3s of cluster.yaml, so that a snapshot fits",
            remedy: "remove it", at: version.location))
      }
    case "eks": problems += kubernetesProblems(target, of: entry)
    default: break
    }
    return problems
  }

  /// EKS drops minors on its own calendar, so a target has to say which one it wants.
  private static func kubernetesProblems(
    _ target: Fields, of entry: Mapping.Entry
  ) -> [Diagnostic] {
    guard let version = target.text("version") else {
      return [
        Diagnostic(
          "the target \"\(entry.key)\" has no version",
          reason: "EKS offers other minor versions than k3s, and not for ever",
          remedy: "add version: \"1.33\"", at: entry.keyLocation)
      ]
    }
    let parts = version.value.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == "1", let minor = Int(parts[1]) else {
      return [
        Diagnostic(
          "\"\(version.value)\" is not a Kubernetes minor version",
          remedy: "write for example \"1.33\", in quotation marks", at: version.location)
      ]
    }
    guard minor < 30 else { return [] }
    return [
      Diagnostic(
        "EKS can no longer create clusters of version \(version.value)",
        reason: "its extended support has ended",
        remedy: "name a newer version, or use platform: ec2 to keep the k3s of cluster.yaml",
        at: version.location)
    ]
  }

  private static func bucketProblems(_ target: Fields) -> [Diagnostic] {
    ["snapshot-bucket", "velero-bucket"].compactMap { target.text($0) }
      .filter { !$0.value.isBucket }.map {
        Diagnostic(
          "\"\($0.value)\" is not the name of an S3 bucket",
          reason: "a bucket has 3 to 63 lower-case letters, digits, dots and dashes",
          remedy: "write the bare name, without s3:// and folders", at: $0.location)
      }
  }
}

extension StringProtocol {
  /// `eu-central-1`, `us-gov-west-1`.
  fileprivate var isRegionText: Bool {
    let parts = split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3 || parts.count == 4, let last = parts.last, last.count == 1,
      last.first?.isNumber == true
    else { return false }
    return parts.dropLast().allSatisfy { part in
      part.count >= 2 && part.unicodeScalars.allSatisfy { ("a"..."z").contains($0) }
    }
  }
}

extension String {
  fileprivate var isRegion: Bool { isRegionText }

  fileprivate var isBucket: Bool { (3...63).contains(count) && NodeNames.isName(self) }
}
