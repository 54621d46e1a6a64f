import ArgumentParser
import HelixModel
import HelixSOPS
import HelixSecrets

extension Console {
  /// A console that shows no line of a file that may hold a secret.
  static func ofSecrets(_ options: CommonOptions) -> Console {
    Console(options, quoting: .files([".sops.yaml", "cluster.yaml"]))
  }

  /// Runs a command about encrypted files; what SOPS has an exit status for ends with that.
  func guarding(_ desk: SecretsDesk, _ body: () async throws -> Void) async throws {
    try await guarding {
      do {
        try await body()
      } catch let problem as SOPSProblem {
        report(desk.opener.diagnostics(for: problem))
        throw ExitCode(problem.exitCode)
      }
    }
  }
}
