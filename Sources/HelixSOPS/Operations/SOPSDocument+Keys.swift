/// What a file's new keys are, beside those it had.
package struct KeyChange: Hashable, Sendable {
  package var added: [MasterKey]
  package var removed: [MasterKey]
  /// Whether groups or their threshold differ, though perhaps no key does.
  package var isRegrouped: Bool

  package var isEmpty: Bool { added.isEmpty && removed.isEmpty && !isRegrouped }
}

/// A file under a new data key.
package struct Rotation: Sendable {
  package var bytes: [UInt8]
  package var change: KeyChange
  /// Where values stand that everybody who had the former key still knows.
  package var places: [SOPSPlace]
}

extension SealedDocument {
  /// What would change if the file were for these keys; an answer for which it need not be opened.
  package func keyChange(to groups: [KeyGroup], threshold: Int? = nil) -> KeyChange {
    let former = recipients
    let formerKeys = Set(former.flatMap(\.keys).map(\.canonical))
    let newKeys = Set(groups.flatMap(\.keys).map(\.canonical))
    let isRegrouped =
      former.map(\.canonical) != groups.map(\.canonical)
      && (former.count > 1 || groups.count > 1)
      || groups.count > 1 && (threshold ?? groups.count) != metadata.neededGroups
    return KeyChange(
      added: KeyGroup(groups.flatMap(\.keys)).distinct.filter {
        !formerKeys.contains($0.canonical)
      },
      removed: KeyGroup(former.flatMap(\.keys)).distinct.filter {
        !newKeys.contains($0.canonical)
      },
      isRegrouped: isRegrouped)
  }
}

extension SOPSDocument {
  /// The file for other keys, with the same data key and values; nil when nothing changes.
  ///
  /// Who had a key that is removed can still open what the file holds: that takes a rotation.
  ///
  /// - Throws: a `SOPSProblem` when the data key cannot be wrapped for a key that is new.
  package func updatingKeys(
    to groups: [KeyGroup], threshold: Int? = nil, tools: WritingTools,
    random: inout some RandomNumberGenerator
  ) throws(SOPSProblem) -> [UInt8]? {
    guard !sealed.keyChange(to: groups, threshold: threshold).isEmpty else { return nil }
    var metadata = sealed.metadata
    let entries = try Self.wrapped(file) { () throws(WrapProblem) in
      guard groups.count == 1, metadata.groups.count == 1 else {
        // A share is only good beside the shares it was made with.
        return try tools.wrapping.entries(
          dataKey, for: groups, threshold: threshold, random: &random)
      }
      return [try extended(metadata.groups[0], to: groups[0], tools.wrapping)]
    }
    metadata.setGroups(entries, threshold: threshold)
    let bytes = try sealed.text.rewritten([:], metadata: .fields(metadata.fields))
    try Self.check(
      bytes, format: sealed.text.format, file: file, dataKey: dataKey,
      values: leaves.map(\.value))
    return bytes
  }

  /// A group's entries, of which those that the file has stay as they are.
  private func extended(
    _ former: [SOPSMetadata.Entry], to group: KeyGroup, _ wrapping: KeyWrapping
  ) throws(WrapProblem) -> [SOPSMetadata.Entry] {
    guard !group.keys.isEmpty else { throw .noKeys }
    return try group.distinct.map { key throws(WrapProblem) in
      if let entry = former.first(where: { $0.key.canonical == key.canonical }) { return entry }
      return try dataKey.withBytes { part throws(WrapProblem) in
        try wrapping.entry(part, for: key)
      }
    }
  }

  /// The file under a new data key, for the keys it has or for others.
  ///
  /// - Parameters:
  ///   - groups: Whom it is for from now on; nil for those it is for now.
  ///   - threshold: How many of several groups are needed; nil for all.
  ///   - tools: What wraps keys, and the time.
  ///   - random: Where keys and initialization vectors come from.
  /// - Returns: The new text, and where values stand that former readers know.
  /// - Throws: a `SOPSProblem` when the data key cannot be wrapped for one of them.
  package func rotated(
    to groups: [KeyGroup]? = nil, threshold: Int? = nil, tools: WritingTools,
    random: inout some RandomNumberGenerator
  ) throws(SOPSProblem) -> Rotation {
    var metadata = sealed.metadata
    let target = groups ?? sealed.recipients
    let threshold = groups == nil ? metadata.threshold : threshold
    let change = sealed.keyChange(to: target, threshold: threshold)
    let newKey = DataKey(random: &random)
    let entries = try Self.wrapped(file) { () throws(WrapProblem) in
      try tools.wrapping.entries(newKey, for: target, threshold: threshold, random: &random)
    }
    metadata.setGroups(entries, threshold: threshold)
    var sealing = Sealing(sealed.text, newKey, metadata)
    try sealing.run(values: { leaves[$0].value }, random: &random)
    let bytes = try sealing.finish(metadata, tools.now, newKey, random: &random)
    return Rotation(bytes: bytes, change: change, places: secretPlaces)
  }
}
