import ArgumentParser
import HelixModel
import HelixSOPS
import HelixSecrets

/// Makes the recipients of files those of their rules.
struct UpdateKeysCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "updatekeys", abstract: "Make the recipients of files those of their rules.",
    discussion: """
      The data key stays, so that nothing but the recipients changes. Whoever is taken out can still \
      open what the file held until now, and what it will hold: rotate gives it a new data key.
      """)

  @Argument(help: "The files.", completion: .file())
  var files: [String]

  @Flag(name: .shortAndLong, help: "Do not ask before writing.")
  var yes = false

  @Flag(help: "Only tell what would be done.")
  var dryRun = false

  @OptionGroup var inventory: EstateOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    try await Console.ofSecrets(common).atDesk(inventory) { console, desk in
      var updates: [(file: GuardedFile, bytes: [UInt8])] = []
      for path in files {
        let file = try GuardedFile.given(path)
        let rule = try desk.rule(for: path)
        let document = try desk.opener.open(file)
        let change = document.sealed.keyChange(to: rule.keyGroups, threshold: rule.shamirThreshold)
        console.answer(KeyChangeText.render(change, of: path))
        var random = SystemRandomNumberGenerator()
        let bytes = try document.updatingKeys(
          to: rule.keyGroups, threshold: rule.shamirThreshold, tools: desk.tools, random: &random)
        if let bytes { updates.append((file, bytes)) }
      }
      guard !updates.isEmpty, !dryRun else { return }
      if !yes { try console.approve("Write these recipients?", otherwise: "say --yes") }
      try GuardedFile.replaceAll(updates)
    }
  }
}
