extension SecretName.Coding {
  /// The bytes in this coding; nil when they are not what it can be applied to.
  package func applied(to bytes: [UInt8]) -> [UInt8]? {
    if self == .encodedInBase64 { return Array(Base64.encode(bytes).utf8) }
    guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
    if self == .decodedFromBase64 { return Base64.decode(text.filter { !$0.isWhitespace }) }
    return applied(to: text).map { Array($0.utf8) }
  }

  /// The text in this coding; nil when it is not one that the coding can be applied to.
  package func applied(to text: String) -> String? {
    switch self {
    case .encodedInBase64: Base64.encode(Array(text.utf8))
    case .decodedFromBase64:
      Base64.decode(text.filter { !$0.isWhitespace }).flatMap {
        String(validating: $0, as: UTF8.self)
      }
    case .encodedForURLs: Self.percentEncoded(text)
    case .quotedForJSON: Self.quotedForJSON(text)
    case .quotedForShell: Self.quotedForShell(text)
    case .trimmed: Self.trimmed(text)
    case .toldAsTruth: ["true": "True", "false": "False"][text.lowercased()]
    }
  }

  /// Jinja2's `urlencode` for text: what may stand in a path is left alone.
  private static func percentEncoded(_ text: String) -> String {
    text.utf8.map { byte in
      let scalar = Unicode.Scalar(byte)
      guard !isWordCharacter(scalar), !"-./~".unicodeScalars.contains(scalar) else {
        return String(Character(scalar))
      }
      return "%" + hexadecimal(UInt32(byte), digits: 2).uppercased()
    }.joined()
  }

  /// Python's `json.dumps` for text: ASCII only.
  private static func quotedForJSON(_ text: String) -> String {
    var quoted = "\""
    for unit in text.utf16 {
      switch unit {
      case 0x22: quoted += "\\\""
      case 0x5C: quoted += "\\\\"
      case 0x0A: quoted += "\\n"
      case 0x0D: quoted += "\\r"
      case 0x09: quoted += "\\t"
      case 0x08: quoted += "\\b"
      case 0x0C: quoted += "\\f"
      case 0x20...0x7E: quoted.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
      default: quoted += "\\u" + hexadecimal(UInt32(unit), digits: 4)
      }
    }
    return quoted + "\""
  }

  /// Python's `shlex.quote`, which leaves a few characters more alone than `shellQuoted`.
  private static func quotedForShell(_ text: String) -> String {
    let plain = text.unicodeScalars.allSatisfy { scalar in
      isWordCharacter(scalar) || "@%+=:,./-".unicodeScalars.contains(scalar)
    }
    if plain, !text.isEmpty { return text }
    let parts = text.unicodeScalars.split(separator: "'", omittingEmptySubsequences: false)
    return "'" + parts.map { String($0) }.joined(separator: #"'"'"'"#) + "'"
  }

  private static func trimmed(_ text: String) -> String {
    let scalars = text.unicodeScalars
    guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
      let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
    else { return "" }
    return String(scalars[first...last])
  }

  private static func isWordCharacter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "0"..."9", "A"..."Z", "a"..."z", "_": true
    default: false
    }
  }

  private static func hexadecimal(_ number: UInt32, digits: Int) -> String {
    let text = String(number, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}
