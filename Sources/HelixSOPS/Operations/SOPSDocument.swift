package import HelixModel

/// An encrypted file that was opened: its values are plain and proved by its MAC.
package struct SOPSDocument: Sendable {
  /// A value or comment of the file.
  struct Leaf: Sendable {
    /// As the file has it.
    let item: SOPSItem
    /// Whether the rule says that it is encrypted.
    let isSelected: Bool
    /// Whether it has a ciphertext; nothing empty has one.
    let isEncrypted: Bool
    let value: SOPSValue
    /// Which of the item's bindings its ciphertext has; only comments have several.
    ///
    /// The bytes are not kept: below a long key they would take its length for every value.
    let bindingIndex: Int

    var binding: [UInt8] { item.bindings[bindingIndex] }
  }

  package let sealed: SealedDocument
  let dataKey: DataKey
  let leaves: [Leaf]
  /// Comments that the rule says are encrypted, and that are not or by another key; they stay.
  package let foreignComments: [SourceLocation]

  package var file: String { sealed.file }

  /// Opens a file with what is at hand.
  ///
  /// - Throws: a `SOPSProblem` that tells what was tried, or which value or MAC is wrong.
  package static func open(
    _ sealed: SealedDocument, with keyring: Keyring
  ) throws(SOPSProblem) -> SOPSDocument {
    let dataKey: DataKey
    do throws(KeySearchProblem) {
      dataKey = try KeySearch.dataKey(of: sealed.metadata, with: keyring)
    } catch {
      throw .noDataKey(error, file: sealed.file)
    }
    return try SOPSDocument(sealed, dataKey: dataKey)
  }

  /// Opens a file whose data key is known.
  init(_ sealed: SealedDocument, dataKey: DataKey) throws(SOPSProblem) {
    self.sealed = sealed
    self.dataKey = dataKey
    var opening = Opening(sealed, dataKey)
    try opening.run()
    try opening.checkMAC()
    leaves = opening.leaves
    foreignComments = opening.foreignComments
  }
}

extension SOPSItem {
  var sopsPlace: SOPSPlace { SOPSPlace(document: document, steps: place, location: location) }

  /// What a ciphertext here is bound to.
  var binding: [UInt8] { bindings[0] }

  /// For a comment, what it may be bound to, as readers differ about what holds it.
  var bindings: [[UInt8]] {
    guard value.isComment, !containers.isEmpty else { return [ValueCipher.place(keys)] }
    return containers.map { ValueCipher.place($0.keys) }
  }
}

extension [PathStep] {
  var keys: [String] { compactMap { if case .key(let key) = $0 { key } else { nil } } }
}

/// The work of decrypting all values of a file.
private struct Opening {
  let sealed: SealedDocument
  let cipher: ValueCipher
  let choice: Choice
  var leaves: [SOPSDocument.Leaf] = []
  var foreignComments: [SourceLocation] = []

  init(_ sealed: SealedDocument, _ dataKey: DataKey) {
    self.sealed = sealed
    cipher = ValueCipher(key: dataKey)
    choice = Choice(sealed.metadata.rule)
  }

  mutating func run() throws(SOPSProblem) {
    leaves.reserveCapacity(sealed.text.items.count)
    for item in sealed.text.items {
      guard choice.selects(item) || isSealedComment(item), item.value != .null else {
        leaves.append(leaf(item, isSelected: false, item.value))
        continue
      }
      switch item.value {
      case .comment(let text): open(comment: text, of: item)
      case .text(let text): leaves.append(try open(text, of: item))
      default:
        throw .value(.notText(type: item.value.typeName ?? "null"), item.sopsPlace)
      }
    }
  }

  /// Readers differ about what holds a comment, so the rule is not asked where it is plain to see.
  private func isSealedComment(_ item: SOPSItem) -> Bool {
    if case .comment(let text) = item.value { CipherText.begins(text) } else { false }
  }

  private func leaf(
    _ item: SOPSItem, isSelected: Bool = true, _ value: SOPSValue, opened: Int? = nil
  ) -> SOPSDocument.Leaf {
    let isEmpty = value.textBytes?.isEmpty ?? false
    return SOPSDocument.Leaf(
      item: item, isSelected: isSelected, isEncrypted: opened != nil && !isEmpty, value: value,
      bindingIndex: opened ?? 0)
  }

  private func open(
    _ text: [UInt8], of item: SOPSItem
  ) throws(SOPSProblem) -> SOPSDocument.Leaf {
    do throws(ValueProblem) {
      return leaf(item, try cipher.open(text, at: item.binding), opened: 0)
    } catch {
      throw .value(error, item.sopsPlace)
    }
  }

  /// Comments are outside the MAC, and upstream keeps those that do not decrypt.
  private mutating func open(comment text: [UInt8], of item: SOPSItem) {
    for (index, binding) in item.bindings.enumerated() {
      guard let bytes = (try? cipher.open(text, at: binding))?.textBytes else { continue }
      return leaves.append(leaf(item, .comment(bytes), opened: index))
    }
    foreignComments.append(item.location)
    leaves.append(leaf(item, item.value))
  }

  func checkMAC() throws(SOPSProblem) {
    guard let stored = sealed.metadata.mac else { throw .macMissing(file: sealed.file) }
    let binding = Array(sealed.metadata.lastModified.secondText.utf8)
    guard let opened = try? cipher.open(Array(stored.utf8), at: binding),
      let expected = opened.textBytes
    else { throw .macNotAuthentic(file: sealed.file) }
    func isRight(_ convert: (SOPSValue) -> SOPSValue) -> Bool {
      mac(convert).utf8.elementsEqual(expected)
    }
    if isRight({ $0 }) { return }
    // Before 3.13.2, every number of a JSON file was a float, which changes large integers.
    if sealed.text.format == .json, isRight(\.asFloat) { return }
    throw .macMismatch(file: sealed.file)
  }

  private func mac(_ convert: (SOPSValue) -> SOPSValue) -> String {
    var mac = DocumentMAC(countsOnlyEncrypted: sealed.metadata.macOnlyEncrypted)
    for leaf in leaves {
      mac.add(leaf.isEncrypted ? leaf.value : convert(leaf.value), isEncrypted: leaf.isSelected)
    }
    return mac.text
  }
}

extension SOPSValue {
  /// An integer as the float that older readers of JSON made of it.
  fileprivate var asFloat: SOPSValue {
    if case .integer(let number) = self { .number(Double(number)) } else { self }
  }
}
