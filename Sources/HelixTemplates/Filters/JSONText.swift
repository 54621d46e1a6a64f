internal import HelixModel

/// Values as Python's `json.dumps` writes them with Ansible's settings: ASCII only, on one line.
enum JSONText {
  /// The pieces of the text, to be joined; secrets stay named.
  static func texts(of value: Value) throws(Complaint) -> [TemplateText] {
    switch value {
    case .null: return ["null"]
    case .bool(let flag): return [flag ? "true" : "false"]
    case .integer(let number): return ["\(number)"]
    case .number(let number): return [TemplateText(self.number(number))]
    case .text, .hidden: return [try quoted(value)]
    case .list(let nodes):
      var texts: [TemplateText] = ["["]
      for (index, node) in nodes.enumerated() {
        if index > 0 { texts.append(", ") }
        texts += try self.texts(of: node.value)
      }
      return texts + ["]"]
    case .mapping(let mapping):
      var texts: [TemplateText] = ["{"]
      for (index, entry) in mapping.entries.enumerated() {
        if index > 0 { texts.append(", ") }
        texts += [try quoted(.text(entry.key)), ": "]
        texts += try self.texts(of: entry.value.value)
      }
      return texts + ["}"]
    }
  }

  private static func quoted(_ value: Value) throws(Complaint) -> TemplateText {
    try HiddenText.text(of: HiddenText.coded(value, .quotedForJSON))
  }

  private static func number(_ number: Double) -> String {
    if number.isNaN { return "NaN" }
    guard number.isInfinite else { return number.description }
    return number < 0 ? "-Infinity" : "Infinity"
  }
}
