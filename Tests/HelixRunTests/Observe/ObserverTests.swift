import HelixModel
import HelixPlan
import Synchronization
import Testing

@testable import HelixRun

@Suite("the observer asks all hosts at once")
struct ObserverTests {
  private let log = EventLog()

  private func observe(
    _ hosts: [HostName], shells: [any Shell], local: any Shell = ScriptedShell(.controller)
  ) async throws -> Observation {
    let observer = Observer(
      shells: HostShells(
        hosts: hosts.filter { $0 != .controller }.map { host($0) },
        remote: ScriptedProvider(shells), local: local),
      key: SecretValue("secret-key"), clock: ManualClock(), events: log)
    let question = [
      FactRequest(id: FactID("one"), command: "echo 1"),
      FactRequest(id: FactID("two"), command: "echo 2; exit 4"),
    ]
    return try await observer.observe(
      Dictionary(uniqueKeysWithValues: hosts.map { ($0, question) }))
  }

  @Test("all facts of a host cost one round trip")
  func oneRoundTrip() async throws {
    let shell = SpyShell("web-1")
    let observation = try await observe(["web-1"], shells: [shell])
    #expect(observation.answer(FactID("one"), on: "web-1")?.output == "1\n")
    #expect(observation.answer(FactID("two"), on: "web-1")?.status == 4)
    #expect(shell.commands.map(\.line) == ["sh -s"])
    #expect(shell.commands.map(\.become) == [.root])
    #expect(shell.commands.map(\.effect) == [.question])
  }

  @Test("the controller is asked through the local shell, as who runs helix-infra")
  func controller() async throws {
    let local = SpyShell(.controller)
    let observation = try await observe([.controller], shells: [], local: local)
    #expect(observation.answer(FactID("one"), on: .controller)?.output == "1\n")
    #expect(local.commands.map(\.become) == [.never])
  }

  @Test("a silent host says why, and the others answer")
  func silent() async throws {
    let observation = try await observe(["web-1", "web-2"], shells: [SpyShell("web-1")])
    #expect(observation.silence(of: "web-1") == nil)
    let silence = observation.silence(of: "web-2")
    #expect(silence?.summary == "cannot connect to web-2")
    #expect(silence?.place == .host("web-2", address: "10.0.0.7"))
    #expect(log.events.count == 4)
  }

  @Test("a login without sudo is told apart from a broken connection")
  func sudo() async throws {
    let shell = ScriptedShell(
      "web-1",
      [
        ("sh -s", { _ in CommandOutput(status: 1, errors: "sudo: a password is required\n") })
      ])
    let silence = try await observe(["web-1"], shells: [shell]).silence(of: "web-1")
    #expect(silence?.reason == "sudo: a password is required")
    #expect(silence?.remedy?.contains("sudo") == true)
  }

  @Test("a shell that repeats its script gives the key away to nobody")
  func keyInComplaint() async throws {
    let shell = ScriptedShell(
      "web-1",
      [
        (
          "sh -s",
          { CommandOutput(status: 2, errors: "syntax error near `\($0.wholeText.prefix(90))'") }
        )
      ])
    let observation = try await observe(["web-1"], shells: [shell])
    let silence = try #require(observation.silence(of: "web-1"))
    #expect("\(silence)".contains("HELIX_KEY"))
    #expect(!"\(silence)".contains("secret-key"))
    #expect(!"\(log.events)".contains("secret-key"))
  }

  @Test("no host waits for another to be asked", .timeLimit(.minutes(1)))
  func allAtOnce() async throws {
    let meeting = Meeting(of: 25)
    let hosts = (1...25).map { HostName("web-\($0)") }
    let shells = hosts.map { name in
      ScriptedShell(
        name,
        [
          (
            "sh -s",
            { _ in
              await meeting.join()
              return CommandOutput(status: 0)
            }
          )
        ])
    }
    let observation = try await observe(hosts, shells: shells)
    #expect(observation.hosts.count == 25)
  }

  @Test("cancelled, it gives up without a word about the hosts")
  func cancelled() async throws {
    let clock = ManualClock()
    let shell = ScriptedShell(
      "web-1",
      [
        (
          "sh -s",
          { _ in
            try await clock.sleep(for: .seconds(1))
            return CommandOutput(status: 0)
          }
        )
      ])
    let task = Task { try await observe(["web-1"], shells: [shell]) }
    await clock.hasSleepers(1)
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(log.events.count == 1)
  }
}
