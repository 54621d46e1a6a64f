package import HelixModel

/// All answers of a run; recorded, it makes the same plan again.
package struct Observation: Sendable, Codable {
  /// What one host said.
  package enum HostAnswers: Sendable, Codable {
    case answered([FactID: FactAnswer])
    case unreachable(Diagnostic)
  }

  package var hosts: [HostName: HostAnswers]
  /// The checksums that the release lists give, for the artifacts the hosts' machines need.
  package var checksums: [ArtifactReference: String]
  /// What the age identities of this machine were shown to open; nil when nothing depends on it.
  package var identities: IdentityProof?

  package init(
    hosts: [HostName: HostAnswers] = [:], checksums: [ArtifactReference: String] = [:],
    identities: IdentityProof? = nil
  ) {
    self.hosts = hosts
    self.checksums = checksums
    self.identities = identities
  }

  /// The raw answer to a question.
  package func answer(_ id: FactID, on host: HostName) -> FactAnswer? {
    guard case .answered(let answers) = hosts[host] else { return nil }
    return answers[id]
  }

  /// Why a host could not be asked; nil when it was.
  package func silence(of host: HostName) -> Diagnostic? {
    switch hosts[host] {
    case .answered: nil
    case .unreachable(let diagnostic): diagnostic
    case nil: Diagnostic("\(host) was not asked", at: .host(host, address: nil))
    }
  }
}
