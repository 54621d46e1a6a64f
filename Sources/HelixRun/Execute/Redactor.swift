import HelixModel

/// Takes values that must not be seen out of text for people.
///
/// Nothing should print a secret in the first place; this is for what a program on a host says about
/// its own configuration when it fails.
struct Redactor: Sendable {
  private struct Entry: Sendable {
    let text: String
    let replacement: String
  }

  private var entries: [Entry]

  /// Shorter text would take ordinary words out of messages.
  private static let shortest = 5

  init(values: [(name: String, value: SecretValue)]) {
    entries = values.flatMap { name, value in
      Self.forms(of: value.reveal()).map { Entry(text: $0, replacement: "‹secret \(name)›") }
    }
    // The longest first, so that no part of a value is left when another value begins it.
    entries.sort { $0.text.utf8.count > $1.text.utf8.count }
  }

  func cleaned(_ text: String) -> String {
    entries.reduce(text) { $0.replacing($1.text, with: $1.replacement) }
  }

  func cleaned(_ diagnostic: Diagnostic) -> Diagnostic {
    var clean = diagnostic
    clean.summary = cleaned(diagnostic.summary)
    clean.reason = diagnostic.reason.map(cleaned)
    clean.remedy = diagnostic.remedy.map(cleaned)
    clean.evidence?.command = cleaned(diagnostic.evidence?.command ?? "")
    clean.evidence?.lastLines = diagnostic.evidence?.lastLines.map(cleaned) ?? []
    return clean
  }

  /// A value as it is, each of its lines, and both in the codings that logs like.
  private static func forms(of bytes: [UInt8]) -> Set<String> {
    let text = String(decoding: bytes, as: UTF8.self)
    let lines = text.split(whereSeparator: \.isNewline).map(String.init)
    var forms = Set(base64Forms(of: bytes))
    for text in [text] + lines {
      forms.insert(text)
      forms.formUnion(base64Forms(of: Array(text.utf8)))
      forms.formUnion(urlForms(of: text))
      for coding in [SecretName.Coding.quotedForJSON, .quotedForShell] {
        guard let quoted = coding.applied(to: text), quoted != text else { continue }
        forms.insert(String(quoted.dropFirst().dropLast()))
      }
    }
    return forms.filter { $0.utf8.count >= shortest }
  }

  /// With and without what may stand in a path, blanks as `%20` and as `+`, digits in either case.
  private static func urlForms(of text: String) -> [String] {
    let strict = text.utf8.map { byte in
      let scalar = Unicode.Scalar(byte)
      guard !"-._~".utf8.contains(byte), !scalar.isLetterOrDigit else { return String(scalar) }
      let hex = String(byte, radix: 16, uppercase: true)
      return "%" + (hex.count == 1 ? "0" : "") + hex
    }
    let variants = [
      strict, strict.map { $0 == "%2F" ? "/" : $0 }, strict.map { $0 == "%20" ? "+" : $0 },
    ]
    return variants.flatMap { parts in
      [parts.joined(), parts.map { $0.hasPrefix("%") ? $0.lowercased() : $0 }.joined()]
    }
  }

  /// Base64 of a value alone, in the lines that programs break it into, and of a value inside of
  /// something longer, where only the letters that it settles itself are known.
  private static func base64Forms(of bytes: [UInt8]) -> [String] {
    let alone = Base64.encode(bytes)
    var forms = [alone]
    for width in [64, 76] where alone.count > width {
      forms += stride(from: 0, to: alone.count, by: width).map {
        String(alone.dropFirst($0).prefix(width))
      }
    }
    for before in 0..<3 {
      let letters = Base64.encode([UInt8](repeating: 0, count: before) + bytes)
      let first = (before * 8 + 5) / 6
      let behind = (before + bytes.count) * 8 / 6
      guard behind > first else { continue }
      forms.append(String(letters.prefix(behind).dropFirst(first)))
    }
    return forms + forms.map { $0.replacing("+", with: "-").replacing("/", with: "_") }
  }
}

extension Unicode.Scalar {
  fileprivate var isLetterOrDigit: Bool {
    switch self {
    case "a"..."z", "A"..."Z", "0"..."9": true
    default: false
    }
  }
}
