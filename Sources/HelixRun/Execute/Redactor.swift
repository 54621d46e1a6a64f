import FoundationEssentials
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

  /// A value as it is, each of its lines, and in the two codings that logs like.
  private static func forms(of bytes: [UInt8]) -> Set<String> {
    let text = String(decoding: bytes, as: UTF8.self)
    let lines = text.split(whereSeparator: \.isNewline).map(String.init)
    let forms =
      [text, Data(bytes).base64EncodedString()] + lines
      + lines.map { Data($0.utf8).base64EncodedString() } + lines.map(percentEncoded)
    return Set(forms.filter { $0.utf8.count >= shortest })
  }

  private static func percentEncoded(_ text: String) -> String {
    let unreserved = Set("-._~".utf8)
    return text.utf8.map { byte in
      let scalar = Unicode.Scalar(byte)
      guard !unreserved.contains(byte), !scalar.isLetterOrDigit else { return String(scalar) }
      let hex = String(byte, radix: 16, uppercase: true)
      return "%" + (hex.count == 1 ? "0" : "") + hex
    }.joined()
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
