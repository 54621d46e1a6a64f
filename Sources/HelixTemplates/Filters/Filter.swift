internal import HelixModel

/// One filter: `value | name(arguments)`.
struct Filter: Sendable {
  /// What a filter gets to work with.
  struct Use {
    var value: Value
    /// In the order of the parameters; nil where one is left out.
    var arguments: [Value?]
    /// Where its template begins: the place of the values it makes.
    var location: SourceLocation
  }

  var name: String
  /// The names of its parameters, in order.
  var parameters: [String]
  /// How many of them must be given.
  var required = 0
  /// Whether it can work with secrets that stay named; it then refuses itself what it cannot do.
  var takesSecrets = false
  private var apply: @Sendable (Use) throws(Complaint) -> Value

  init(
    _ name: String, _ parameters: [String] = [], required: Int = 0, takesSecrets: Bool = false,
    apply: @escaping @Sendable (Use) throws(Complaint) -> Value
  ) {
    self.name = name
    self.parameters = parameters
    self.required = required
    self.takesSecrets = takesSecrets
    self.apply = apply
  }

  /// What becomes of a value.
  func applied(_ use: Use) throws(Complaint) -> Value {
    if !takesSecrets { try HiddenText.refuse([use.value] + use.arguments) }
    return try apply(use)
  }
}

extension Filter {
  /// The filter that may stand behind an undefined value; the evaluation itself applies it.
  static let defaultName = "default"

  private static let all: [Filter] =
    [Filter(defaultName, ["default_value", "boolean"]) { use throws(Complaint) in use.value }]
    + textFilters + listFilters + conversionFilters

  private static let byName: [String: Filter] = {
    var table: [String: Filter] = [:]
    for filter in all { table[filter.name] = filter }
    table["d"] = table[defaultName]
    table["count"] = table["length"]
    return table
  }()

  /// Looks a filter up; those of Ansible's own may be written with their collection's name.
  static func named(_ name: String) -> Filter? {
    let collection = "ansible.builtin."
    return byName[name.hasPrefix(collection) ? String(name.dropFirst(collection.count)) : name]
  }

  static func unknown(_ name: String, at span: Span) -> Complaint {
    let known = byName.keys.sorted()
    return Complaint(
      "no filter is named \"\(name)\"",
      reason: "this version of helix-infra knows: \(known.joined(separator: ", "))",
      remedy: nearestName(to: name, among: known).map { "did you mean \"\($0)\"?" }
        ?? "use one of these, or write the result as a variable", at: span)
  }

  /// Puts written arguments in the order of the parameters.
  func bind(_ arguments: Arguments, at span: Span) throws(Complaint) -> [Expression?] {
    var bound = [Expression?](repeating: nil, count: parameters.count)
    for (position, expression) in arguments.positional.enumerated() {
      guard position < parameters.count else {
        throw Complaint(
          "the filter \"\(name)\" takes \(counted(parameters.count))",
          remedy: "remove this one", at: expression.span)
      }
      bound[position] = expression
    }
    for (parameter, expression) in arguments.named {
      guard let position = parameters.firstIndex(of: parameter) else {
        throw Complaint(
          "the filter \"\(name)\" knows no argument \"\(parameter)\"",
          remedy: suggestion(for: parameter, among: parameters) ?? "remove it",
          at: expression.span)
      }
      guard bound[position] == nil else {
        throw Complaint(
          "the argument \"\(parameter)\" is given twice", remedy: "keep one",
          at: expression.span)
      }
      bound[position] = expression
    }
    if let missing = bound.prefix(required).firstIndex(where: { $0 == nil }) {
      throw Complaint(
        "the filter \"\(name)\" needs the argument \"\(parameters[missing])\"",
        remedy: "write \(name)(\(parameters.prefix(required).joined(separator: ", ")))", at: span)
    }
    return bound
  }

  private func counted(_ count: Int) -> String {
    switch count {
    case 0: "no arguments"
    case 1: "one argument"
    default: "at most \(count) arguments"
    }
  }
}

extension Filter.Use {
  /// The value as Python's `str()` gives it.
  var text: String { PythonText.string(of: value) }

  /// An argument as text.
  func text(_ position: Int) -> String? {
    arguments[position].map { PythonText.string(of: $0) }
  }

  /// Whether an argument is given and true.
  func isTrue(_ position: Int) throws(Complaint) -> Bool {
    guard let argument = arguments[position] else { return false }
    return try Operators.isTrue(argument)
  }

  /// A whole number given as argument.
  func integer(_ position: Int) throws(Complaint) -> Int? {
    switch arguments[position] {
    case nil, .null?: return nil
    case .integer(let number)?: return number
    case let other?: throw Complaint("\(other.typeName) is not a whole number")
    }
  }

  /// What Python would walk over: elements, keys, or characters.
  func elements() throws(Complaint) -> [Value] {
    switch value {
    case .list(let nodes): return nodes.map(\.value)
    case .mapping(let mapping): return mapping.keys.map { Value.text($0) }
    case .text(let text): return text.unicodeScalars.map { Value.text(String(Character($0))) }
    default:
      try HiddenText.refuse([value])
      throw Complaint(
        "\(value.typeName) has no elements", remedy: "use this filter on a list or on text")
    }
  }
}
