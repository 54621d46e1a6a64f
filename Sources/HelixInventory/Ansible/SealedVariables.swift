package import HelixModel

/// Variables in files that SOPS has encrypted: what SOPS left plain is a variable like others, and
/// what it encrypted is a secret that is named by its place.
///
/// SOPS marks every value that it encrypts, so that nothing need be decrypted to know which are.
package enum SealedVariables {
  /// In the order in which `community.sops` looks for them, and stops at the first.
  static let endings = [".sops.yml", ".sops.yaml", ".sops.json"]
  private static let mark = "ENC[AES256_GCM,"
  private static let metadata = "sops"

  /// Whether a file's name says that SOPS has encrypted it.
  package static func isSealed(_ path: String) -> Bool {
    endings.contains { path.hasSuffix($0) && path.count > $0.count }
  }

  /// A file's name without the ending that says so.
  static func stem(_ name: String) -> String? {
    endings.first { name.hasSuffix($0) && name.count > $0.count }
      .map { String(name.dropLast($0.count)) }
  }

  /// Whether a document carries what SOPS needs to decrypt it.
  static func isEncrypted(_ document: Mapping) -> Bool {
    document[metadata]?.mapping?["mac"] != nil
  }

  /// The variables of a file, which holds one mapping.
  ///
  /// - Throws: all mistakes, none of which quotes what stands in the file.
  package static func read(_ text: String, file: String) throws(Diagnostics) -> Mapping {
    let top = SourceLocation(file: file, line: 1, column: 1)
    let document: Node?
    do {
      document = try YAMLReader.readOne(text, file: file)
    } catch {
      throw Diagnostics(error.all.map { unreadable(file, at: $0.location ?? top) })
    }
    guard let document else { return Mapping() }
    guard let mapping = document.mapping else {
      throw Diagnostics(
        Diagnostic(
          "a file of variables must be a mapping, and this is \(document.value.typeName)",
          remedy: "write each variable as \"name: value\"", at: top))
    }
    return try named(mapping, file: file, top)
  }

  private static func unreadable(_ file: String, at place: SourceLocation) -> Diagnostic {
    Diagnostic(
      "\(file) cannot be read as YAML here", reason: "what stands there is not shown",
      remedy: "restore it from git, and change it with helix-infra secrets edit", at: place)
  }

  private static func named(
    _ document: Mapping, file: String, _ top: SourceLocation
  ) throws(Diagnostics) -> Mapping {
    guard isEncrypted(document) else {
      throw Diagnostics(
        Diagnostic(
          "\(file) is not encrypted", reason: "its name says that it is, and it has no sops block",
          remedy: "encrypt it: helix-infra secrets encrypt -i \(shellQuoted(file))", at: top))
    }
    var reading = Reading()
    var variables = Mapping()
    for var entry in document.entries where entry.key != metadata {
      let name = SecretName(file).entry(entry.key)
      guard let value = reading.node(entry.value, name) else { continue }
      entry.value = value
      variables.set(entry)
    }
    guard reading.problems.isEmpty else { throw Diagnostics(reading.problems) }
    return variables
  }

  private struct Reading {
    var problems: [Diagnostic] = []

    /// The node with its encrypted values named; nil for an encrypted remark in a list.
    mutating func node(_ node: Node, _ name: SecretName) -> Node? {
      var named = node
      switch node.value {
      case .text(let text) where text.hasPrefix(mark): return secret(node, text, name)
      case .list(let nodes):
        named.value = .list(
          nodes.enumerated().compactMap { self.node($0.element, name.element($0.offset)) })
      case .mapping(let mapping):
        var entries = Mapping()
        for var entry in mapping.entries {
          guard let value = self.node(entry.value, name.entry(entry.key)) else { continue }
          entry.value = value
          entries.set(entry)
        }
        named.value = .mapping(entries)
      default: break
      }
      return named
    }

    private mutating func secret(_ node: Node, _ text: String, _ name: SecretName) -> Node? {
      let type = text.split(separator: ",").last.map(String.init) ?? ""
      switch type {
      case "type:str]", "type:bytes]", "type:int]", "type:float]":
        return Node(.hidden("\(secret: name)"), at: node.location)
      case "type:bool]":
        return Node(.hidden("\(secret: name.coded(.toldAsTruth))"), at: node.location)
      case "type:comment]": return nil
      case "type:time]":
        problems.append(
          Diagnostic(
            "this secret is a time", reason: "as text it could be written in several ways",
            remedy: "put it in quotation marks: helix-infra secrets edit "
              + shellQuoted(node.location.file), at: node.location))
      default:
        problems.append(
          Diagnostic(
            "this value is damaged", reason: "it begins like one that SOPS has encrypted",
            remedy: "restore the file from git", at: node.location))
      }
      return nil
    }
  }
}
