internal import HelixModel
internal import HelixTemplates

/// Turns a value into the type a parameter wants, where Ansible would; refuses it where Ansible
/// would guess.
struct Coercion {
  private let parameter: ModuleSpec.Parameter
  private let module: String

  init(_ parameter: ModuleSpec.Parameter, of module: String) {
    self.parameter = parameter
    self.module = module
  }

  /// The value; nil when it stands for leaving the argument out.
  func coerced(_ node: Node) throws(Diagnostic) -> Node? {
    guard node.value != .null, node.text != TaskScope.omitted else { return nil }
    if let name = node.value.secrets.first {
      guard parameter.mayHoldSecrets else { throw mayNotHold(name, at: node.location) }
      if case .hidden = node.value { return node }
    }
    var node = node
    node.value = try value(of: node)
    node.written = nil
    guard case .text(let text) = node.value, !parameter.choices.isEmpty,
      !parameter.choices.contains(text)
    else { return node }
    throw Diagnostic(
      "\"\(parameter.name)\" of \"\(module)\" cannot be \"\(text)\"",
      reason: "it can be: " + parameter.choices.joined(separator: ", "),
      remedy: nearestName(to: text, among: parameter.choices).map { "did you mean \"\($0)\"?" }
        ?? "write one of these", at: node.location)
  }

  private func value(of node: Node) throws(Diagnostic) -> Value {
    switch parameter.type {
    case .text, .path, .sourceFile: return .text(try text(of: node))
    case .bool:
      guard let flag = Self.truth(node.value) else { throw wrong(node, wanted: "true or false") }
      return .bool(flag)
    case .integer: return .integer(try wholeNumber(of: node))
    case .mode: return .text(try FileMode.text(of: node, named: parameter.name))
    case .list: return .list(try list(of: node))
    case .mapping:
      guard node.mapping != nil else { throw wrong(node, wanted: "a mapping") }
      return node.value
    case .any: return node.value
    }
  }

  private func text(of node: Node) throws(Diagnostic) -> String {
    switch node.value {
    case .text(let text): return text
    case .integer, .number:
      let text = node.value.templateText
      guard let written = node.written, written != text else { return text }
      throw Diagnostic(
        "\"\(written)\" would become \(text)", reason: "YAML reads it as a number",
        remedy: "put it into quotation marks", at: node.location)
    case .bool:
      let text = node.value.templateText
      throw Diagnostic(
        "\"\(node.written ?? text)\" would become \"\(text)\"",
        reason: "YAML reads it as true or false, and \"\(parameter.name)\" is text",
        remedy: "put it into quotation marks", at: node.location)
    default: throw wrong(node, wanted: "text")
    }
  }

  private func wholeNumber(of node: Node) throws(Diagnostic) -> Int {
    switch node.value {
    case .integer(let number): return number
    case .text(let text):
      if let number = Int(text) { return number }
    default: break
    }
    throw wrong(node, wanted: "a whole number")
  }

  private func list(of node: Node) throws(Diagnostic) -> [Node] {
    switch node.value {
    case .list(let nodes): return nodes
    case .text(let text):
      return Self.separated(text).map { Node(.text($0), at: node.location) }
    case .integer, .number:
      return [Node(.text(try self.text(of: node)), at: node.location)]
    default: throw wrong(node, wanted: "a list")
    }
  }

  private func mayNotHold(_ name: SecretName, at place: SourceLocation) -> Diagnostic {
    Diagnostic(
      "\"\(parameter.name)\" of \"\(module)\" cannot hold the secret \(name.rawValue)",
      reason: "plans show it, and hosts get it as the argument of a command",
      remedy: "write the secret into a file with copy or template, and name the file here",
      at: place)
  }

  private func wrong(_ node: Node, wanted: String) -> Diagnostic {
    Diagnostic(
      "\"\(parameter.name)\" of \"\(module)\" must be \(wanted)",
      reason: "it is \(node.text.map { "\"\($0)\"" } ?? node.value.typeName)",
      remedy: "write \(wanted)", at: node.location)
  }
}

extension Coercion {
  /// Ansible's words for true and false.
  static func truth(_ value: Value) -> Bool? {
    switch value {
    case .bool(let flag): flag
    case .integer(1): true
    case .integer(0): false
    case .text(let text):
      switch text.lowercased() {
      case "yes", "on", "1", "true", "t", "y": true
      case "no", "off", "0", "false", "f", "n": false
      default: nil
      }
    default: nil
    }
  }

  /// The words of a text between commas.
  static func separated(_ text: String) -> [String] {
    text.split(separator: ",").map { part in
      var part = part
      while part.first?.isWhitespace == true { part.removeFirst() }
      while part.last?.isWhitespace == true { part.removeLast() }
      return String(part)
    }.filter { !$0.isEmpty }
  }
}
