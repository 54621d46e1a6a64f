import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

/// A way to break the rules, and the error it has to end with.
struct HostileCase: Sendable, CustomTestStringConvertible {
  let scenario: String
  /// How long the command may take: long, where it must end by itself.
  var limit = Duration.seconds(60)
  let isExpected: @Sendable (SSHError) -> Bool
  var testDescription: String { scenario }

  static let login = Duration.seconds(20)
  static let command = Duration.seconds(8)

  init(_ scenario: String, _ isExpected: @escaping @Sendable (SSHError) -> Bool) {
    self.scenario = scenario
    self.isExpected = isExpected
  }

  /// The login's time ends in one stage.
  static func silent(_ scenario: String, _ stage: SSHError.Stage) -> HostileCase {
    HostileCase(scenario) { $0 == .timedOut(stage, after: login) }
  }

  /// The command's time ends.
  static func slow(_ scenario: String) -> HostileCase {
    var slow = HostileCase(scenario) {
      [.commandTimedOut(after: command), .timedOut(.open, after: command)].contains($0)
    }
    slow.limit = command
    return slow
  }

  /// libssh2 finds the fault, or takes the rest for nonsense and hangs up.
  static func broken(_ scenario: String, _ stages: Set<SSHError.Stage>) -> HostileCase {
    HostileCase(scenario) { error in
      switch error {
      case .library: true
      case .disconnected(let stage, _): stages.contains(stage)
      default: false
      }
    }
  }
}

@Suite(
  "a server that turns on its clients", .tags(.live),
  .enabled(if: HostileServer.isAvailable, "python3 with cryptography is not installed"),
  .timeLimit(.minutes(2)))
struct HostilePeerTests {
  /// What a command with some input comes to; the link stays for more.
  private func outcome(
    _ link: HostLink, _ command: String = "echo in", input: RemoteInput = .nothing,
    limit: Duration = HostileCase.command
  ) async throws -> Result<RemoteResult, SSHError> {
    do {
      return .success(
        try await link.run(RemoteRequest(command: command, input: input, limit: limit)))
    } catch let error as SSHError {
      return .failure(error)
    }
  }

  private func link(_ scenario: String) throws -> HostLink {
    peerLink(try HostileServer.shared.get().settings(scenario, login: HostileCase.login))
  }

  @Test("it serves well when it plays no trick", arguments: ["honest", "other-channel"])
  func honest(_ scenario: String) async throws {
    let link = try link(scenario)
    let input = [UInt8](repeating: 7, count: 3_000_000)
    let result = try await outcome(
      link, "wc -c; echo err >&2; exit 3", input: .bytes(input), limit: .seconds(60)
    ).get()
    #expect(result.status == 3)
    #expect(result.output.text.contains("3000000"))
    #expect(result.errors.text == "err\n")
    await link.close()
  }

  static let cases: [HostileCase] = [
    .silent("silent-within-greeting", .greet),
    .silent("silent-after-greeting", .exchangeKeys),
    .silent("silent-within-kexinit", .exchangeKeys),
    .silent("silent-after-kexinit", .exchangeKeys),
    .silent("silent-after-newkeys", .exchangeKeys),
    .silent("silent-after-service", .logIn),
    .silent("silent-before-last-word", .logIn),
    .slow("silent-after-login"),
    .slow("silent-after-open"),
    .slow("silent-after-exec"),
    .slow("window-never-opened"),
    .slow("never-closed"),
    .broken("wrong-signature", [.exchangeKeys]),
    .broken("wrong-mac", [.exchangeKeys, .logIn]),
    .broken("huge-packet", [.exchangeKeys]),
    .broken("empty-packet", [.exchangeKeys]),
    .broken("garbage-after-login", [.run]),
    HostileCase("closed-at-once") { if case .notStarted = $0 { true } else { false } },
    HostileCase("rude-greeting") { if case .foreign = $0 { true } else { false } },
    HostileCase("rude-algorithms") { if case .noCommonAlgorithm = $0 { true } else { false } },
    HostileCase("rude-goodbye") {
      if case .disconnected(.exchangeKeys, .some) = $0 { true } else { false }
    },
    HostileCase("rude-banner") { if case .loginRefused = $0 { true } else { false } },
    HostileCase("rude-refusal") { if case .channelRefused = $0 { true } else { false } },
    HostileCase("rude-shell") { if case .notStarted = $0 { true } else { false } },
    HostileCase("goodbye-in-use") {
      if case .disconnected(.run, .some) = $0 { true } else { false }
    },
  ]

  @Test("each way to break the rules ends in time, with an error of its own", arguments: cases)
  func broken(_ one: HostileCase) async throws {
    let link = try link(one.scenario)
    do {
      let result = try await outcome(link, "cat", limit: one.limit).get()
      if result.output.announcement == nil {
        throw SSHError.notStarted(
          status: result.status, lines: result.errors.noiseLines + result.output.noiseLines)
      }
      Issue.record("it went well: \(result.output.text)")
    } catch let error as SSHError {
      #expect(one.isExpected(error), "\(error)")
      expectClean(error.diagnostic(await link.settings, command: "cat"))
    }
    await link.close()
  }

  /// No word of a stranger reaches a terminal as it came.
  private func expectClean(_ diagnostic: Diagnostic) {
    let words =
      [diagnostic.summary, diagnostic.reason, diagnostic.remedy].compactMap(\.self)
      + (diagnostic.evidence?.lastLines ?? [])
    for text in words {
      let isClean = text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
      #expect(isClean, "\(text.debugDescription)")
    }
  }

  @Test("a changed key ends the connection before anything is shown to the server")
  func changedKey() async throws {
    let folder = try ScratchFolder()
    _ = try makeKey(in: folder, "other")
    var settings = try HostileServer.shared.get().settings("honest")
    settings.userKnownHosts = [
      try folder.write("hostile \(folder.text(of: "other.pub"))", to: "known_hosts")
    ]
    let link = peerLink(settings)
    let error = await #expect(throws: SSHError.self) { _ = try await link.liveSession() }
    guard case .hostKey(.changed(let shown, _, let known)) = error else {
      Issue.record("\(error as Any)")
      return
    }
    #expect(known.map(\.key.fingerprint) != [shown.fingerprint])
    await link.close()
  }

  @Test("input for a window that never opens ends with the command's time, and the link goes on")
  func windowNeverOpened() async throws {
    let link = try link("window-never-opened")
    let input = RemoteInput.bytes([UInt8](repeating: 1, count: 8_000_000))
    for _ in 1...2 {
      guard case .failure(.commandTimedOut) = try await outcome(link, "cat", input: input) else {
        Issue.record("it did not end with its time")
        return
      }
    }
    await link.close()
  }

  @Test("a request without an answer holds the host up for a time only, and others not at all")
  func unansweredRequest() async throws {
    let (stuck, good) = (try link("silent-after-open"), try link("honest"))
    let first = Task { try await outcome(stuck, limit: .seconds(3)) }
    let second = Task { try await outcome(stuck, limit: .seconds(8)) }
    #expect(try await outcome(good, limit: .seconds(60)).get().output.text == "in\n")
    guard case .failure = try await first.value, case .failure = try await second.value else {
      Issue.record("a command without an answer went well")
      return
    }
    await stuck.close()
    await good.close()
  }

  @Test(
    "closing ends a command under way at once, whatever the server keeps back",
    arguments: ["silent-after-open", "silent-after-exec", "window-never-opened"])
  func close(_ scenario: String) async throws {
    let events = EventLog()
    let link = peerLink(try HostileServer.shared.get().settings(scenario), report: events.add)
    let input = RemoteInput.bytes([UInt8](repeating: 1, count: 1_000_000))
    let task = Task { try await outcome(link, "cat", input: input, limit: .seconds(600)) }
    for _ in 0..<1000 where events.count({ $0 == .requested("peer") }) == 0 {
      try await Task.sleep(for: .milliseconds(10))
    }
    await link.close()
    guard case .failure(.closed) = try await task.value else {
      Issue.record("\(try await task.value)")
      return
    }
  }
}
