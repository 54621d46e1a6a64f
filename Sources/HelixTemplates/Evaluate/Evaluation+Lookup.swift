internal import HelixModel

extension Evaluation {
  /// Python's methods of mappings: in Jinja2 `.items` finds the method before a key.
  private static let methods: Set<String> = [
    "clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update",
    "values",
  ]

  func variable(_ name: String, at span: Span) throws(Diagnostic) -> Operand {
    guard let member = namespace.member(name) else {
      let namespace = namespace
      return missing(.variable(name), at: span) { namespace.memberNames }
    }
    return try operand(for: member, named: name, in: namespace, at: span)
  }

  /// What a name stands for, with templates filled in as far as needed.
  private func operand(
    for member: Member, named name: String, in namespace: any Namespace, at span: Span
  ) throws(Diagnostic) -> Operand {
    switch member {
    case .value(let value): return .value(value)
    case .namespace(let inner): return .namespace(inner)
    case .written(let node): return try renderer.operand(for: node, named: name, in: namespace)
    case .refused(let reason, let remedy):
      let complaint = Complaint(
        "\"\(name)\" is not supported by this version yet", reason: reason, remedy: remedy)
      throw source.diagnostic(complaint, at: span)
    }
  }

  /// What `base.name` stands for.
  func member(
    _ name: String, of base: Operand, at span: Span
  ) throws(Diagnostic) -> Operand {
    if case .value(.mapping) = base, Self.methods.contains(name) {
      return missing(.method(name), at: span)
    }
    if case .written(let node, _, _) = base, node.mapping != nil, Self.methods.contains(name) {
      return missing(.method(name), at: span)
    }
    return try item(.text(name), of: base, at: span)
  }

  /// What `base[key]` stands for.
  func item(_ key: Value, of base: Operand, at span: Span) throws(Diagnostic) -> Operand {
    try placed(span) { () throws(Complaint) in try HiddenText.refuse([key]) }
    switch base {
    case .undefined: return base
    case .namespace(let inner): return try entry(key, of: inner, at: span)
    case .value(let value):
      switch try element(key, of: value, at: span) {
      case .found(let node): return .value(node.value)
      case .missing(let missing): return .undefined(missing)
      }
    case .written(let node, let namespace, let name):
      switch try element(key, of: node.value, at: span) {
      case .found(let inner): return try renderer.operand(for: inner, named: name, in: namespace)
      case .missing(let missing): return .undefined(missing)
      }
    }
  }

  private func entry(
    _ key: Value, of inner: any Namespace, at span: Span
  ) throws(Diagnostic) -> Operand {
    let name = PythonText.string(of: key)
    guard let member = inner.member(name) else {
      return missing(.key(name), at: span) { inner.memberNames }
    }
    return try operand(for: member, named: name, in: inner, at: span)
  }

  private enum Element {
    case found(Node)
    case missing(Missing)
  }

  private func element(
    _ key: Value, of container: Value, at span: Span
  ) throws(Diagnostic) -> Element {
    switch (container, key) {
    case (.hidden, .integer):
      try placed(span) { () throws(Complaint) in try HiddenText.refuse([container]) }
      return found(nil, .member("", of: container.typeName), at: span)
    case (.mapping(let mapping), _):
      let name = PythonText.string(of: key)
      return found(mapping[name], .key(name), at: span) { mapping.keys }
    case (.list(let list), .integer(let position)):
      let index = position < 0 ? list.count + position : position
      return found(
        list.indices.contains(index) ? list[index] : nil,
        .position(position, count: list.count), at: span)
    case (.text(let text), .integer(let position)):
      let scalars = Array(text.unicodeScalars)
      let index = position < 0 ? scalars.count + position : position
      let letter = scalars.indices.contains(index) ? String(Character(scalars[index])) : nil
      return found(
        letter.map { Node(.text($0), at: source.origin.start) },
        .position(position, count: scalars.count), at: span)
    default:
      let name = PythonText.string(of: key)
      return found(nil, .member(name, of: container.typeName), at: span)
    }
  }

  private func found(
    _ node: Node?, _ sought: Missing.Sought, at span: Span,
    known: @escaping () -> [String] = { [] }
  ) -> Element {
    if let node { return .found(node) }
    return .missing(Missing(sought: sought, span: span, source: source, known: known))
  }

  private func missing(
    _ sought: Missing.Sought, at span: Span, known: @escaping () -> [String] = { [] }
  ) -> Operand {
    .undefined(Missing(sought: sought, span: span, source: source, known: known))
  }

  /// The value of an operand, with every template in it filled in.
  func settled(_ operand: Operand, at span: Span) throws(Diagnostic) -> Value {
    switch operand {
    case .value(let value): return value
    case .undefined(let missing): throw missing.diagnostic
    case .written(let node, let namespace, let name):
      return try renderer.settled(node, named: name, in: namespace)
    case .namespace:
      let complaint = Complaint(
        "this stands for all variables of a host, or for all hosts",
        reason: "only single values can be taken out of it",
        remedy: "name one: hostvars['host'].variable")
      throw source.diagnostic(complaint, at: span)
    }
  }
}
