extension [PathStep] {
  /// The path as SOPS's commands take it: `["a"][0]`.
  package var sopsPath: String {
    map { step in
      switch step {
      case .key(let key): "[\"\(key)\"]"
      case .index(let index): "[\(index)]"
      }
    }.joined()
  }

  /// Reads `["a"]['b'][0]`; nil when it is not written so.
  package init?(sopsPath text: String) {
    self = []
    var rest = text[...]
    while let open = rest.first {
      guard open == "[", let first = rest.dropFirst().first else { return nil }
      rest = rest.dropFirst()
      if first == "\"" || first == "'" {
        rest = rest.dropFirst()
        guard let end = rest.firstIndex(of: first) else { return nil }
        append(.key(String(rest[..<end])))
        rest = rest[end...].dropFirst()
      } else {
        let digits = rest.prefix { $0 != "]" }
        guard digits.allSatisfy({ ("0"..."9").contains($0) }), let index = Int(digits) else {
          return nil
        }
        append(.index(index))
        rest = rest.dropFirst(digits.count)
      }
      guard rest.first == "]" else { return nil }
      rest = rest.dropFirst()
    }
    guard !isEmpty else { return nil }
  }
}
