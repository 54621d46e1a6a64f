import HelixModel
import HelixPlan

/// The mode and owner that a task asks for; what it leaves out stays as it is.
struct FileAttributes: Sendable {
  /// Four octal digits.
  let mode: String?
  /// Names, or numbers as `chown` takes them.
  let owner: String?
  let group: String?

  init(_ arguments: Arguments) throws(Diagnostics) {
    mode = try arguments.mode("mode")
    owner = try Self.principal("owner", arguments)
    group = try Self.principal("group", arguments)
  }

  var isEmpty: Bool { mode == nil && owner == nil && group == nil }

  /// What is not as asked for; of something that is not there yet, everything asked for.
  func differences(from seen: FileSeen) -> [FieldChange] {
    var fields: [FieldChange] = []
    if let mode, mode != seen.mode {
      fields.append(FieldChange("mode", before: seen.mode, after: mode))
    }
    if let owner, seen.owner?.answers(to: owner) != true {
      fields.append(FieldChange("owner", before: seen.owner?.name, after: owner))
    }
    if let group, seen.group?.answers(to: group) != true {
      fields.append(FieldChange("group", before: seen.group?.name, after: group))
    }
    return fields
  }

  private static func principal(
    _ name: String, _ arguments: Arguments
  ) throws(Diagnostics) -> String? {
    guard let text = arguments.text(name) else { return nil }
    guard !text.isEmpty, text.first != "-", !text.contains(where: { ":\n\r\0".contains($0) })
    else {
      throw Diagnostics(
        Diagnostic(
          "\"\(text)\" cannot be the \(name) of a file", remedy: "write a name or a number",
          at: arguments.location(of: name)))
    }
    return text
  }
}
