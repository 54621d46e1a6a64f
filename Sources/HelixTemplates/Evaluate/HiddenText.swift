internal import HelixModel

/// What can be done with text whose secrets stay named: join it and code it, and nothing that would
/// need to know it.
enum HiddenText {
  /// A value as a template writes it.
  static func text(of value: Value) throws(Complaint) -> TemplateText {
    if case .hidden(let text) = value { return text }
    if let name = value.secrets.first { throw needsValue(of: name) }
    return TemplateText(PythonText.string(of: value))
  }

  static func refuse(_ values: [Value?]) throws(Complaint) {
    for value in values {
      if let name = value?.secrets.first { throw needsValue(of: name) }
    }
  }

  static func needsValue(of name: SecretName) -> Complaint {
    Complaint(
      "this needs the value of the secret \(name.rawValue)",
      reason: "plans are made and shown without knowing secrets",
      remedy: "a secret can be joined with text, passed through b64encode, b64decode, urlencode,"
        + " to_json, quote or trim, and written into a file")
  }

  /// Several texts one behind the other.
  static func joined(_ texts: [TemplateText]) -> Value {
    var parts: [TemplateText.Part] = []
    for part in texts.flatMap(\.parts) {
      if case .literal(let text) = part, case .literal(let before) = parts.last {
        parts[parts.count - 1] = .literal(before + text)
      } else {
        parts.append(part)
      }
    }
    return value(of: TemplateText(parts: parts))
  }

  /// Text as a value: one that is hidden only where it holds a secret.
  static func value(of text: TemplateText) -> Value { text.plain.map(Value.text) ?? .hidden(text) }

  /// A value in a coding.
  static func coded(
    _ value: Value, _ coding: SecretName.Coding
  ) throws(Complaint) -> Value {
    guard let coded = try text(of: value).coded(coding) else {
      throw Complaint("this text cannot be passed through \(coding.rawValue)")
    }
    return self.value(of: coded)
  }
}

extension Operators {
  /// `+` for values of which one holds a secret; everything else would need to know it.
  static func joined(
    _ operation: Arithmetic, _ left: Value, _ right: Value
  ) throws(Complaint) -> Value {
    switch (operation, left, right) {
    case (.add, .list(let first), .list(let second)): return .list(first + second)
    case (.add, .hidden(let first), .hidden(let second)):
      return HiddenText.joined([first, second])
    case (.add, .hidden(let first), .text(let second)):
      return HiddenText.joined([first, TemplateText(second)])
    case (.add, .text(let first), .hidden(let second)):
      return HiddenText.joined([TemplateText(first), second])
    default:
      try HiddenText.refuse([left, right])
      return .null
    }
  }
}
