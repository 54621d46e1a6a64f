import HelixModel
import HelixPlan
import Testing

@testable import HelixRun

private func fence(_ number: Int, _ who: String = "alice on laptop") -> Fence {
  Fence(number: number, who: who, cluster: "helix", members: ["web-1"])
}

@Suite("the fence", .enabled(if: LocalHost.isRoot))
struct FenceTests {
  private func run(_ machine: FarMachine, _ number: Int, who: String = "alice on laptop") -> TestRun
  {
    TestRun(shells: [machine], fence: fence(number, who))
  }

  @Test("a host remembers the highest number, and refuses what is below it by name")
  func refused() async throws {
    let scratch = try ScratchFolder()
    let machine = try FarMachine("web-1", in: scratch)
    try await run(machine, 12).perform(.run(script: "echo 12 >>\(scratch("done"))"))
    #expect(machine.text(of: "state/fence") == "12 alice on laptop\n")
    try await run(machine, 13, who: "bob's on d'esk").perform(
      .run(script: "echo 13 >>\(scratch("done"))"))
    #expect(machine.text(of: "state/fence") == "13 bob's on d'esk\n")
    let summary = try await run(machine, 12).apply([
      step("late", instructions: [.run(script: "echo late >>\(scratch("done"))")])
    ])
    #expect(try scratch.text(of: "done") == "12\n13\n")
    let diagnostic = failure(summary, "late")
    #expect(
      diagnostic?.summary == "a newer run (number 13, by bob's on d'esk) has taken over")
    #expect(diagnostic?.reason?.contains("refuses this run's, 12") == true)
    #expect(diagnostic?.evidence?.command == "run echo late >>\(scratch("done"))")
  }

  @Test("every deed shows the number, and no question does")
  func everyDeed() async throws {
    let scratch = try ScratchFolder()
    let machine = try FarMachine("web-1", in: scratch)
    try scratch.write("program\n", to: "artifact")
    var run = run(machine, 13)
    run.artifacts = FixedArtifacts(path: scratch("artifact"))
    run.home = scratch.path
    try machine.put("14 bob on desk\n", in: "state/fence")
    let deeds: [Instruction] = [
      .run(script: "echo >\(scratch("a"))"),
      .feed(Feed("feed", script: "cat >\(scratch("b"))", input: "text")),
      .write(FileWrite(path: scratch("c"), content: "text")),
      .install(
        ArtifactInstall(
          artifact: ArtifactReference(release: "v1", file: "k3s", checksums: "sums"),
          sha256: "0", path: scratch("d"))),
      .launch(Launch("long", script: "echo >\(scratch("e"))", timeout: 5)),
      .reboot(Reboot(timeout: 5)),
    ]
    for deed in deeds {
      let error = await #expect(throws: Diagnostic.self) { try await run.perform(deed) }
      #expect(
        error?.summary == "a newer run (number 14, by bob on desk) has taken over", "\(deed)")
    }
    #expect(scratch.names == ["artifact", "web-1"])
    try await run.perform(.learn(LearnedName("it"), script: "echo it"))
    try await run.perform(.wait(Wait("it is", script: "true", timeout: 5)))
    let asked = machine.commands.suffix(2)
    #expect(asked.allSatisfy { $0.effect == .question && !$0.wholeText.contains("helix_fence") })
  }

  @Test("a host that cannot remember the number does nothing, and says why")
  func unkept() async throws {
    let scratch = try ScratchFolder()
    let machine = try FarMachine("web-1", in: scratch)
    try machine.put("#!/bin/sh\nexit 1\n", in: "bin/flock", mode: "0755")
    let summary = try await run(machine, 12).apply([
      step("deed", instructions: [.run(script: "echo >\(scratch("done"))")])
    ])
    let lines = failure(summary, "deed")?.evidence?.lastLines ?? []
    #expect(lines.last?.hasPrefix("the run's number could not be kept") == true, "\(lines)")
    #expect(try scratch.text(of: "done") == nil)
  }

  @Test("the number of those that come at once is never lowered")
  func race() async throws {
    let scratch = try ScratchFolder()
    let machine = try FarMachine("web-1", in: scratch)
    await withTaskGroup { group in
      for number in (1...20).shuffled() {
        group.addTask { try? await run(machine, number).perform(.run(script: "true")) }
      }
    }
    #expect(machine.text(of: "state/fence") == "20 alice on laptop\n")
  }

  @Test("a script keeps its own variables, input and failure behind the fence")
  func untouched() async throws {
    let scratch = try ScratchFolder()
    let machine = try FarMachine("web-1", in: scratch)
    let run = run(machine, 1)
    try await run.perform(
      .feed(Feed("feed", script: "cat >\(scratch("a")); echo ${seen-unset} >&2", input: "text")))
    #expect(try scratch.text(of: "a") == "text")
    let error = await #expect(throws: Diagnostic.self) {
      try await run.perform(.run(script: "echo ${who-unset}; exit 87"))
    }
    #expect(error?.evidence?.status == 87)
    #expect(error?.evidence?.lastLines == ["unset"])
  }

  @Test("a host outside the cluster has a fence for each cluster, and what is damaged is mended")
  func outside() async throws {
    let scratch = try ScratchFolder()
    let machine = try FarMachine("web-2", in: scratch)
    try machine.put("99 bob on desk\n", in: "state/fence")
    try await run(machine, 3).perform(.run(script: "true"))
    #expect(machine.text(of: "state/fence") == "99 bob on desk\n")
    let own = fence(3).path(on: "web-2").split(separator: "/").last.map(String.init) ?? ""
    #expect(machine.text(of: "state/\(own)") == "3 alice on laptop\n")
    try machine.put("\u{0}\n", in: "state/\(own)")
    try await run(machine, 4).perform(.run(script: "true"))
    #expect(machine.text(of: "state/\(own)") == "4 alice on laptop\n")
  }
}
