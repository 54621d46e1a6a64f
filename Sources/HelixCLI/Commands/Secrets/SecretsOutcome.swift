import ArgumentParser
import Foundation
import HelixModel
import HelixSOPS
import HelixSecrets

extension Console {
  /// A console that shows no line of a file that may hold a secret.
  static func ofSecrets(_ options: CommonOptions) -> Console {
    CoreFiles.forbid()
    return Console(options, quoting: .files([".sops.yaml", "cluster.yaml"]))
  }

  /// Runs a command about encrypted files at the estate's desk.
  ///
  /// What SOPS has an exit status for ends with that.
  func atDesk(
    _ estate: EstateOptions, _ body: (Console, SecretsDesk) async throws -> Void
  ) async throws {
    try await guarding {
      let desk = try SecretsDesk(inventory: estate.folder)
      do {
        try await body(self, desk)
      } catch let problem as SOPSProblem {
        report(desk.opener.diagnostics(for: problem))
        throw ExitCode(problem.exitCode)
      } catch let missing as MissingFile {
        report([missing.diagnostic])
        throw ExitCode(100)
      }
    }
  }
}

/// A file that was named is not there; sops has an exit status for that alone.
private struct MissingFile: Error {
  let path: String

  var diagnostic: Diagnostic {
    Diagnostic("there is no file \"\(path)\"", remedy: "correct the path")
  }
}

extension GuardedFile {
  /// Reads a file that a command was given.
  static func given(_ path: String) throws -> GuardedFile {
    guard FileManager.default.fileExists(atPath: path) else { throw MissingFile(path: path) }
    return try GuardedFile(reading: path)
  }
}
