extension SOPSMetadata {
  /// What a new file says; it has no keys and no MAC until they are set.
  init(rule: SelectionRule?, macOnlyEncrypted: Bool, at moment: Moment) {
    fields = []
    groups = []
    lastModified = moment
    self.rule = rule ?? .standard
    self.macOnlyEncrypted = macOnlyEncrypted
    if let rule { fields[rule.fieldName] = .text(rule.text) }
    if macOnlyEncrypted { fields["mac_only_encrypted"] = .boolean(true) }
    fields["version"] = .text(Self.writtenVersion)
  }

  /// Binds a new MAC to a new time.
  mutating func stamp(_ mac: String, at moment: Moment) {
    self.mac = mac
    lastModified = moment
    fields["lastmodified"] = .text(moment.secondText)
    fields["mac"] = .text(mac)
    // Upstream refuses files that do not say which version wrote them.
    if fields["version"]?.text.map(Self.isVersion) != true {
      fields["version"] = .text(Self.writtenVersion)
    }
  }

  /// Says whom the file is for from now on.
  mutating func setGroups(_ groups: [[Entry]], threshold: Int?) {
    self.groups = groups
    if groups.count == 1 {
      fields["key_groups"] = nil
      fields["shamir_threshold"] = nil
      self.threshold = nil
      Self.put(groups[0], into: &fields)
    } else {
      Self.put([], into: &fields)
      fields["key_groups"] = .list(
        groups.map { group in
          var lists: [MetadataValue.Field] = []
          Self.put(group, into: &lists)
          return .fields(lists)
        })
      self.threshold = threshold ?? groups.count
      fields["shamir_threshold"] = .integer(neededGroups)
    }
  }

  /// Writes keys into the lists of their kinds; lists that were empty may stay so.
  private static func put(_ entries: [Entry], into fields: inout [MetadataValue.Field]) {
    let former = fields.filter { field in
      guard let list = field.value.list, field.name != "key_groups" else { return false }
      return MasterKey.isKnown(kind: field.name) || list.contains { $0.fields?["enc"] != nil }
    }.map(\.name)
    for kind in Set(former + entries.map(\.key.kind)).sorted() {
      let list = entries.filter { $0.key.kind == kind }.map { MetadataValue.fields($0.fields) }
      if !list.isEmpty {
        fields[kind] = .list(list)
      } else if fields[kind] != .list([]) {
        fields[kind] = nil
      }
    }
  }

  private static func isVersion(_ text: String) -> Bool {
    let numbers = text.split(separator: "-", maxSplits: 1)[...].first ?? ""
    let parts = numbers.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 3 && parts.allSatisfy { Int($0) != nil }
  }
}

extension SOPSMetadata.Entry {
  /// A data key, or a share of one, wrapped for an age recipient.
  static func age(_ recipient: String, wrapped: String) -> Self {
    Self(
      key: .age(recipient),
      fields: [.init("enc", .text(wrapped)), .init("recipient", .text(recipient))])
  }

  /// The same for a PGP key.
  static func pgp(_ fingerprint: String, wrapped: String, at moment: Moment) -> Self {
    Self(
      key: .pgp(fingerprint),
      fields: [
        .init("created_at", .text(moment.secondText)), .init("enc", .text(wrapped)),
        .init("fp", .text(fingerprint)),
      ])
  }
}
