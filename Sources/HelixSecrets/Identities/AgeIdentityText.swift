package import HelixAge
package import HelixModel

/// The age identities that a cluster is to get, as the text of a key file.
package struct AgeIdentityText: Sendable {
  private let findings: [IdentityFinding]

  /// Takes them from the first place that holds any that Flux can use: the file that cluster.yaml
  /// names, then the environment, then the user's own.
  package init(_ findings: [IdentityFinding]) {
    self.findings = findings
  }

  /// The identities; empty when there is none to be used.
  package var identities: [any AgeIdentity] {
    chosen?.identities.filter { $0.keyText != nil } ?? []
  }

  /// Where they come from.
  package var source: String? { chosen?.source }

  private var chosen: IdentityFinding? {
    findings.first { finding in finding.identities.contains { $0.keyText != nil } }
  }

  /// - Throws: a `Diagnostic` when there is none, told with the places that were looked at.
  package func text() throws(Diagnostic) -> SecretValue {
    // The place that cluster.yaml names is meant, even when another one would do.
    if let first = findings.first, let problem = first.problem, !first.isFromEnvironment {
      throw problem
    }
    guard !identities.isEmpty else { throw none }
    var bytes: [UInt8] = []
    for identity in identities {
      guard let text = identity.keyText else { continue }
      for recipient in identity.recipients { bytes += Array("# public key: \(recipient)\n".utf8) }
      bytes += text.reveal() + [UInt8(ascii: "\n")]
    }
    return SecretValue(bytes)
  }

  private var none: Diagnostic {
    let places = findings.map(\.source).joined(separator: ", ")
    return Diagnostic(
      "there is no age identity for the cluster",
      reason: places.isEmpty
        ? "none is set and none was found"
        : "none of these holds an AGE-SECRET-KEY: \(places)",
      remedy: "name its file under secrets.identity in cluster.yaml, or make one: helix-infra"
        + " secrets keygen")
  }
}
