import ArgumentParser
import HelixModel
import HelixSOPS
import HelixSecrets

/// Encrypts a file by its rule.
struct EncryptCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encrypt", abstract: "Encrypt a file by its rule in .sops.yaml.",
    discussion: """
      Only values change; comments, order, quotes and blank lines stay as they are. A file of which \
      nothing would be encrypted is refused.
      """)

  @Argument(help: "The file.", completion: .file())
  var file: String

  @Flag(name: [.customShort("i"), .long], help: "Replace the file, rather than print the result.")
  var inPlace = false

  @Option(help: "Encrypt for these recipients and not those of the rule; repeatable.")
  var age: [String] = []

  @OptionGroup var format: FormatOptions
  @OptionGroup var inventory: EstateOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    try await Console.ofSecrets(common).atDesk(inventory) { console, desk in
      let file = try GuardedFile.given(file)
      let options = try desk.options(for: file.path, recipients: recipients(in: age))
      var random = SystemRandomNumberGenerator()
      let sealed = try SOPSDocument.encrypt(
        file.bytes, format: format.format(of: file.path), file: file.path, options: options,
        tools: desk.tools, random: &random)
      if inPlace { try file.replace(with: sealed) } else { console.answer(bytes: sealed) }
    }
  }
}

/// Recipients that stand in several options, or several in one, apart by commas.
func recipients(in options: [String]) -> [String] {
  options.flatMap { $0.split(separator: ",") }.map { String($0.trimmingPrefix { $0 == " " }) }
}
