import ArgumentParser

/// Looks after the estate's secrets: age keys and files encrypted with SOPS.
struct SecretsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "secrets",
    abstract: "Look after age keys and files encrypted with SOPS.",
    discussion: """
      Reads and writes age and SOPS files itself; neither program is needed. Identities are looked \
      for where sops looks: SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, SOPS_AGE_KEY_CMD, \
      ~/.config/sops/age/keys.txt, SSH keys, and first in the file that cluster.yaml names.
      """,
    subcommands: [
      KeygenCommand.self, EncryptCommand.self, DecryptCommand.self, EditCommand.self,
      SetCommand.self, GenerateCommand.self, RotateCommand.self, UpdateKeysCommand.self,
      CheckCommand.self, DoctorCommand.self, BootstrapCommand.self,
    ])
}
