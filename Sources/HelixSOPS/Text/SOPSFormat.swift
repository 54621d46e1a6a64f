/// How a file is written, which SOPS takes from its name.
package enum SOPSFormat: String, Hashable, Sendable, CaseIterable {
  case yaml, json, dotenv, ini, binary

  /// The format by a file's ending; everything unknown is binary, as upstream has it.
  package init(path: String) {
    let endings: [(String, SOPSFormat)] = [
      (".yaml", .yaml), (".yml", .yaml), (".json", .json), (".env", .dotenv), (".ini", .ini),
    ]
    self = endings.first { path.hasSuffix($0.0) }?.1 ?? .binary
  }
}
