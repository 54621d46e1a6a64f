internal import HelixModel
internal import HelixTemplates

/// Reads file modes as their author meant them.
enum FileMode {
  /// `0644`, or symbolic letters as written.
  static func text(of node: Node, named name: String) throws(Diagnostic) -> String {
    switch node.value {
    case .text(let text):
      if let octal = octal(text) { return octal }
      if isSymbolic(text) { return text }
    case .integer(let number):
      if let written = node.written {
        // YAML reads 0644 as octal; 644 it reads as a decimal number, which is another mode.
        if written.hasPrefix("0"), let octal = octal(written) { return octal }
        if octal(written) != nil { throw decimal(written, at: node.location) }
      } else if (0...0o7777).contains(number), let octal = octal(String(number, radix: 8)) {
        return octal
      }
    default: break
    }
    throw Diagnostic(
      "\"\(node.written ?? node.value.templateText)\" is not a file mode",
      remedy: "write \(name) as \"0644\"", at: node.location)
  }

  /// Three or four octal digits, with a nought in front.
  private static func octal(_ text: String) -> String? {
    var digits = text[...]
    if digits.hasPrefix("0o") { digits = digits.dropFirst(2) }
    while digits.count > 4, digits.first == "0" { digits = digits.dropFirst() }
    guard (1...4).contains(digits.count), digits.allSatisfy({ ("0"..."7").contains($0) }) else {
      return nil
    }
    return String(repeating: "0", count: 4 - digits.count) + digits
  }

  /// `u=rw,g=r,o=` and its like.
  private static func isSymbolic(_ text: String) -> Bool {
    let clauses = text.split(separator: ",", omittingEmptySubsequences: false)
    return !text.isEmpty
      && clauses.allSatisfy { clause in
        let rest = clause.drop { "ugoa".contains($0) }
        guard let sign = rest.first, "+-=".contains(sign) else { return false }
        return rest.dropFirst().allSatisfy { "rwxXstugo+-=".contains($0) }
      }
  }

  private static func decimal(_ written: String, at place: SourceLocation) -> Diagnostic {
    Diagnostic(
      "\"\(written)\" is a decimal number, not the mode 0\(written)",
      reason: "YAML reads only numbers that begin with 0 as octal",
      remedy: "write \"0\(written)\", in quotation marks", at: place)
  }
}
