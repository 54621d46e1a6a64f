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
    try await Console.ofSecrets(common).atDesk(inventory) { console, desk in
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
    try edit(try document.decrypted(), desk, console) { text in
      let sealed = try document.reencrypted(text, tools: desk.tools, random: &random)
      guard let sealed else { throw unchanged(console) }
      try file.replace(with: sealed)
    }
  }

  private func create(_ desk: SecretsDesk, _ console: Console) throws {
    let options = try desk.options(for: file, recipients: [])
    var random = SystemRandomNumberGenerator()
    try edit([], desk, console) { text in
      guard !text.isEmpty else { throw unchanged(console) }
      let sealed = try SOPSDocument.encrypt(
        text, format: format.format(of: file), file: file, options: options, tools: desk.tools,
        random: &random)
      try NewFile.write(sealed, to: file, mode: 0o644)
    }
  }

  /// Lets somebody edit until the text can be encrypted and written; it is wiped only then.
  private func edit(
    _ text: [UInt8], _ desk: SecretsDesk, _ console: Console, keep: ([UInt8]) throws -> Void
  ) throws {
    let scratch = try PlainScratch(name: (file as NSString).lastPathComponent, text)
    defer { scratch.wipe() }
    while true {
      try scratch.edit()
      do {
        return try keep(try scratch.text())
      } catch let problem as SOPSProblem {
        try askAgain(problem, desk.opener.diagnostics(for: problem), console)
      } catch let problem as Diagnostic {
        try askAgain(problem, [problem], console)
      }
    }
  }

  private func askAgain(
    _ problem: any Error, _ words: [Diagnostic], _ console: Console
  ) throws {
    guard isatty(STDIN_FILENO) == 1 else { throw problem }
    console.report(words)
    console.note("Enter goes back to the editor, Ctrl-D gives up: ")
    guard readLine() != nil else { throw ExitStatus.failed.exit }
  }

  private func unchanged(_ console: Console) -> ExitCode {
    console.note("\(file) was not changed\n")
    return ExitCode(200)
  }
}
