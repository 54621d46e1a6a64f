internal import HelixAge
package import HelixModel
package import HelixSOPS

/// What `secrets doctor` knows of a machine, a repository and a cluster.
package struct DoctorReading: Sendable {
  package var findings: [IdentityFinding]
  /// The file that cluster.yaml names, and whether git would take it; nil when it names none.
  package var estateIdentity: (path: String, isTaken: Bool)?
  package var config: SOPSConfig?
  package var scan: RepositoryScan
  /// Nil when nobody asked it, or it did not answer.
  package var cluster: ClusterKeys?

  package init(
    findings: [IdentityFinding], estateIdentity: (path: String, isTaken: Bool)?,
    config: SOPSConfig?, scan: RepositoryScan, cluster: ClusterKeys? = nil
  ) {
    self.findings = findings
    self.estateIdentity = estateIdentity
    self.config = config
    self.scan = scan
    self.cluster = cluster
  }
}

/// What the cluster has of age identities.
package struct ClusterKeys: Sendable {
  /// An entry of a Secret.
  package struct Entry: Sendable {
    package var namespace: String
    package var key: String
    /// The public keys that we know by the fingerprint of their identity.
    package var recipients: [String]
    /// How many identities are none of ours.
    package var unknown: Int

    package init(namespace: String, key: String, recipients: [String], unknown: Int) {
      self.namespace = namespace
      self.key = key
      self.recipients = recipients
      self.unknown = unknown
    }
  }

  /// Where Flux looks.
  package var namespace: String
  package var name: String
  package var entries: [Entry]

  package init(namespace: String, name: String, entries: [Entry]) {
    self.namespace = namespace
    self.name = name
    self.entries = entries
  }
}

/// Finds why something does not decrypt, here or in the cluster.
package struct Doctor {
  private let reading: DoctorReading

  package init(_ reading: DoctorReading) {
    self.reading = reading
  }

  /// Every finding with its fix: keys, then files, then the cluster.
  package func problems() -> [Diagnostic] {
    identityProblems + shadowing + ruleProblems + fileProblems + clusterProblems
  }

  private var recipients: Set<String> { Set(reading.findings.flatMap(\.recipients)) }

  // MARK: - Keys of this machine

  private var identityProblems: [Diagnostic] {
    var problems = reading.findings.compactMap(\.problem)
    if recipients.isEmpty, needsAge {
      problems.append(
        Diagnostic(
          "this machine has no age identity", reason: "nothing can be decrypted here",
          remedy: "name its file in SOPS_AGE_KEY_FILE or in secrets.identity of cluster.yaml, or"
            + " make one: helix-infra secrets keygen"))
    }
    if let (path, isTaken) = reading.estateIdentity, isTaken {
      problems.append(
        Diagnostic(
          "git would take \(path)", reason: "whoever has a clone could decrypt everything",
          remedy: "echo \(shellQuoted(path)) >> .gitignore"))
    }
    return problems
  }

  /// Whether age has a part here; PGP alone needs no identity.
  private var needsAge: Bool {
    let groups =
      (reading.config?.rules ?? []).flatMap(\.keyGroups)
      + reading.scan.sealed.flatMap(\.document.recipients)
    return groups.isEmpty || groups.contains { $0.keys.contains { $0.kind == "age" } }
  }

  /// Keys of the environment that open nothing here are mostly those of another repository.
  private var shadowing: [Diagnostic] {
    let set = reading.findings.filter { $0.isFromEnvironment && !$0.identities.isEmpty }
    return set.compactMap { finding in
      let isUsed = finding.recipients.contains { recipient in
        reading.scan.sealed.contains { $0.document.isWrapped(for: .age(recipient)) }
      }
      guard !isUsed, !reading.scan.sealed.isEmpty else { return nil }
      return Diagnostic(
        "the identity of \(finding.source) opens no file here",
        reason: "it is set in the environment, perhaps for another repository, and other programs"
          + " may take it for this one's",
        remedy: "unset \(finding.source.prefix { $0 != " " })", severity: .warning)
    }
  }

  // MARK: - Rules and files

  private var ruleProblems: [Diagnostic] {
    guard let rules = reading.config?.rules, !recipients.isEmpty else { return [] }
    return rules.compactMap { rule in
      let keys = rule.keyGroups.flatMap(\.keys)
      let ages = keys.filter { $0.kind == "age" }
      guard !ages.isEmpty, !ages.contains(where: { recipients.contains($0.name) }) else {
        return nil
      }
      return Diagnostic(
        "no identity of this machine is in this rule",
        reason: "it is for \(ages.map(\.name).joined(separator: ", "))",
        remedy: "bring the identity, or add this machine's public key to the rule and run"
          + " helix-infra secrets updatekeys where it can be opened",
        at: rule.location, severity: .warning)
    }
  }

  private var fileProblems: [Diagnostic] { RepositoryCheck.findings(reading.scan) }

  // MARK: - The cluster

  private var clusterProblems: [Diagnostic] {
    guard let cluster = reading.cluster else { return [] }
    let address = "\(cluster.namespace)/\(cluster.name)"
    let here = cluster.entries.filter { $0.namespace == cluster.namespace }
    let elsewhere = Set(cluster.entries.map(\.namespace)).subtracting([cluster.namespace])
    guard !here.isEmpty else {
      let found =
        elsewhere.isEmpty ? "" : "; there is one in \(elsewhere.sorted().joined(separator: ", "))"
      return [
        Diagnostic(
          "the cluster has no Secret \(address)",
          reason: "Flux looks in the namespace of its Kustomization\(found)",
          remedy: "helix-infra secrets bootstrap")
      ]
    }
    let used = here.filter { $0.key.hasSuffix(".agekey") }
    guard !used.isEmpty else {
      return [
        Diagnostic(
          "Flux takes nothing from the Secret \(address)",
          reason: "no entry's name ends in .agekey: \(here.map(\.key).joined(separator: ", "))",
          remedy: "helix-infra secrets bootstrap")
      ]
    }
    return filesClosedToCluster(Set(used.flatMap(\.recipients)), used.reduce(0) { $0 + $1.unknown })
  }

  /// Files for this machine's identities that none of the cluster's known ones opens.
  private func filesClosedToCluster(_ cluster: Set<String>, _ unknown: Int) -> [Diagnostic] {
    guard unknown == 0 else { return [] }
    let closed = reading.scan.sealed.filter { _, document in
      recipients.contains { document.isWrapped(for: .age($0)) }
        && !cluster.contains { document.isWrapped(for: .age($0)) }
    }
    guard let first = closed.first else { return [] }
    let others = closed.count > 1 ? " and \(closed.count - 1) more" : ""
    return [
      Diagnostic(
        "the cluster cannot decrypt \(first.file.path)\(others)",
        reason: "its Secret holds \(cluster.sorted().joined(separator: ", ")), and the files are"
          + " for others",
        remedy: "helix-infra secrets bootstrap with the right identity, or helix-infra secrets"
          + " updatekeys")
    ]
  }
}
