import TestSupport

/// Runs a program of this machine to its end; its output.
@discardableResult
func runLocally(_ command: String...) throws -> String {
  let ran = try run(command[0], Array(command.dropFirst()))
  return ran.output + ran.errors
}

/// A new key pair; the path of its private half.
func makeKey(
  in folder: ScratchFolder, _ name: String, type: String = "ed25519", passphrase: String = ""
) throws -> String {
  try runLocally(
    "/usr/bin/ssh-keygen", "-q", "-t", type, "-N", passphrase, "-C", name, "-f", folder.file(name))
  return folder.file(name)
}
