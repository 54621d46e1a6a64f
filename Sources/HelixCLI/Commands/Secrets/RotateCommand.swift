import ArgumentParser
import HelixModel
import HelixSOPS
import HelixSecrets

/// Gives encrypted files a new data key, and takes recipients in or out.
struct RotateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate", abstract: "Give files a new data key; take recipients in or out.",
    discussion: """
      All files are changed, or none. Whoever is taken out still knows the values as they are and can \
      decrypt them from git for ever: they are listed, to be changed where they come from.
      """)

  @Argument(help: "The files.", completion: .file())
  var files: [String]

  @Option(help: "A recipient to take in; repeatable.")
  var addAge: [String] = []

  @Option(help: "A recipient to take out; repeatable.")
  var removeAge: [String] = []

  @Flag(help: "Only tell what would be done.")
  var dryRun = false

  @OptionGroup var inventory: EstateOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    try await Console.ofSecrets(common).atDesk(inventory) { console, desk in
      let added = try recipients(in: addAge).map(desk.ageKey)
      let removed = recipients(in: removeAge).map(MasterKey.age)
      var rotations: [Turn] = []
      for path in files {
        let file = try GuardedFile.given(path)
        rotations.append(try turn(file, adding: added, removing: removed, desk))
      }
      for key in removed where !rotations.contains(where: { $0.wasFor(key) }) {
        throw nobodyOfThatName(key)
      }
      if !dryRun {
        try GuardedFile.replaceAll(rotations.map { ($0.file, $0.rotation.bytes) })
      }
      console.answer(
        RotationText(isDone: !dryRun).render(rotations.map { ($0.file.path, $0.rotation) }))
    }
  }

  /// One file and what becomes of it.
  private struct Turn {
    let file: GuardedFile
    let document: SOPSDocument
    let rotation: Rotation

    func wasFor(_ key: MasterKey) -> Bool { document.sealed.isWrapped(for: key) }
  }

  private func turn(
    _ file: GuardedFile, adding added: [MasterKey], removing removed: [MasterKey],
    _ desk: SecretsDesk
  ) throws -> Turn {
    let document = try desk.opener.open(file)
    let groups = document.sealed.recipients(adding: added, removing: removed)
    guard groups.allSatisfy({ !$0.keys.isEmpty }) else { throw nobodyLeft(file.path) }
    var random = SystemRandomNumberGenerator()
    let rotation = try document.rotated(
      to: groups, threshold: document.sealed.threshold, tools: desk.tools, random: &random)
    return Turn(file: file, document: document, rotation: rotation)
  }

  private func nobodyOfThatName(_ key: MasterKey) -> Diagnostic {
    Diagnostic(
      "none of the files is for \(key.name)", reason: "nobody would be taken out",
      remedy: "see whom they are for: helix-infra secrets doctor FILE")
  }

  private func nobodyLeft(_ path: String) -> Diagnostic {
    Diagnostic(
      "nobody would be left who can open \(path)",
      reason: "it is encrypted for none but those who are to be taken out",
      remedy: "take somebody in at the same time: --add-age age1…")
  }
}
