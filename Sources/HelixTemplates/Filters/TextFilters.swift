internal import HelixModel

extension Filter {
  /// Filters that make text of text.
  static let textFilters: [Filter] = [
    Filter("lower") { use throws(Complaint) in .text(use.text.lowercased()) },
    Filter("upper") { use throws(Complaint) in .text(use.text.uppercased()) },
    Filter("trim", ["chars"], takesSecrets: true) { use throws(Complaint) in
      guard let characters = use.arguments[0] else {
        return try HiddenText.coded(use.value, .trimmed)
      }
      try HiddenText.refuse([use.value, characters])
      return .text(trimmed(use.text, of: PythonText.string(of: characters)))
    },
    Filter("replace", ["old", "new", "count"], required: 2) { use throws(Complaint) in
      .text(
        replacing(
          use.text(0) ?? "", with: use.text(1) ?? "", in: use.text, atMost: try use.integer(2)))
    },
    Filter("basename") { use throws(Complaint) in .text(path(use.text).last) },
    Filter("dirname") { use throws(Complaint) in .text(path(use.text).folder) },
  ]

  private static func trimmed(_ text: String, of characters: String) -> String {
    let unwanted = Set(characters.unicodeScalars)
    let scalars = text.unicodeScalars
    guard let first = scalars.firstIndex(where: { !unwanted.contains($0) }),
      let last = scalars.lastIndex(where: { !unwanted.contains($0) })
    else { return "" }
    return String(scalars[first...last])
  }

  private static func replacing(
    _ old: String, with new: String, in text: String, atMost limit: Int?
  ) -> String {
    var left = limit.map { $0 < 0 ? Int.max : $0 } ?? .max
    var result = String.UnicodeScalarView()
    var rest = text.unicodeScalars[...]
    if old.isEmpty { return interleaved(new, with: text, atMost: left) }
    while left > 0, let range = TextSearch.firstRange(of: old.unicodeScalars, in: rest) {
      result.append(contentsOf: rest[..<range.lowerBound])
      result.append(contentsOf: new.unicodeScalars)
      rest = rest[range.upperBound...]
      left -= 1
    }
    result.append(contentsOf: rest)
    return String(result)
  }

  /// Python finds the empty text before every character and at the end.
  private static func interleaved(_ new: String, with text: String, atMost limit: Int) -> String {
    var left = limit
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if left > 0 { result.append(contentsOf: new.unicodeScalars) }
      left -= 1
      result.append(scalar)
    }
    if left > 0 { result.append(contentsOf: new.unicodeScalars) }
    return String(result)
  }

  /// A path cut at its last slash, as Python's `posixpath` cuts.
  private static func path(_ text: String) -> (folder: String, last: String) {
    let scalars = text.unicodeScalars
    guard let slash = scalars.lastIndex(of: "/") else { return ("", text) }
    let behind = scalars.index(after: slash)
    var folder = scalars[..<behind]
    if folder.contains(where: { $0 != "/" }) {
      while folder.last == "/" { folder.removeLast() }
    }
    return (String(folder), String(scalars[behind...]))
  }
}
