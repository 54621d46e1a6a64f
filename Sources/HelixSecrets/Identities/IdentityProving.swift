internal import HelixAge
package import HelixModel
package import HelixSOPS

/// Shows what the identities for a cluster open, before the cluster gets them.
package struct IdentityProving {
  private let text: AgeIdentityText
  private let scan: RepositoryScan
  private let config: SOPSConfig?

  package init(_ text: AgeIdentityText, scan: RepositoryScan, config: SOPSConfig?) {
    self.text = text
    self.scan = scan
    self.config = config
  }

  /// Derives the public keys, finds them in the rules and in the files, and decrypts one file of
  /// every rule.
  ///
  /// - Throws: a `Diagnostic` when there is no identity at all.
  package func proof() throws(Diagnostic) -> IdentityProof {
    _ = try text.text()
    var proof = IdentityProof(recipients: text.identities.flatMap(\.recipients))
    let own = Set(proof.recipients)
    proof.problems += rulesWithoutThem(own)
    var proven: Set<Int> = []
    for (file, document) in scan.sealed where concerns(file, document, own) {
      guard isFor(document, own) else {
        proof.problems.append(notForThem(file, own))
        continue
      }
      proof.files += 1
      let rule = file.decision?.rule?.number ?? 0
      guard !proven.contains(rule) else { continue }
      if let problem = problem(decrypting: document) {
        proof.problems.append(problem)
      } else {
        proven.insert(rule)
        proof.decrypted.append(file.path)
      }
    }
    return proof
  }

  /// Whether the cluster is meant to open a file: its rule names one of the identities, or, without
  /// a rule, the file does.
  private func concerns(
    _ file: RepositoryScan.File, _ document: SealedDocument, _ own: Set<String>
  ) -> Bool {
    file.decision?.rule.map { names($0, own) } ?? isFor(document, own)
  }

  private func names(_ rule: CreationRule, _ own: Set<String>) -> Bool {
    rule.keyGroups.contains { $0.keys.contains { own.contains($0.name) } }
  }

  private func isFor(_ document: SealedDocument, _ own: Set<String>) -> Bool {
    own.contains { document.isWrapped(for: .age($0)) }
  }

  private func rulesWithoutThem(_ own: Set<String>) -> [Diagnostic] {
    guard let rules = config?.rules, !rules.contains(where: { names($0, own) }) else { return [] }
    return [
      Diagnostic(
        "no rule of \(config?.file ?? ".sops.yaml") is for "
          + own.sorted().joined(separator: " or "),
        reason: "what is encrypted by the rules could not be decrypted in the cluster",
        remedy:
          "add the public key to the rules and run helix-infra secrets updatekeys, or name the"
          + " right file under secrets.identity (now \(text.source ?? "none"))")
    ]
  }

  private func notForThem(_ file: RepositoryScan.File, _ own: Set<String>) -> Diagnostic {
    Diagnostic(
      "\(file.path) is not for the cluster's identities, and its rule says that it is",
      reason: "the cluster could not decrypt it with \(own.sorted().joined(separator: ", "))",
      remedy: "helix-infra secrets updatekeys \(shellQuoted(file.path))",
      at: SourceLocation(file: file.path, line: 1, column: 1))
  }

  private func problem(decrypting document: SealedDocument) -> Diagnostic? {
    do throws(SOPSProblem) {
      _ = try SOPSDocument.open(document, with: Keyring(identities: text.identities))
      return nil
    } catch {
      return error.diagnostics.first
    }
  }
}
