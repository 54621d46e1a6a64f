import HelixModel

/// The work of encrypting the values of a text and counting them for its MAC.
struct Sealing {
  let text: SOPSText
  let cipher: ValueCipher
  let choice: Choice
  private var mac: DocumentMAC
  private(set) var replacements: [Int: Replacement] = [:]
  /// What the items are in plain.
  private(set) var values: [SOPSValue] = []
  /// How many values got a ciphertext, and how many the rule selects.
  private(set) var sealedValues = 0
  private(set) var selectedValues = 0

  private var file: String { text.file }

  init(_ text: SOPSText, _ dataKey: DataKey, _ metadata: SOPSMetadata) {
    self.text = text
    cipher = ValueCipher(key: dataKey)
    choice = Choice(metadata.rule)
    mac = DocumentMAC(countsOnlyEncrypted: metadata.macOnlyEncrypted)
  }

  /// Encrypts the values that the rule selects, in the order of the text.
  ///
  /// - Parameters:
  ///   - values: What an item is in plain.
  ///   - kept: The ciphertext that an item already has, if any.
  ///   - random: Where initialization vectors come from.
  /// - Throws: a `SOPSProblem` when the rule is a pattern that SOPS cannot read.
  mutating func run(
    values: (Int) -> SOPSValue, kept: (Int) -> String? = { _ in nil },
    random: inout some RandomNumberGenerator
  ) throws(SOPSProblem) {
    try choice.checkReadable(file: file)
    for (index, item) in text.items.enumerated() {
      let value = values(index)
      self.values.append(value)
      let isSelected = choice.selects(item) && value != .null
      mac.add(value, isEncrypted: isSelected)
      guard isSelected else { continue }
      if !value.isComment { selectedValues += 1 }
      guard
        let sealed = kept(index) ?? cipher.seal(value, at: item.binding, random: &random)
      else { continue }
      if !value.isComment { sealedValues += 1 }
      replacements[index] = .ciphertext(sealed)
    }
  }

  /// Leaves the text as it is but for one item.
  mutating func replaceOnly(_ index: Int) {
    replacements = [index: replacements[index] ?? .value(values[index])]
  }

  /// The MAC as the metadata has it.
  func sealedMAC(
    at moment: Moment, random: inout some RandomNumberGenerator
  ) throws(SOPSProblem) -> String {
    let binding = Array(moment.secondText.utf8)
    guard
      let sealed = cipher.seal(.text(Array(mac.text.utf8)), at: binding, random: &random)
    else { throw .notFaithful(file: file) }
    return sealed
  }
}

extension SOPSDocument {
  /// Makes sure that a file which was just made opens to the values it was made of.
  static func check(
    _ bytes: [UInt8], format: SOPSFormat, file: String, dataKey: DataKey, values: [SOPSValue]
  ) throws(SOPSProblem) {
    let isFaithful: Bool
    do throws(SOPSProblem) {
      let sealed = try SealedDocument(bytes, format: format, file: file)
      let found = try SOPSDocument(sealed, dataKey: dataKey).leaves.map(\.value)
      isFaithful = found.countedBytes == values.countedBytes
    } catch {
      isFaithful = false
    }
    guard isFaithful else { throw .notFaithful(file: file) }
  }
}

extension [SOPSValue] {
  /// What counts of each value.
  fileprivate var countedBytes: [[UInt8]?] { filter { !$0.isComment }.map(\.canonicalBytes) }
}
