import HelixModel

/// One value of k3s's config file; k3s turns each into the words of a flag, so only words count.
struct ConfigValue: Sendable, Hashable {
  enum Word: Sendable, Hashable {
    case text(String)
    /// Looked up where the file is written.
    case secret(SecretName)
    /// On a host: the keyed fingerprint of a value that stayed there.
    case hidden(String)
  }

  var words: [Word]
  var isList: Bool

  static func text(_ text: String) -> ConfigValue {
    ConfigValue(words: [.text(text)], isList: false)
  }

  static func list(_ texts: [String]) -> ConfigValue {
    ConfigValue(words: texts.map(Word.text), isList: true)
  }

  /// The words that are text, joined for people and for comparing.
  var plain: String {
    words.map { word in
      switch word {
      case .text(let text): text
      case .secret(let name): "‹secret \(name.rawValue)›"
      case .hidden: "‹another value›"
      }
    }.joined(separator: ",")
  }

  var texts: [String] {
    words.compactMap { if case .text(let text) = $0 { text } else { nil } }
  }
}

/// The settings of k3s's config file by key.
struct ConfigSettings: Sendable, Hashable {
  var values: [String: ConfigValue]

  init(_ values: [String: ConfigValue] = [:]) { self.values = values }

  subscript(key: String) -> ConfigValue? {
    get { values[key] }
    set { values[key] = newValue }
  }

  func without(_ keys: Set<String>) -> ConfigSettings {
    ConfigSettings(values.filter { !keys.contains($0.key) })
  }

  /// These settings with others laid over them, key by key.
  func overlaid(by other: ConfigSettings) -> ConfigSettings {
    ConfigSettings(values.merging(other.values) { _, new in new })
  }
}

extension ConfigSettings {
  /// The settings as a canonical YAML file: keys sorted, every word quoted that could be misread.
  var rendered: TemplateText {
    var parts: [TemplateText.Part] = []
    for (key, value) in values.sorted(by: { $0.key < $1.key }) {
      if value.isList {
        parts.append(.literal(value.words.isEmpty ? "\(key): []\n" : "\(key):\n"))
        for word in value.words {
          parts += [.literal("  - ")] + Self.rendered(word) + [.literal("\n")]
        }
      } else if let word = value.words.first {
        parts += [.literal("\(key): ")] + Self.rendered(word) + [.literal("\n")]
      }
    }
    return TemplateText(parts: parts.joinedLiterals)
  }

  private static func rendered(_ word: ConfigValue.Word) -> [TemplateText.Part] {
    switch word {
    case .text(let text): [.literal(yamlScalar(text))]
    // Single quotes read everything but themselves as it is; tokens hold none.
    case .secret(let name): [.literal("'"), .secret(name), .literal("'")]
    case .hidden: [.literal("‹another value›")]
    }
  }
}

extension [TemplateText.Part] {
  /// Neighbouring literals made one.
  var joinedLiterals: [TemplateText.Part] {
    var joined: [TemplateText.Part] = []
    for part in self {
      if case .literal(let text) = part, case .literal(let before) = joined.last {
        joined[joined.count - 1] = .literal(before + text)
      } else {
        joined.append(part)
      }
    }
    return joined
  }
}

/// Text as a YAML scalar that every reader takes for that text.
func yamlScalar(_ text: String) -> String {
  let isSafe = isPlainNumber(text) || isPlainText(text) || isDottedQuad(text)
  if isSafe || ["true", "false"].contains(text) { return text }
  if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) {
    return "\"" + text.unicodeScalars.map(escapedScalar).joined() + "\""
  }
  return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
    + "'"
}

/// Digits without a leading zero, which YAML 1.1 would read as octal.
private func isPlainNumber(_ text: String) -> Bool {
  text.count < 10 && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    && !text.isEmpty && (text == "0" || !text.hasPrefix("0"))
}

private func isDottedQuad(_ text: String) -> Bool { isIPAddress(text) && !text.contains(":") }

private func isPlainText(_ text: String) -> Bool {
  guard let first = text.utf8.first, isLetter(first) || first == UInt8(ascii: "/") else {
    return false
  }
  let safe = text.utf8.allSatisfy { byte in
    isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || "/._-=%+@:".utf8.contains(byte)
  }
  let wordsOfYAML = ["null", "yes", "no", "on", "off", "y", "n", "true", "false"]
  return safe && !text.hasSuffix(":") && !wordsOfYAML.contains(text.lowercased())
}

private func isLetter(_ byte: UInt8) -> Bool {
  (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
}

private func escapedScalar(_ scalar: Unicode.Scalar) -> String {
  switch scalar {
  case "\"": "\\\""
  case "\\": "\\\\"
  case "\n": "\\n"
  case "\t": "\\t"
  case _ where scalar.value < 0x20 || scalar.value == 0x7f:
    "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
  default: String(scalar)
  }
}
