package import HelixModel

/// Reads an inventory folder: hosts, variables and the typed documents.
package enum InventoryReader {
  /// Everything the folder says exists; what is odd but no error is in `warnings`.
  ///
  /// - Throws: every mistake that was found, in order of files and lines.
  package static func read(
    folder: String, reader: any SourceReader
  ) throws(Diagnostics) -> Inventory {
    let folder = trimmed(folder)
    guard let names = reader.names(in: folder) else {
      throw Diagnostics(
        Diagnostic(
          "there is no folder \(folder)/", reason: "it holds hosts.yaml and cluster.yaml",
          remedy: "name the inventory's folder with --inventory, or run in the folder above it",
          at: SourceLocation(file: folder, line: 1, column: 1)))
    }
    var ansible = AnsibleReader(folder: folder, reader: reader)
    let estate = ansible.read(names: names)
    var inventory = Inventory(
      hosts: estate?.hosts ?? [], groups: estate?.groups ?? [], warnings: ansible.warnings)
    // What cluster.yaml says about hosts can be judged only when the hosts were read well.
    var documents = TypedDocuments(folder: folder, reader: reader)
    documents.read(names: names, into: &inventory, judgingHosts: ansible.problems.isEmpty)
    let problems = distinct(ansible.problems + documents.problems)
    guard problems.isEmpty else { throw Diagnostics(problems) }
    inventory.warnings = Diagnostics(distinct(inventory.warnings)).all
    return inventory
  }

  /// What cluster.yaml says of secrets, for commands that need nothing else of the inventory; nil
  /// when there is no such file or no such part.
  ///
  /// - Throws: a `Diagnostic` when cluster.yaml cannot be read; its other parts are not judged.
  package static func secrets(
    folder: String, reader: any SourceReader
  ) throws(Diagnostics) -> SecretsSpec? {
    let path = "\(trimmed(folder))/cluster.yaml"
    let text: String?
    do throws(Diagnostic) {
      text = try reader.text(of: path)
    } catch {
      throw Diagnostics(error)
    }
    guard let text, let document = try YAMLReader.readOne(text, file: path) else { return nil }
    return ClusterDocument.secrets(document)
  }

  /// A value that many hosts share is wrong once.
  private static func distinct(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
    var seen: Set<Diagnostic> = []
    return diagnostics.filter { seen.insert($0).inserted }
  }

  private static func trimmed(_ folder: String) -> String {
    var folder = folder
    while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
    return folder
  }
}
