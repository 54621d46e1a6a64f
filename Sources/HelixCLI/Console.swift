import Foundation
import HelixModel

/// Where a command's words go: answers on stdout, everything else on stderr.
struct Console: Sendable {
  let output: Style
  let errors: Style

  init(_ options: CommonOptions) {
    output = options.style(for: STDOUT_FILENO)
    errors = options.style(for: STDERR_FILENO)
  }

  func answer(_ text: String) { write(text, to: .standardOutput) }

  func answer(_ data: Data) { try? FileHandle.standardOutput.write(contentsOf: data) }

  func note(_ text: String) { write(text, to: .standardError) }

  /// Diagnostics with the source lines they speak of.
  func report(_ diagnostics: [Diagnostic]) {
    let renderer = DiagnosticText(style: errors) { path in
      try? String(contentsOfFile: path, encoding: .utf8)
    }
    note(renderer.render(diagnostics))
  }

  private func write(_ text: String, to handle: FileHandle) {
    // A reader that went away (a pager that was quit) is no reason to stop half-way.
    try? handle.write(contentsOf: Data(text.utf8))
  }
}

extension Console {
  /// Runs a command's body and turns what it throws into words and an exit status.
  func guarding(_ body: () async throws -> Void) async throws {
    do {
      try await body()
    } catch let diagnostics as Diagnostics {
      report(diagnostics.all)
      throw ExitStatus.invalidInput.exit
    } catch let failure as Failure {
      report(failure.diagnostics)
      throw failure.status.exit
    } catch let diagnostic as Diagnostic {
      report([diagnostic])
      throw ExitStatus.failed.exit
    }
  }
}

/// Diagnostics that end a command with a status of their own.
struct Failure: Error {
  var status: ExitStatus
  var diagnostics: [Diagnostic]

  init(_ status: ExitStatus, _ diagnostics: [Diagnostic]) {
    self.status = status
    self.diagnostics = diagnostics
  }
}
