import Foundation
import HelixModel
import HelixSecrets
import TestSupport
import Testing

private let git = "/usr/bin/git"

@Suite(
  "secrets that git would take", .enabled(if: FileManager.default.isExecutableFile(atPath: git)))
struct GitTests {
  let scratch: ScratchFolder
  let store: FolderSecretStore

  init() throws {
    scratch = try ScratchFolder()
    store = FolderSecretStore(folder: try scratch.folder("estate/secrets"))
    try inRepository("init", "-q")
    try scratch.write("canary", to: "estate/secrets/token")
  }

  @Test("a file that git does not know is accepted")
  func untracked() throws {
    try scratch.write("x", to: "estate/other")
    try inRepository("add", "estate/other")
    _ = try store.value(of: SecretName("token"))
  }

  @Test("a file that git tracks is refused", arguments: [["add", "-f"], ["add", "-f", "-N"]])
  func tracked(how: [String]) throws {
    try inRepository(how + ["estate/secrets/token"])
    let problem = try #require(throws: Diagnostic.self) {
      try store.value(of: SecretName("token"))
    }
    #expect(problem.summary.hasSuffix("estate/secrets/token is tracked by git"))
  }

  @Test("a tracked file whose path only ends the same way does not matter")
  func sameEnding() throws {
    try scratch.folder("copy/estate/secrets")
    try scratch.write("x", to: "copy/estate/secrets/token")
    try inRepository("add", "-f", "copy/estate/secrets/token")
    _ = try store.value(of: SecretName("token"))
  }

  @Test("a worktree has an index of its own")
  func worktree() throws {
    try scratch.write("x", to: "estate/other")
    try inRepository("add", "estate/other")
    try inRepository("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "one")
    try inRepository("worktree", "add", "-q", "\(scratch.path)/tree")
    try scratch.folder("tree/estate/secrets")
    try scratch.write("canary", to: "tree/estate/secrets/token")
    _ = try output(of: git, ["-C", "\(scratch.path)/tree", "add", "-f", "estate/secrets/token"])
    let there = FolderSecretStore(folder: "\(scratch.path)/tree/estate/secrets")
    #expect(throws: Diagnostic.self) { try there.value(of: SecretName("token")) }
    _ = try store.value(of: SecretName("token"))
  }

  private func inRepository(_ arguments: String...) throws { try inRepository(arguments) }

  private func inRepository(_ arguments: [String]) throws {
    _ = try output(of: git, ["-C", scratch.path] + arguments)
  }
}
