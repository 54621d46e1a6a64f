import HelixModel

extension SOPSDocument {
  /// The file with another plain text, in which everything unchanged keeps its ciphertext; nil
  /// when the plain text is what it was.
  ///
  /// - Throws: a `SOPSProblem`, among others when the new text would leave all in plain.
  package func reencrypted(
    _ edited: [UInt8], tools: WritingTools, random: inout some RandomNumberGenerator
  ) throws(SOPSProblem) -> [UInt8]? {
    guard edited != (try decrypted()) else { return nil }
    let plain = try Self.plainText(edited, format: sealed.text.format, file: file)
    let text = sealed.grafted(onto: plain) ?? plain
    let former = FormerCiphertexts(leaves, for: text)
    var sealing = Sealing(text, dataKey, sealed.metadata)
    try sealing.run(
      values: { text.items[$0].value }, kept: { former.texts[$0] }, random: &random)
    guard sealing.selectedValues > 0 else {
      throw .nothingSelected(sealed.metadata.rule, file: file)
    }
    return try sealing.finish(sealed.metadata, tools.now, dataKey, random: &random)
  }

  /// The file with a value at a path in its first document, which may be new if what holds it is
  /// there; nil when the value is there already.
  ///
  /// - Throws: `noSuchPlace` when there is nothing to add it to, and others.
  package func setting(
    _ path: [PathStep], to value: SOPSValue, tools: WritingTools,
    random: inout some RandomNumberGenerator
  ) throws(SOPSProblem) -> [UInt8]? {
    let below = leaves.indices.filter { index in
      let item = leaves[index].item
      return item.document == 0 && !leaves[index].value.isComment && item.place.starts(with: path)
    }
    guard let place = below.first else {
      guard let new = NewPlace(text: sealed.text, path: path).made() else {
        throw .noSuchPlace(path, file: file)
      }
      var leaves = leaves.map(Optional.some)
      leaves.insert(nil, at: new.index)
      return try setting(new.index, to: value, new.text, leaves, tools: tools, random: &random)
    }
    guard below.count == 1, leaves[place].item.place.count == path.count else {
      throw .notOneValue(path, file: file)
    }
    guard !leaves[place].value.isSame(as: value) else { return nil }
    return try setting(
      place, to: value, sealed.text, leaves, tools: tools, random: &random)
  }

  /// A text with one item changed.
  private func setting(
    _ place: Int, to value: SOPSValue, _ text: SOPSText, _ leaves: [Leaf?], tools: WritingTools,
    random: inout some RandomNumberGenerator
  ) throws(SOPSProblem) -> [UInt8] {
    var sealing = Sealing(text, dataKey, sealed.metadata)
    try sealing.run(
      values: { $0 == place ? value : leaves[$0]?.value ?? .null },
      kept: { $0 == place ? nil : leaves[$0]?.ciphertext }, random: &random)
    guard sealing.selectedValues > 0 else {
      throw .nothingSelected(sealed.metadata.rule, file: file)
    }
    sealing.replaceOnly(place)
    return try sealing.finish(sealed.metadata, tools.now, dataKey, random: &random)
  }
}

extension SOPSDocument.Leaf {
  /// The leaf's ciphertext as it stands in the file; nil when it has none.
  var ciphertext: String? {
    guard isEncrypted, let text = item.value.textBytes else { return nil }
    return String(decoding: text, as: UTF8.self)
  }
}

/// The ciphertexts of a file that an edited text may keep: those for the same plain value of the
/// same type, bound to the same keys.
private struct FormerCiphertexts {
  /// By index of the edited text's items.
  private(set) var texts: [Int: String] = [:]

  /// What makes two values one.
  private struct Sort: Hashable {
    let binding: [UInt8]
    let type: String?
    let bytes: [UInt8]?

    init(_ binding: [UInt8], _ value: SOPSValue, in format: SOPSFormat) {
      self.binding = binding
      // Older writers made a float of every number in JSON, which reads as an integer again.
      let isJSONNumber = format == .json && value.typeName == "float"
      type = isJSONNumber ? "int" : value.typeName
      bytes = value.canonicalBytes
    }
  }

  private struct Exact: Hashable {
    let document: Int
    let place: [PathStep]
    let sort: Sort
  }

  private let format: SOPSFormat

  init(_ leaves: [SOPSDocument.Leaf], for text: SOPSText) {
    format = text.format
    var there: [Exact: [Int]] = [:]
    for index in leaves.indices.reversed() where leaves[index].isEncrypted {
      there[exact(leaves[index]), default: []].append(index)
    }
    var isTaken = leaves.map { _ in false }
    var waiting: [Int] = []
    for (index, item) in text.items.enumerated() {
      let key = Exact(document: item.document, place: item.place, sort: sort(item))
      if let leaf = there[key]?.popLast() {
        isTaken[leaf] = true
        texts[index] = leaves[leaf].ciphertext
      } else {
        waiting.append(index)
      }
    }
    // What moved within a list is still bound to the same keys.
    var moved: [Sort: [Int]] = [:]
    for index in leaves.indices.reversed() where leaves[index].isEncrypted && !isTaken[index] {
      moved[exact(leaves[index]).sort, default: []].append(index)
    }
    for index in waiting {
      guard let leaf = moved[sort(text.items[index])]?.popLast() else { continue }
      texts[index] = leaves[leaf].ciphertext
    }
  }

  private func sort(_ item: SOPSItem) -> Sort {
    Sort(item.binding, item.value, in: format)
  }

  private func exact(_ leaf: SOPSDocument.Leaf) -> Exact {
    Exact(
      document: leaf.item.document, place: leaf.item.place,
      sort: Sort(leaf.binding, leaf.value, in: format))
  }
}
