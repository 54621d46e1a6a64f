package import HelixModel

/// Typed access to a task's arguments, which the playbook room has already checked by name and type.
package struct Arguments {
  private let demand: TaskDemand

  package init(_ demand: TaskDemand) { self.demand = demand }

  /// Where an argument's value stands; the task's own place when it is not given.
  package func location(of name: String) -> SourceLocation {
    demand.arguments[name]?.location ?? demand.location
  }

  /// A text argument; numbers and truth values are told as YAML writes them.
  package func text(_ name: String) -> String? {
    guard let node = demand.arguments[name] else { return nil }
    return switch node.value {
    case .text(let text): text
    case .integer(let number): String(number)
    case .number(let number): String(number)
    case .bool(let truth): truth ? "true" : "false"
    case .null, .hidden, .list, .mapping: nil
    }
  }

  /// A text argument of which parts may be secret.
  package func written(_ name: String) -> TemplateText? {
    if case .hidden(let text) = demand.arguments[name]?.value { return text }
    return text(name).map { TemplateText($0) }
  }

  /// A text argument that the module's spec requires.
  package func required(_ name: String) throws(Diagnostics) -> String {
    guard let text = text(name), !text.isEmpty else {
      throw Diagnostics(
        Diagnostic("\"\(name)\" is empty", remedy: "give it a value", at: location(of: name)))
    }
    return text
  }

  package func bool(_ name: String) -> Bool? {
    if case .bool(let truth) = demand.arguments[name]?.value { truth } else { nil }
  }

  /// One text, or a list of them.
  package func texts(_ name: String) -> [String] {
    guard let node = demand.arguments[name] else { return [] }
    return node.list?.compactMap(\.text) ?? text(name).map { [$0] } ?? []
  }

  /// A file mode as four octal digits.
  ///
  /// YAML reads an unquoted `0644` as the number 420, which is the mode that was meant.
  package func mode(_ name: String) throws(Diagnostics) -> String? {
    guard let node = demand.arguments[name] else { return nil }
    let digits: String? =
      switch node.value {
      case .integer(let number): String(number, radix: 8)
      case .text(let text): text.allSatisfy { ("0"..."7").contains($0) } ? text : nil
      default: nil
      }
    guard let digits, digits.count <= 5, let bits = Int(digits, radix: 8),
      (0...0o7777).contains(bits)
    else {
      throw Diagnostics(
        Diagnostic(
          "\"\(text(name) ?? "")\" is not a file mode this version reads",
          reason: "a plan compares modes as numbers",
          remedy: "write four octal digits in quotation marks, for example \"0644\"",
          at: node.location))
    }
    let octal = String(bits, radix: 8)
    return String(repeating: "0", count: max(0, 4 - octal.count)) + octal
  }

  /// An absolute path on the host, in the one form that names its place: two tasks with one path
  /// speak of one thing.
  package func path(_ name: String) throws(Diagnostics) -> String {
    let path = try required(name)
    guard path.hasPrefix("/"), !path.utf8.contains(where: { $0 == 0 || $0 == 10 || $0 == 13 })
    else {
      throw Diagnostics(
        Diagnostic(
          "\"\(path)\" is not an absolute path", remedy: "begin it with /",
          at: location(of: name)))
    }
    let names = path.split(separator: "/")
    guard !names.contains("."), !names.contains("..") else {
      throw Diagnostics(
        Diagnostic(
          "\"\(path)\" goes by way of . or ..", reason: "what it names depends on links",
          remedy: "write the path without them", at: location(of: name)))
    }
    return "/" + names.joined(separator: "/")
  }
}
