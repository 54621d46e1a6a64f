import HelixInventory
import HelixModel

/// Reads what `-e` was given, as Ansible does: `key=value …`, a YAML or JSON mapping, or `@file`.
enum ExtraVariables {
  /// All of them, later ones winning.
  static func read(
    _ arguments: [String], reader: any SourceReader
  ) throws(Diagnostics) -> Mapping {
    var variables = Mapping()
    for argument in arguments {
      variables = variables.merging(try read(argument, reader: reader))
    }
    return variables
  }

  private static func read(
    _ argument: String, reader: any SourceReader
  ) throws(Diagnostics) -> Mapping {
    if argument.hasPrefix("@") {
      return try mapping(file: String(argument.dropFirst()), reader: reader)
    }
    if argument.hasPrefix("{") { return try mapping(text: argument, file: commandLine) }
    return try pairs(argument)
  }

  private static let commandLine = "--extra-vars"

  private static func mapping(
    file: String, reader: any SourceReader
  ) throws(Diagnostics) -> Mapping {
    let text: String?
    do throws(Diagnostic) {
      text = try reader.text(of: file)
    } catch {
      throw Diagnostics(error)
    }
    guard let text else {
      throw Diagnostics(
        Diagnostic("there is no file \"\(file)\"", reason: "--extra-vars names it"))
    }
    return SealedVariables.isSealed(file)
      ? try SealedVariables.read(text, file: file) : try mapping(text: text, file: file)
  }

  private static func mapping(text: String, file: String) throws(Diagnostics) -> Mapping {
    let documents = try YAMLReader.read(text, file: file)
    guard let mapping = documents.first?.mapping, documents.count == 1 else {
      throw Diagnostics(
        Diagnostic(
          "\(file) does not hold one mapping of variables",
          remedy: "write key: value lines, or {key: value}"))
    }
    return mapping
  }

  /// `key=value` pairs; values are text, as in Ansible.
  private static func pairs(_ argument: String) throws(Diagnostics) -> Mapping {
    let location = SourceLocation(file: commandLine, line: 1, column: 1)
    guard let mark = argument.firstIndex(of: "="), mark != argument.startIndex else {
      throw Diagnostics(
        Diagnostic(
          "\"\(argument)\" is no variable", reason: "--extra-vars takes key=value",
          remedy: "write key=value, {key: value} or @file"))
    }
    let value = Node(.text(String(argument[argument.index(after: mark)...])), at: location)
    return Mapping([
      .init(key: String(argument[..<mark]), keyLocation: location, value: value)
    ])
  }
}
