internal import HelixAge
package import HelixModel
internal import HelixSOPS

/// Takes an estate's secrets from where they are kept: files encrypted with SOPS, a folder of plain
/// files, and the file of age identities.
///
/// A value is read once, so that everything one run writes comes from the same value.
package final class EstateSecretStore: SecretStore {
  private let folder: FolderSecretStore
  /// Files whose top-level keys are the names of secrets.
  private let files: [String]
  private let vault: SOPSVault
  private let identities: AgeIdentityText

  package init(
    folder: FolderSecretStore, files: [String], vault: SOPSVault, identities: AgeIdentityText
  ) {
    self.folder = folder
    self.files = files
    self.vault = vault
    self.identities = identities
  }

  package func value(of name: SecretName) throws(Diagnostic) -> SecretValue {
    if name.uncoded != nil { return try fill("\(secret: name)").value }
    if name == .ageIdentities { return try identities.text() }
    if let place = SOPSVault.Place(name) { return try vault.value(at: place) }
    return try named(name)
  }

  /// A secret by its plain name: a key of one of the encrypted files, or a file of the folder.
  private func named(_ name: SecretName) throws(Diagnostic) -> SecretValue {
    var found: [(file: String, value: SecretValue)] = []
    for file in files {
      let place = SOPSVault.Place(file: file, document: 0, steps: [.key(name.rawValue)])
      if let value = try vault.valueIfPresent(at: place) { found.append((file, value)) }
    }
    let isInFolder = folder.names.contains(name)
    let places = found.map(\.file) + (isInFolder ? ["\(folder.folder)/\(name.rawValue)"] : [])
    guard places.count < 2 else { throw twice(name, places) }
    if let value = found.first?.value { return value }
    guard isInFolder || files.isEmpty else { throw unknown(name) }
    return try folder.value(of: name)
  }

  private func twice(_ name: SecretName, _ places: [String]) -> Diagnostic {
    Diagnostic(
      "the secret \"\(name.rawValue)\" is kept in two places",
      reason: "it is in \(places.joined(separator: " and ")), and nothing says which value counts",
      remedy: "remove one of them")
  }

  private func unknown(_ name: SecretName) -> Diagnostic {
    let file = files.first ?? ""
    return Diagnostic(
      "no secret named \"\(name.rawValue)\"",
      reason: "it is no key of \(files.joined(separator: " or ")), and no file in"
        + " \(folder.folder)/",
      remedy: "make it: helix-infra secrets generate \(shellQuoted(name.rawValue))"
        + " --file \(shellQuoted(file))")
  }
}
