package import HelixModel
package import HelixPlan

/// What carrying out a plan needs from the outside.
package struct RunPorts: Sendable {
  let shells: HostShells
  let secrets: any SecretStore
  let artifacts: any ArtifactStore
  let kubeconfigs: any KubeconfigMerging
  let diagnoses: [String: Diagnosis]
  let home: String
  let clock: any RunClock
  let nonce: @Sendable () -> String
  /// Whose deeds these are, for the records that long steps keep on hosts.
  let run: RunIdentity
  /// What every deed shows, so that a run that has lost the lock can do no more; nil when the hosts
  /// belong to no cluster.
  let fence: Fence?

  /// Ports for a run: `diagnoses` are all ways of finding out why a wait did not come true, `home`
  /// is what `~` stands for, `nonce` gives a new name for every temporary file, and `fence` comes
  /// with the lock of the cluster.
  package init(
    shells: HostShells, secrets: any SecretStore, artifacts: any ArtifactStore,
    kubeconfigs: any KubeconfigMerging, diagnoses: [String: Diagnosis], home: String,
    clock: any RunClock = SystemClock(), nonce: @escaping @Sendable () -> String = randomNonce,
    run: RunIdentity = .here("apply"), fence: Fence? = nil
  ) {
    self.shells = shells
    self.secrets = secrets
    self.artifacts = artifacts
    self.kubeconfigs = kubeconfigs
    self.diagnoses = diagnoses
    self.home = home
    self.clock = clock
    self.nonce = nonce
    self.run = run
    self.fence = fence
  }
}

/// What steps of one run found out for later steps; a new run looks anew.
actor LearnedValues {
  private(set) var values: [LearnedName: String] = [:]

  func learn(_ name: LearnedName, _ value: String) { values[name] = value }
}
