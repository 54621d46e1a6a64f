/// The request of some run on whose behalf the keeper is doing something.
struct KeptRequest: Sendable {
  /// What is done now is done for this request.
  @TaskLocal static var current: KeptRequest?

  /// Tells the run what happens.
  let report: @Sendable (SSHEvent) -> Void
  /// The key files of the run: another run reads, and unlocks, its own.
  let keyFiles: KeyFiles
}
