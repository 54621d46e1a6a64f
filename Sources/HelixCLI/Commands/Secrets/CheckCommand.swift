import ArgumentParser
import HelixModel
import HelixSOPS
import HelixSecrets

/// Finds what must not be committed.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Find secrets that must not be committed as they are.",
    discussion: """
      For a pre-commit hook and CI; no key is needed. Fails on plain text where a rule of .sops.yaml \
      says that it is secret, on an age identity that git would take, on files whose recipients or \
      choice of values differ from their rule, and on values added to an encrypted file without SOPS.
      """)

  @Argument(
    help: "The files. Default: every file here that git would take.", completion: .file())
  var files: [String] = []

  @OptionGroup var inventory: EstateOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    try await Console.ofSecrets(common).atDesk(inventory) { console, desk in
      let search = try desk.config()
      console.report(search.warnings)
      for path in files { _ = try GuardedFile.given(path) }
      let scan = desk.scan(files, config: search.config)
      let findings = RepositoryCheck.findings(scan)
      console.report(findings)
      console.answer(
        "\(scan.count) files, \(scan.sealed.count) encrypted: "
          + (findings.isEmpty ? "nothing found.\n" : "\(findings.count) found.\n"))
      guard findings.isEmpty else { throw ExitStatus.failed.exit }
    }
  }
}
