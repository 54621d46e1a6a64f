import HelixModel

extension SealedDocument {
  /// An edited plain text with this file's `sops` block where it stood and as it stood, so that
  /// only what changes in it is written anew; nil where the text no longer has a place for it.
  func grafted(onto edited: SOPSText) -> SOPSText? {
    guard let bare = try? text.replacing([:], metadata: nil) else { return nil }
    let whole = text.bytes
    let head = zip(whole, bare).prefix { $0 == $1 }.count
    let tail = bare.count - head
    // Blocks of several documents do not stand in one piece.
    guard tail <= whole.count - head, edited.bytes.count >= tail,
      whole.suffix(tail) == bare.suffix(tail), edited.bytes.suffix(tail) == bare.suffix(tail)
    else { return nil }
    let bytes =
      edited.bytes.dropLast(tail) + whole[head..<(whole.count - tail)] + bare.suffix(tail)
    guard
      let grafted = try? SOPSText.parse(Array(bytes), format: text.format, file: text.file),
      grafted.metadata == text.metadata, grafted.documents == edited.documents,
      grafted.items.count == edited.items.count,
      zip(grafted.items, edited.items).allSatisfy({
        $0.value.isSame(as: $1.value) && $0.place == $1.place && $0.document == $1.document
          && $0.comments == $1.comments
      })
    else { return nil }
    return grafted
  }
}
