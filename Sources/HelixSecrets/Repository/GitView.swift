internal import Foundation
internal import HelixSOPS

/// What git makes of the files around a place; without git, or outside of a repository, nothing.
package struct GitView: Sendable {
  /// The folder that the answers are about.
  private let folder: String
  package let isRepository: Bool

  package init(in folder: String) {
    self.folder = folder
    isRepository = Self.git(["rev-parse", "--is-inside-work-tree"], in: folder) == "true\n"
  }

  /// The files that a commit of everything would hold: those that git tracks, and those that it
  /// does not ignore; nil outside of a repository.
  package func files() -> [String]? {
    guard isRepository,
      let listed = Self.git(
        ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], in: folder)
    else { return nil }
    var seen: Set<Substring> = []
    return listed.split(separator: "\0").filter { seen.insert($0).inserted }.map(String.init)
  }

  /// Whether git would take a file if everything were added.
  package func wouldTake(_ path: String) -> Bool {
    guard isRepository else { return false }
    // Silence and status 1 mean that no pattern ignores it.
    return Self.run(["check-ignore", "-q", "--", absolute(path)], in: folder)?.status == 1
      && isInside(path)
  }

  private func isInside(_ path: String) -> Bool {
    guard let root = Self.git(["rev-parse", "--show-toplevel"], in: folder) else { return false }
    return absolute(path).hasPrefix(root.trimmingCharacters(in: .newlines) + "/")
  }

  private func absolute(_ path: String) -> String {
    URL(fileURLWithPath: path).resolvingSymlinksInPath().path
  }

  private static func git(_ arguments: [String], in folder: String) -> String? {
    guard let ran = run(arguments, in: folder), ran.status == 0 else { return nil }
    return String(decoding: ran.output, as: UTF8.self)
  }

  private static func run(_ arguments: [String], in folder: String) -> PipedProgram? {
    // A hook sets these for the repository that it runs in, and they would outweigh the folder.
    let environment = ProcessInfo.processInfo.environment
      .filter { !["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"].contains($0.key) }
      .map { "\($0.key)=\($0.value)" }.sorted()
    return PipedProgram.run(
      ["git", "-C", folder] + arguments, environment: environment, input: [],
      limit: 256 * 1024 * 1024)
  }
}
