import ArgumentParser
import HelixModel
import HelixSOPS
import HelixSecrets

/// Prints what an encrypted file holds.
struct DecryptCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decrypt", abstract: "Print what an encrypted file holds.",
    discussion: """
      Prints the plain text on stdout and nothing else, after its MAC was found right. Comments, order \
      and blank lines are those of the file. Exit statuses are those of sops: 128 when no key opens \
      the file, 51 when its MAC is wrong, 25 when a value cannot be decrypted, 91 when there is \
      nothing at the path.
      """)

  @Argument(help: "The file.", completion: .file())
  var file: String

  @Flag(name: [.customShort("i"), .long], help: "Replace the file with its plain text.")
  var inPlace = false

  @Option(help: "Only what is at a path, such as '[\"db\"][\"password\"]'.")
  var extract: String?

  @OptionGroup var format: FormatOptions
  @OptionGroup var inventory: EstateOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if inPlace, extract != nil { throw ValidationError("--in-place takes no --extract") }
    if let extract, [PathStep](sopsPath: extract) == nil {
      throw ValidationError("a path is written as '[\"key\"][0]'")
    }
  }

  func run() async throws {
    try await Console.ofSecrets(common).atDesk(inventory) { console, desk in
      let file = try GuardedFile.given(file)
      let document = try desk.opener.open(file, format: format.format(of: file.path))
      if let path = extract.flatMap({ [PathStep](sopsPath: $0) }) {
        console.answer(bytes: try document.extracted(path))
      } else if inPlace {
        try file.replace(with: try document.decrypted())
      } else {
        console.answer(bytes: try document.decrypted())
      }
    }
  }
}
