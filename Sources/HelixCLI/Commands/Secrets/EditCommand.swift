import ArgumentParser
import Foundation
import HelixModel
import HelixSOPS
import HelixSecrets

/// Opens an encrypted file in an editor.
struct EditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "edit", abstract: "Edit an encrypted file in $SOPS_EDITOR or $EDITOR.",
    discussion: """
      The plain text lies in memory (/dev/shm or $XDG_RUNTIME_DIR), for you alone, and is wiped \
      afterwards. What is not changed keeps its ciphertext and its bytes. A file that is not there is \
      made by its rule. Exit status 200 when nothing was changed.
      """)

  @Argument(help: "The file.", completion: .file())
  var file: String

  @OptionGroup var format: FormatOptions
  @OptionGroup var inventory: EstateOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let console = Console.ofSecrets(common)
    let desk = try await console.desk(inventory)
    try await console.guarding(desk) {
      if FileManager.default.fileExists(atPath: file) {
        try change(desk, console)
      } else {
        try create(desk, console)
      }
    }
  }

  private func change(_ desk: SecretsDesk, _ console: Console) throws {
    let file = try GuardedFile(reading: file)
    let document = try desk.opener.open(file, format: format.format(of: file.path))
    var random = SystemRandomNumberGenerator()
    let sealed = try edited(try document.decrypted(), desk, console) { text in
      try document.reencrypted(text, tools: desk.tools, random: &random)
    }
    guard let sealed else { throw unchanged(console) }
    try file.replace(with: sealed)
  }

  private func create(_ desk: SecretsDesk, _ console: Console) throws {
    let options = try desk.options(for: file, recipients: [])
    var random = SystemRandomNumberGenerator()
    let sealed = try edited([], desk, console) { text in
      guard !text.isEmpty else { return nil }
      return try SOPSDocument.encrypt(
        text, format: format.format(of: file), file: file, options: options, tools: desk.tools,
        random: &random)
    }
    guard let sealed else { throw unchanged(console) }
    try NewFile.write(sealed, to: file, mode: 0o644)
  }

  /// Lets somebody edit until the text can be encrypted.
  private func edited(
    _ text: [UInt8], _ desk: SecretsDesk, _ console: Console,
    encrypt: ([UInt8]) throws -> [UInt8]?
  ) throws -> [UInt8]? {
    let scratch = try PlainScratch(name: (file as NSString).lastPathComponent, text)
    defer { scratch.wipe() }
    while true {
      try scratch.edit()
      do {
        return try encrypt(try scratch.text())
      } catch let problem as SOPSProblem {
        console.report(desk.opener.diagnostics(for: problem))
        guard isatty(STDIN_FILENO) == 1 else { throw problem }
        console.note("Enter goes back to the editor, Ctrl-D gives up: ")
        guard readLine() != nil else { throw problem }
      }
    }
  }

  private func unchanged(_ console: Console) -> ExitCode {
    console.note("\(file) was not changed\n")
    return ExitCode(200)
  }
}
