import ArgumentParser
import HelixKinds
import HelixModel

/// Gives the cluster the identities with which Flux decrypts.
struct BootstrapCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bootstrap", abstract: "Give the cluster what Flux needs to decrypt.",
    discussion: """
      Plans, shows, asks and applies what the role helix.infra.sops_age does in a playbook: the \
      namespace, the Secret with the age identities, and the Secrets of secrets.bootstrap.secrets. \
      Nothing is planted before the identities were derived, found in the rules and in every file they \
      should open, and one file of every rule was decrypted with them.
      """)

  @OptionGroup var options: ApplyOptions

  func run() async throws {
    try await Application(plans: [SOPSAgeRole.role.name], options: options).run()
  }
}
