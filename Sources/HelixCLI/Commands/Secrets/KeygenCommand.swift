import ArgumentParser
import Foundation
import HelixAge
import HelixInventory
import HelixModel
import HelixSecrets

/// Makes an age identity.
struct KeygenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keygen", abstract: "Make an age identity, and print its public key.",
    discussion: """
      Writes a key file as age-keygen does, for you alone to read (mode 600), and never over \
      another file. The public key is printed on stdout: it goes into .sops.yaml.
      """)

  @Option(
    name: [.customShort("o"), .long],
    help: "The file to write. Default: the identity that cluster.yaml names, else age.key.",
    completion: .file())
  var output: String?

  @Flag(help: "A hybrid key that holds against quantum computers too (sops 3.12, age 1.3).")
  var pq = false

  @OptionGroup var inventory: InventoryOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let console = Console.ofSecrets(common)
    try await console.guarding {
      let path = try output ?? estateIdentity() ?? "age.key"
      var random = SystemRandomNumberGenerator()
      let pair = try AgeKeyPair(pq ? .hybrid : .x25519, using: &random)
      let created = Date().ISO8601Format()
      try NewFile.write(pair.keyFile(created: created).reveal(), to: path)
      console.note("wrote \(path)\n")
      if GitView(in: ".").wouldTake(path) {
        console.report([notIgnored(path)])
      }
      console.answer(pair.recipient + "\n")
    }
  }

  private func estateIdentity() throws -> String? {
    try InventoryReader.secrets(
      folder: inventory.folder, reader: DiskSourceReader(digest: sha256(of:)))?.identity?.value
  }

  private func notIgnored(_ path: String) -> Diagnostic {
    Diagnostic(
      "git would take \(path)", reason: "whoever has a clone could decrypt everything",
      remedy: "echo \(shellQuoted(path)) >> .gitignore", severity: .warning)
  }
}
