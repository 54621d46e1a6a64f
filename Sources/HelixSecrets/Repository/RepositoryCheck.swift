package import HelixModel
internal import HelixSOPS

/// What must not be committed, told for a hook or CI.
package enum RepositoryCheck {
  /// Every finding of a look at a repository, in the order of its files.
  package static func findings(_ scan: RepositoryScan) -> [Diagnostic] {
    scan.files.flatMap(findings)
  }

  static func findings(_ file: RepositoryScan.File) -> [Diagnostic] {
    switch file.content {
    case .identity(let line): [keyFile(file.path, line)]
    case .broken(let problem): problem.diagnostics
    case .plain(let places): places.first.map { [plain(file, $0, places.count)] } ?? []
    case .sealed(let document): findings(file, document)
    }
  }

  private static func findings(
    _ file: RepositoryScan.File, _ document: SealedDocument
  ) -> [Diagnostic] {
    var findings = document.plainPlaces.map(addedInPlain)
    guard let rule = file.decision?.rule else { return findings }
    let change = document.keyChange(to: rule.keyGroups, threshold: rule.shamirThreshold)
    if !change.isEmpty { findings.append(otherRecipients(file.path, change, rule)) }
    if document.format != .binary, document.metadata.rule != rule.selectionRule {
      findings.append(otherSelection(file.path, rule))
    }
    return findings
  }

  private static func keyFile(_ path: String, _ line: Int) -> Diagnostic {
    Diagnostic(
      "git would take this age identity",
      reason: "whoever has a clone could decrypt everything that is encrypted for it",
      remedy: "git rm --cached \(shellQuoted(path)), ignore it; if it was ever pushed, make a new"
        + " one and rotate",
      at: SourceLocation(file: path, line: line, column: 1))
  }

  private static func plain(
    _ file: RepositoryScan.File, _ place: SOPSPlace, _ count: Int
  ) -> Diagnostic {
    let others = count > 1 ? ", and \(count - 1) more" : ""
    return Diagnostic(
      "this file is in plain text, and its rule says that it is secret",
      reason: "\(place.steps.sopsPath) would be encrypted\(others)",
      remedy: "helix-infra secrets encrypt -i \(shellQuoted(file.path))", at: place.location)
  }

  private static func addedInPlain(_ place: SOPSPlace) -> Diagnostic {
    Diagnostic(
      "\(place.steps.sopsPath) stands in plain text in an encrypted file",
      reason: "it was added without SOPS, and the file does not decrypt any more",
      remedy: "take it out, and add it with helix-infra secrets edit; change the value if it was"
        + " pushed",
      at: place.location)
  }

  private static func otherRecipients(
    _ path: String, _ change: KeyChange, _ rule: CreationRule
  ) -> Diagnostic {
    let missing = change.added.map { "is not for \($0.name)" }
    let surplus = change.removed.map { "is still for \($0.name)" }
    let grouped = change.isRegrouped ? ["has other key groups"] : []
    return Diagnostic(
      "the file is for others than its rule says",
      reason: "it " + (missing + surplus + grouped).joined(separator: ", ")
        + " (rule \(rule.number), \(rule.location))",
      remedy: change.removed.isEmpty
        ? "helix-infra secrets updatekeys \(shellQuoted(path))"
        : "helix-infra secrets updatekeys, then rotate: who is taken out knows the data key",
      at: SourceLocation(file: path, line: 1, column: 1))
  }

  private static func otherSelection(_ path: String, _ rule: CreationRule) -> Diagnostic {
    Diagnostic(
      "the file was encrypted by another choice of values than its rule has now",
      reason: "a file keeps what it was made with; rule \(rule.number) was changed afterwards",
      remedy: "helix-infra secrets decrypt -i \(shellQuoted(path)), then encrypt -i",
      at: SourceLocation(file: path, line: 1, column: 1))
  }
}
