import HelixModel
import HelixPlan

/// The k3s binary of the wanted release, verified against the release's checksum list.
struct K3sArtifact: K3sResource {
  static let kind = "k3s-artifact"
  let node: K3sNode

  var after: [Address] { node.gates }

  var ownQuestions: [Question] {
    [Question(MachineFacts.fact, on: node.host), Question(InstalledBinary.fact, on: node.host)]
  }

  func artifacts(_ sight: inout Sight) -> [ArtifactReference] {
    guard let machine = try? sight.read(MachineFacts.fact, on: node.host).machine,
      let round = try? UpgradeRound.read(node.cluster, &sight)
    else { return [] }
    return [ArtifactReference.k3s(round.target, machine: machine)].compactMap(\.self)
  }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    if let verdict = try verdictByController(&sight) { return verdict }
    guard let artifact = artifacts(&sight).first else {
      // The host's own check names the machine.
      return .heldBack(Diagnostic("no k3s release runs on \(node.host)"))
    }
    let installed = try sight.read(InstalledBinary.fact, on: node.host)
    guard let sha256 = sight.observation.checksums[artifact] else {
      return .refused(unknownChecksum(artifact))
    }
    let round = try UpgradeRound.read(node.cluster, &sight)
    if installed?.sha256 == sha256, round.refusal == nil {
      return .unchanged(reason: "already \(round.target)")
    }
    return try node.judge(&sight) { (sight, view) throws(Diagnostic) in
      if let refusal = self.refusal(installed?.version, view) { return .refused(refusal) }
      if let verdict = self.whileAsleep(installed, view) { return verdict }
      return self.inTurn(self.work(artifact, sha256, installed, view), view)
    }
  }

  private func work(
    _ artifact: ArtifactReference, _ sha256: String, _ installed: InstalledBinary?,
    _ view: NodeView
  ) -> Work {
    let wanted = view.round.target
    let before = installed.map { $0.version?.description ?? "another file" }
    // Cut short between putting a file there and the restart, a run left one that never ran.
    let isKept =
      installed?.previous != nil && installed?.previous == view.release?.from
      && installed?.version != installed?.previous
    let isRelease = installed?.version != nil && installed?.version != wanted
    return Work(
      installed == nil ? .create : .update,
      fields: [
        isRelease || installed == nil
          ? FieldChange("version", before: before, after: wanted.description)
          : FieldChange("sha256", before: installed.map { short($0.sha256) }, after: short(sha256))
      ],
      reason: reason(installed, view.round),
      after: waits(view).after, behind: waits(view).behind,
      steps: [
        step(
          "install", "install k3s \(wanted) on \(node.host)",
          trial(view) + [
            .install(
              ArtifactInstall(
                artifact: artifact, sha256: sha256, path: K3sPaths.binary,
                keepingPreviousAt: isKept ? nil : K3sPaths.previousBinary))
          ], timeout: 900)
      ])
  }

  /// Before the file, so that no cut leaves another release that nobody knows to be untried.
  private func trial(_ view: NodeView) -> [Instruction] {
    guard let release = view.release else { return [] }
    return [
      .write(FileWrite(path: K3sPaths.trial, content: TemplateText(release.to.description + "\n")))
    ]
  }

  private func reason(_ installed: InstalledBinary?, _ round: UpgradeRound) -> String {
    switch installed?.version {
    case nil where installed == nil: return "k3s is not installed"
    case nil: return "the file at \(K3sPaths.binary) is no k3s release"
    case round.target: return "the file at \(K3sPaths.binary) is not the released one"
    case .some(let version):
      let hop = round.hop.flatMap { $0.isLast ? nil : $0 }
      return "\(version) is installed" + (hop.map { "; \($0.words)" } ?? "")
    }
  }
}

// MARK: - Versions that must not be

extension K3sArtifact {
  private func refusal(_ installed: K3sVersion?, _ view: NodeView) -> Diagnostic? {
    if let installed, view.entry.isMember, node.cluster.version.value < installed {
      return downgrade(from: installed)
    }
    if let refusal = view.round.refusal { return refusal }
    return node.role == .agent ? runAhead(view) : nil
  }

  func downgrade(from installed: K3sVersion) -> Diagnostic {
    let wanted = node.cluster.version.value
    return Diagnostic(
      "k3s on \(node.host) is \(installed), newer than \(wanted)",
      reason: "data that a newer release has written is not read by an older one",
      remedy: node.role == .server
        ? "keep \(installed), or restore an etcd snapshot that \(wanted) has made"
        : "keep \(installed), or install the node anew",
      at: node.cluster.version.location)
  }

  /// Servers that this plan upgrades are waited for; those it leaves alone must be there already.
  private func runAhead(_ view: NodeView) -> Diagnostic? {
    let survey = view.survey
    let behind = node.cluster.servers.first { server in
      guard !node.cluster.managed.contains(server.host), let version = survey.versions[server.host]
      else { return false }
      return version < view.round.target
    }
    guard let behind, let version = survey.versions[behind.host] else { return nil }
    return Diagnostic(
      "\(node.host) would run ahead of \(behind.host)",
      reason: "\(behind.host) runs \(version), and an agent is never newer than its servers",
      remedy: "upgrade the servers first, or apply without a limit",
      at: node.cluster.version.location)
  }

  private func unknownChecksum(_ artifact: ArtifactReference) -> Diagnostic {
    Diagnostic(
      "the checksum of \(artifact.file) in \(artifact.release) is not known",
      reason: "nothing is installed that cannot be verified",
      remedy: "see that \(artifact.checksums) of the release can be read",
      at: node.cluster.version.location)
  }
}
