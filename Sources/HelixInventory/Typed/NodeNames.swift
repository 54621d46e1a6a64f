/// Kubernetes's rule for names (DNS-1123).
enum NodeNames {
  static let rule =
    "a name has lower-case letters, digits and dashes, and begins and ends without a dash"

  /// A name of labels joined by dots.
  static func isName(_ text: String) -> Bool {
    guard !text.isEmpty, text.count <= 253 else { return false }
    return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isLabel)
  }

  static func isLabel(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.count <= 63 && text.first != "-" && text.last != "-"
      && text.unicodeScalars.allSatisfy {
        ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == "-"
      }
  }

  /// A good name near to a bad one.
  static func suggestion(for text: String) -> String {
    var name = ""
    for scalar in text.lowercased().unicodeScalars {
      let isGood = ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar)
      if isGood || (scalar == "." && !name.isEmpty) {
        name.unicodeScalars.append(scalar)
      } else if !name.isEmpty, name.last != "-" {
        name.append("-")
      }
    }
    while let last = name.last, last == "-" || last == "." { name.removeLast() }
    return isName(name) ? name : "node-1"
  }
}
