package import HelixAge

/// How a plain file is to be encrypted.
package struct EncryptionOptions: Hashable, Sendable {
  package var groups: [KeyGroup]
  /// How many of several groups are needed; nil for all.
  package var threshold: Int?
  /// Which values are encrypted; nil for what holds when nothing is said.
  package var rule: SelectionRule?
  /// Whether the MAC leaves values in plain text out.
  package var macOnlyEncrypted: Bool

  package init(
    groups: [KeyGroup], threshold: Int? = nil, rule: SelectionRule? = nil,
    macOnlyEncrypted: Bool = false
  ) {
    self.groups = groups
    self.threshold = threshold
    self.rule = rule
    self.macOnlyEncrypted = macOnlyEncrypted
  }
}

/// What writing needs beside the file.
package struct WritingTools: Sendable {
  /// Reads recipients; it decides which keys of SSH are known.
  package var age: AgeKeys
  package var pgp: (any PGPProgram)?
  package var now: Moment

  package init(age: AgeKeys = AgeKeys(), pgp: (any PGPProgram)? = nil, now: Moment) {
    self.age = age
    self.pgp = pgp
    self.now = now
  }

  var wrapping: KeyWrapping { KeyWrapping(age: age, pgp: pgp, now: now) }
}

extension SOPSDocument {
  /// An encrypted file made of a plain one.
  ///
  /// - Throws: a `SOPSProblem`, among others when nothing would be encrypted.
  package static func encrypt(
    _ bytes: [UInt8], format: SOPSFormat, file: String, options: EncryptionOptions,
    tools: WritingTools, random: inout some RandomNumberGenerator
  ) throws(SOPSProblem) -> [UInt8] {
    let text = try plainText(bytes, format: format, file: file)
    var metadata = SOPSMetadata(
      // Rules do not apply to a file that is one value.
      rule: format == .binary ? nil : options.rule ?? .standard,
      macOnlyEncrypted: options.macOnlyEncrypted, at: tools.now)
    let dataKey = DataKey(random: &random)
    var sealing = Sealing(text, dataKey, metadata)
    try sealing.run(values: { text.items[$0].value }, random: &random)
    guard sealing.sealedValues > 0 else { throw .nothingSelected(metadata.rule, file: file) }
    let groups = try wrapped(file) { () throws(WrapProblem) in
      try tools.wrapping.entries(
        dataKey, for: options.groups, threshold: options.threshold, random: &random)
    }
    metadata.setGroups(groups, threshold: options.threshold)
    return try sealing.finish(metadata, tools.now, dataKey, random: &random)
  }

  /// A plain file, with everything in it that SOPS would not give back as it is refused.
  static func plainText(
    _ bytes: [UInt8], format: SOPSFormat, file: String
  ) throws(SOPSProblem) -> SOPSText {
    if format != .binary, bytes.allSatisfy({ [9, 10, 13, 32].contains($0) }) {
      throw .empty(file: file)
    }
    let text = try SOPSText.reading(bytes, format: format, file: file)
    guard text.metadata == nil else { throw .alreadyEncrypted(file: file) }
    guard text.obstacles.isEmpty else { throw .obstacles(text.obstacles) }
    return text
  }

  static func wrapped<Result>(
    _ file: String, _ body: () throws(WrapProblem) -> Result
  ) throws(SOPSProblem) -> Result {
    do throws(WrapProblem) {
      return try body()
    } catch {
      throw .wrap(error, file: file)
    }
  }
}

extension Sealing {
  /// The file's new text, proved to open to the values that were sealed.
  func finish(
    _ metadata: SOPSMetadata, _ now: Moment, _ dataKey: DataKey,
    random: inout some RandomNumberGenerator
  ) throws(SOPSProblem) -> [UInt8] {
    var metadata = metadata
    metadata.stamp(try sealedMAC(at: now, random: &random), at: now)
    let bytes = try text.rewritten(replacements, metadata: .fields(metadata.fields))
    try SOPSDocument.check(
      bytes, format: text.format, file: text.file, dataKey: dataKey, values: values)
    return bytes
  }
}
