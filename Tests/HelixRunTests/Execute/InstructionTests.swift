import Glibc
import HelixModel
import HelixPlan
import Testing

@testable import HelixRun

@Suite("instructions on a real shell", .enabled(if: LocalHost.isRoot))
struct InstructionTests {
  @Test("run: a script ends at its first failure and cannot read itself")
  func run() async throws {
    let scratch = try ScratchFolder()
    let run = TestRun(shells: [SpyShell()])
    let summary = try await run.apply([
      step(
        "a",
        instructions: [
          .run(script: "cat\necho 'it''s' >\(scratch("a"))\nfalse\necho >\(scratch("b"))")
        ])
    ])
    #expect(failure(summary, "a")?.evidence?.status == 1)
    #expect(scratch.names == ["a"])
  }

  @Test("write: content, mode and owner, every byte as it is")
  func write() async throws {
    let scratch = try ScratchFolder()
    let content = "tab\t'quote' \"double\" $HOME `id` \\ é \u{1} no newline at the end"
    try await TestRun(shells: [SpyShell()]).perform(
      .write(FileWrite(path: scratch("deep/er/file"), content: TemplateText(content), mode: "0640"))
    )
    #expect(try scratch.text(of: "deep/er/file") == content)
    #expect(scratch.mode(of: "deep/er/file") == "640")
    #expect(scratch.mode(of: "deep") == "755")
  }

  @Test("write: an empty file is a file, and a second time is no harm")
  func writeEmpty() async throws {
    let scratch = try ScratchFolder()
    let write = Instruction.write(FileWrite(path: scratch("it's empty"), content: ""))
    let run = TestRun(shells: [SpyShell()])
    try await run.perform(write)
    try await run.perform(write)
    #expect(try scratch.text(of: "it's empty") == "")
    #expect(scratch.names == ["it's empty"])
  }

  @Test("write: secrets and learned values are filled in on the way, and stay out of argv")
  func writeSecret() async throws {
    let scratch = try ScratchFolder()
    let spy = SpyShell()
    let run = TestRun(shells: [spy], secrets: FixedSecrets(values: ["token": "s3cr3t-value"]))
    let content: TemplateText =
      "token: \(secret: SecretName("token"))\nserver: \(learned: LearnedName("ca"))\n"
    let summary = try await run.apply([
      step("learn", instructions: [.learn(LearnedName("ca"), script: "echo '  K10abc  '")]),
      step(
        "write", after: ["learn"],
        instructions: [.write(FileWrite(path: scratch("config"), content: content, mode: "0600"))]),
    ])
    #expect(summary.verdict == .done)
    #expect(try scratch.text(of: "config") == "token: s3cr3t-value\nserver: K10abc\n")
    #expect(!spy.commands.contains { $0.line.contains("s3cr3t") || $0.line.contains("K10abc") })
    #expect(!"\(run.log.events)".contains("s3cr3t"))
  }

  @Test("write: cut half-way, the old file stays and nothing is left beside it")
  func writeCut() async throws {
    let scratch = try ScratchFolder()
    try scratch.write("old", to: "file")
    let cutting = SpyShell { command in
      guard case .secret(let value) = command.input else { return command }
      var cut = command
      cut.input = .secret(SecretValue(Array(value.reveal().dropLast(2))))
      return cut
    }
    let error = await #expect(throws: Diagnostic.self) {
      try await TestRun(shells: [cutting]).perform(
        .write(FileWrite(path: scratch("file"), content: "brand new")))
    }
    #expect(error?.evidence?.lastLines == ["only 7 of 9 bytes arrived"])
    #expect(try scratch.text(of: "file") == "old")
    #expect(scratch.names == ["file"])
  }

  @Test("write: a value nobody has learned is an error in words")
  func unlearned() async throws {
    let error = await #expect(throws: Diagnostic.self) {
      try await TestRun(shells: [ScriptedShell()]).perform(
        .write(FileWrite(path: "/x", content: "\(learned: LearnedName("join address"))")))
    }
    #expect(error?.summary == "could not write /x: join address is not known yet")
  }

  @Test("write: a folder in the way is an error")
  func folderInTheWay() async throws {
    let scratch = try ScratchFolder()
    let error = await #expect(throws: Diagnostic.self) {
      try await TestRun(shells: [SpyShell()]).perform(
        .write(FileWrite(path: scratch.path, content: "x")))
    }
    #expect(error?.evidence?.lastLines == ["\(scratch.path) is a folder"])
  }

  @Test(
    "learn: one line or an error", arguments: ["true", "echo; echo", "echo a; echo b", "false"])
  func learn(script: String) async throws {
    let error = await #expect(throws: Diagnostic.self) {
      try await TestRun(shells: [SpyShell()]).perform(.learn(LearnedName("it"), script: script))
    }
    #expect(error?.summary == "could not learn it")
  }

  @Test("only what changes nothing may be asked twice")
  func effects() async throws {
    let scratch = try ScratchFolder()
    let spy = SpyShell()
    let run = TestRun(shells: [spy], home: scratch.path)
    try await run.perform(.run(script: "true"))
    try await run.perform(.write(FileWrite(path: scratch("file"), content: "x")))
    #expect(spy.commands.allSatisfy { $0.effect == .deed })
    try await run.perform(.learn(LearnedName("it"), script: "echo it"))
    try await run.perform(.fetch(Fetch(script: "echo it", localPath: "~/it")))
    #expect(spy.commands.suffix(2).allSatisfy { $0.effect == .question })
  }

  @Test("fetch: the output becomes a local file of the operator's")
  func fetch() async throws {
    let scratch = try ScratchFolder()
    let run = TestRun(shells: [SpyShell()], home: scratch.path)
    let fetch = Fetch(script: "echo config", localPath: "~/.kube/config")
    try await run.perform(.fetch(fetch))
    #expect(try scratch.text(of: ".kube/config") == "config\n")
    #expect(scratch.mode(of: ".kube/config") == "600")
    #expect(scratch.mode(of: ".kube") == "700")
    try await run.perform(
      .fetch(Fetch(script: "echo more", localPath: "~/.kube/config", disposal: .mergeKubeconfig)))
    #expect(try scratch.text(of: ".kube/config") == "config\nmore\n")
  }

  @Test("fetch: a local file that is a link stays one")
  func fetchThroughLink() async throws {
    let scratch = try ScratchFolder()
    try scratch.write("old", to: "dotfiles/config")
    #expect(symlink("dotfiles/config", scratch("config")) == 0)
    try await TestRun(shells: [SpyShell()]).perform(
      .fetch(Fetch(script: "echo new", localPath: scratch("config"))))
    #expect(try scratch.text(of: "dotfiles/config") == "new\n")
    #expect(scratch.names == ["config", "dotfiles"])
  }

  @Test("fetch: nothing printed leaves the local file as it is")
  func fetchNothing() async throws {
    let scratch = try ScratchFolder()
    try scratch.write("old", to: "config")
    await #expect(throws: Diagnostic.self) {
      try await TestRun(shells: [SpyShell()]).perform(
        .fetch(Fetch(script: "true", localPath: scratch("config"))))
    }
    #expect(try scratch.text(of: "config") == "old")
  }
}

@Suite("artifacts on a real shell", .enabled(if: LocalHost.isRoot))
struct ArtifactInstallTests {
  private let newHash = "49966562dc315090af4359c4abeba5aba782f9d1e03168fd36c697870bba2105"

  private func install(_ scratch: borrowing ScratchFolder, sha256: String? = nil) -> Instruction {
    .install(
      ArtifactInstall(
        artifact: ArtifactReference(
          release: "v1.29.1+k3s2", file: "k3s", checksums: "sha256sum-amd64.txt"),
        sha256: sha256 ?? newHash, path: scratch("bin/k3s"), keepingPreviousAt: scratch("keep/k3s"))
    )
  }

  private func run(_ scratch: borrowing ScratchFolder, _ shell: SpyShell) throws -> TestRun {
    try scratch.write("new program\n", to: "artifact")
    return TestRun(shells: [shell], artifacts: FixedArtifacts(path: scratch("artifact")))
  }

  @Test("a fresh host gets the file, executable, and nothing else")
  func fresh() async throws {
    let scratch = try ScratchFolder()
    try await run(scratch, SpyShell()).perform(install(scratch))
    #expect(try scratch.text(of: "bin/k3s") == "new program\n")
    #expect(scratch.mode(of: "bin/k3s") == "755")
    #expect(scratch.names == ["artifact", "bin"])
  }

  @Test("the previous file is kept, and the right one is not sent again")
  func again() async throws {
    let scratch = try ScratchFolder()
    try scratch.write("old program\n", to: "bin/k3s")
    try scratch.write("older\n", to: "keep/k3s")
    try scratch.write("half", to: "bin/k3s.part")
    let spy = SpyShell()
    let run = try run(scratch, spy)
    try await run.perform(install(scratch))
    #expect(try scratch.text(of: "bin/k3s") == "new program\n")
    #expect(try scratch.text(of: "keep/k3s") == "old program\n")
    #expect(try scratch.text(of: "bin/k3s.part") == nil)
    #expect(spy.transfers.map(\.destination) == [scratch("bin/k3s.part")])
    let asked = spy.commands.count
    try await run.perform(install(scratch))
    #expect(spy.commands.count == asked + 1)
    #expect(spy.transfers.count == 1)
    #expect(run.log.notes == ["uploading k3s", "\(scratch("bin/k3s")) already is v1.29.1+k3s2"])
    #expect(try scratch.text(of: "keep/k3s") == "old program\n")
  }

  @Test("what arrives damaged is removed, and the old file stays")
  func damaged() async throws {
    let scratch = try ScratchFolder()
    try scratch.write("old program\n", to: "bin/k3s")
    try scratch.write("new prog", to: "damaged")
    let damaged = scratch("damaged")
    let shell = SpyShell(misdirect: { transfer in
      var transfer = transfer
      transfer.source = damaged
      return transfer
    })
    let run = try run(scratch, shell)
    let error = await #expect(throws: Diagnostic.self) {
      try await run.perform(install(scratch))
    }
    #expect(error?.summary == "\(scratch("bin/k3s.part")) arrived damaged")
    #expect(try scratch.text(of: "bin/k3s") == "old program\n")
    #expect(try scratch.text(of: "bin/k3s.part") == nil)
    #expect(scratch.names == ["artifact", "bin", "damaged"])
  }

  @Test("a running program keeps its old file, and what a cut run left is gone")
  func running() async throws {
    let scratch = try ScratchFolder()
    try scratch.write("old program\n", to: "bin/k3s")
    let old = open(scratch("bin/k3s"), O_RDONLY)
    defer { close(old) }
    try await run(scratch, SpyShell()).perform(install(scratch))
    var bytes = [UInt8](repeating: 0, count: 100)
    let count = read(old, &bytes, bytes.count)
    #expect(String(decoding: bytes.prefix(count), as: UTF8.self) == "old program\n")
    #expect(try scratch.text(of: "bin/k3s") == "new program\n")
  }

  @Test("progress is told by the percent, and is a milestone at each tenth")
  func progress() async throws {
    let scratch = try ScratchFolder()
    let shell = TalkativeShell(steps: (0...400).map { $0 * 5 })
    let run = TestRun(
      shells: [shell], artifacts: FixedArtifacts(path: scratch("artifact")))
    try await run.perform(install(scratch))
    let told = run.log.events.compactMap { event in
      if case .uploading(let uploading) = event { uploading } else { nil }
    }
    #expect(told.map(\.percent) == told.map(\.percent).sorted())
    #expect(Set(told.map(\.percent)).count == told.count)
    #expect(told.last?.percent == 100)
    #expect(told.count { $0.isMilestone } <= 10)
    #expect(told.last?.isMilestone == true)
  }
}

/// A host on which everything works, and which tells of given numbers of bytes while it is sent to.
private struct TalkativeShell: Shell {
  let host: HostName = "web-1"
  let steps: [Int]

  func run(_ command: Command) async throws -> CommandOutput { CommandOutput(status: 0) }

  func send(_ transfer: FileTransfer) async throws {
    for step in steps {
      transfer.progress(.init(sent: step, total: steps.last ?? 0))
      await Task.yield()
    }
  }

  func close() async {}
}
