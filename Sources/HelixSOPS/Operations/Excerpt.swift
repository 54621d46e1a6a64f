/// A part of a document written by itself, for `--extract`.
struct Excerpt {
  private typealias Leaves = ArraySlice<(place: ArraySlice<PathStep>, value: SOPSValue)>

  private let format: SOPSFormat
  private var text = ""

  /// What stands below a place, in the file's format where that can show a part; else as JSON.
  static func text(
    of leaves: [(place: ArraySlice<PathStep>, value: SOPSValue)], in format: SOPSFormat
  ) -> String {
    var excerpt = Excerpt(format: format)
    excerpt.write(leaves[...], depth: 0)
    return excerpt.text + (excerpt.text.hasSuffix("\n") ? "" : "\n")
  }

  /// A single value: text as it is, anything else as the format spells it.
  static func bytes(of value: SOPSValue, in format: SOPSFormat) -> [UInt8] {
    if case .text(let bytes) = value { return bytes }
    return Array((value.spelling + (format == .yaml ? "\n" : "")).utf8)
  }

  private init(format: SOPSFormat) { self.format = format }

  private mutating func write(_ leaves: Leaves, depth: Int) {
    guard let first = leaves.first else { return }
    guard let step = first.place.first else {
      text += first.value.quoted(isBare: format == .yaml)
      return
    }
    let isList = if case .index = step { true } else { false }
    if format != .yaml { text += isList ? "[" : "{" }
    var rest = leaves
    var isFirst = true
    while let step = rest.first?.place.first {
      let group = rest.prefix { $0.place.first == step }
      rest = rest.dropFirst(group.count)
      let below = group.map { (place: $0.place.dropFirst(), value: $0.value) }
      let isValue = below.count == 1 && below[0].place.isEmpty
      begin(step, isFirst: isFirst, isValue: isValue, depth: depth)
      write(below[...], depth: depth + 1)
      isFirst = false
    }
    if format != .yaml { text += "\n" + indent(depth - 1) + (isList ? "]" : "}") }
  }

  private mutating func begin(_ step: PathStep, isFirst: Bool, isValue: Bool, depth: Int) {
    if format != .yaml, !isFirst { text += "," }
    if format != .yaml || !text.isEmpty { text += "\n" }
    text += indent(depth)
    switch step {
    case .key(let key):
      let key = SOPSValue.text(Array(key.utf8)).quoted(isBare: format == .yaml)
      text += key + (format == .yaml && !isValue ? ":" : ": ")
    case .index where format == .yaml: text += isValue ? "- " : "-"
    case .index: break
    }
  }

  private func indent(_ depth: Int) -> String {
    String(repeating: format == .yaml ? "    " : "\t", count: depth + (format == .yaml ? 0 : 1))
  }
}

extension SOPSValue {
  /// A number, truth value, time or null as JSON and YAML spell it.
  fileprivate var spelling: String {
    switch self {
    case .boolean(let truth): truth ? "true" : "false"
    case .null: "null"
    default: String(decoding: canonicalBytes ?? [], as: UTF8.self)
    }
  }

  /// The value in JSON, or as YAML has it where plain words need no quotes.
  func quoted(isBare: Bool) -> String {
    switch self {
    case .text(let bytes), .comment(let bytes):
      let text = String(decoding: bytes, as: UTF8.self)
      return isBare && text.isPlainWord ? text : text.jsonQuoted
    case .time where !isBare: return "\"\(spelling)\""
    default: return spelling
    }
  }
}

extension String {
  /// Whether YAML reads it as text without quotes, beyond doubt.
  fileprivate var isPlainWord: Bool {
    let special: Set = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
    guard let first = utf8.first, !special.contains(lowercased()) else { return false }
    func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }
    return (isLetter(first) || first == UInt8(ascii: "_"))
      && utf8.allSatisfy { isLetter($0) || (48...57).contains($0) || "_-./".utf8.contains($0) }
  }

  fileprivate var jsonQuoted: String {
    var text = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value):
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}
