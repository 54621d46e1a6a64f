extension SealedDocument {
  /// Values that the file's own rule says are encrypted, and that stand in plain text.
  package var plainPlaces: [SOPSPlace] {
    text.items.filter { Choice(metadata.rule).selects($0) && $0.isPlainSecret }.map(\.sopsPlace)
  }
}

extension SOPSText {
  /// Values of a plain file that a rule would encrypt.
  package func placesToEncrypt(by rule: SelectionRule) -> [SOPSPlace] {
    let choice = Choice(format == .binary ? .standard : rule)
    return items.filter { choice.selects($0) && $0.isPlainSecret }.map(\.sopsPlace)
  }
}

extension SOPSItem {
  /// Whether it is a value, and no ciphertext; comments and what is empty count for nothing.
  fileprivate var isPlainSecret: Bool {
    switch value {
    case .null, .comment: false
    case .text(let bytes): !bytes.isEmpty && !bytes.starts(with: "ENC[AES256_GCM,".utf8)
    case .integer, .number, .boolean, .time: true
    }
  }
}
