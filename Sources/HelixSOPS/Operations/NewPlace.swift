/// Makes room in an encrypted file's text for a value that it does not have yet.
///
/// What was added is proved by reading the text again: everything else must be there as before.
struct NewPlace {
  let text: SOPSText
  let path: [PathStep]

  /// The text with an empty value at the path in its first document, and the value's index; nil
  /// when there is no map or list to add it to.
  func made() -> (text: SOPSText, index: Int)? {
    guard let bytes = try? text.setting(.leaf(.text([])), at: path),
      let made = try? SOPSText.parse(bytes, format: text.format, file: text.file),
      made.metadata == text.metadata, made.items.count == text.items.count + 1,
      let index = made.items.firstIndex(where: {
        $0.document == 0 && $0.place == path && $0.value == .text([])
      })
    else { return nil }
    var rest = made.items
    rest.remove(at: index)
    let isRest = zip(rest, text.items).allSatisfy { new, old in
      new.value.isSame(as: old.value) && new.place == old.place && new.document == old.document
    }
    return isRest ? (made, index) : nil
  }
}
