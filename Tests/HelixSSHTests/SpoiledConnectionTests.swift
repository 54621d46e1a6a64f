import Foundation
import HelixModel
import Testing

@testable import HelixSSH

@Suite(
  "connections to a real sshd that are cut, fall silent or are spoiled at any byte", .tags(.live),
  .enabled(if: SSHServer.isAvailable, "sshd is not installed"), .timeLimit(.minutes(3)))
struct SpoiledConnectionTests {
  /// A command whose every byte is known, and which fails in its own way.
  private static let command = "head -c 60000 /dev/zero | tr '\\0' x; echo said >&2; exit 7"

  /// What passes in a session that nobody disturbs.
  private struct Course {
    var greetingEnd = 0
    var keysEnd = 0
    var loginEnd = 0
    var end = 0
    var clientEnd = 0
  }

  let server: SSHServer

  init() throws { server = try SSHServer(config: ["MaxStartups 1000", "LogLevel QUIET"]) }

  private func relay(_ fault: FaultRelay.Fault) throws -> FaultRelay {
    try FaultRelay(to: server.address, port: server.port, fault)
  }

  private func course() async throws -> Course {
    let relay = try relay(.none)
    let link = peerLink(try server.settings(through: relay.port))
    _ = try await link.liveSession()
    // sshd tells more about itself right after the login.
    try await Task.sleep(for: .milliseconds(500))
    var course = Course()
    course.loginEnd = relay.traffic.toClient
    _ = try await link.run(request(limit: .seconds(30)))
    (course.end, course.clientEnd) = (relay.traffic.toClient, relay.traffic.toServer)
    let plain = relay.traffic.beginning
    course.greetingEnd = try #require(plain.firstIndex(of: UInt8(ascii: "\n"))) + 1
    course.keysEnd = try endOfPlainPackets(plain, from: course.greetingEnd)
    await link.close()
    return course
  }

  /// Where the packet ends that starts encryption.
  private func endOfPlainPackets(_ bytes: [UInt8], from start: Int) throws -> Int {
    let newKeys: UInt8 = 21
    var place = start
    while true {
      var reader = WireReader(bytes[place...])
      let next = reader.string()
      let packet = try #require(next)
      place += 4 + packet.count
      if try #require(packet.dropFirst().first) == newKeys { return place }
    }
  }

  private func request(limit: Duration, isQuestion: Bool = false) -> RemoteRequest {
    RemoteRequest(command: Self.command, isQuestion: isQuestion, limit: limit)
  }

  /// What logging in through a fault comes to; nil when it works.
  private func login(_ fault: FaultRelay.Fault, limit: Duration) async throws -> SSHError? {
    let relay = try relay(fault)
    let link = peerLink(try server.settings(through: relay.port, login: limit))
    do {
      _ = try await link.liveSession()
      await link.close()
      return nil
    } catch let error as SSHError {
      await link.close()
      return error
    }
  }

  /// What the known command comes to through a fault.
  private func run(
    _ fault: FaultRelay.Fault, limit: Duration = .seconds(30), isQuestion: Bool = false
  ) async throws -> Result<RemoteResult, SSHError> {
    let relay = try relay(fault)
    let link = peerLink(try server.settings(through: relay.port, login: limit))
    do {
      let result = try await link.run(request(limit: limit, isQuestion: isQuestion))
      await link.close()
      return .success(result)
    } catch let error as SSHError {
      await link.close()
      return .failure(error)
    }
  }

  private func isComplete(_ result: RemoteResult) -> Bool {
    result.status == 7 && result.output.text == String(repeating: "x", count: 60_000)
      && result.errors.text == "said\n"
  }

  @Test("a login cut after any of two hundred numbers of bytes names the stage it was in")
  func cutLogin() async throws {
    let course = try await course()
    let outcomes = Lock<[Int: SSHError?]>([:])
    try await concurrently((0..<280).map { course.loginEnd * $0 / 280 }, atOnce: 32) { place in
      let error = try await login(.cut(.toClient, after: place), limit: .seconds(60))
      outcomes.withLock { $0[place] = .some(error) }
    }
    try expectStages(outcomes.withLock { $0 }, course, atLeast: 200) { stageOfLoss($0) }
  }

  /// Every place in the login fails in its stage, and places beyond its end do not.
  private func expectStages(
    _ outcomes: [Int: SSHError?], _ course: Course, atLeast count: Int,
    _ stage: (SSHError) -> SSHError.Stage?
  ) throws {
    let failed = outcomes.compactMapValues(\.self)
    let end = try #require(failed.keys.max())
    #expect(outcomes.keys.count { $0 <= end } == failed.count)
    #expect(failed.count >= count)
    for (place, error) in failed.sorted(by: { $0.key < $1.key }) {
      let stage = try #require(stage(error), "after \(place): \(error)")
      switch place {
      case ..<course.greetingEnd: #expect(stage == .greet, "after \(place)")
      case ..<course.keysEnd: #expect(stage == .exchangeKeys, "after \(place)")
      // The request for the login service belongs to libssh2's key exchange.
      case ..<(course.keysEnd + 200): #expect(stage != .greet, "after \(place)")
      default: #expect(stage == .logIn, "after \(place)")
      }
    }
  }

  /// The stage in which a connection was lost.
  private func stageOfLoss(_ error: SSHError?) -> SSHError.Stage? {
    switch error {
    case .disconnected(let stage, _): stage
    case .loginRefused(let attempts) where attempts.farewell != nil: .logIn
    default: nil
    }
  }

  @Test("a command cut after any of two hundred numbers of bytes is never taken for complete")
  func cutCommand() async throws {
    let course = try await course()
    let rest = course.end - course.loginEnd
    let losses = Lock(0)
    try await concurrently(0..<200, atOnce: 32) { index in
      let place = course.loginEnd + rest * index / 200
      switch try await run(
        .cut(.toClient, after: place), isQuestion: index.isMultiple(of: 10))
      {
      case .success(let result): #expect(isComplete(result), "cut after \(place)")
      case .failure(let error):
        #expect(stageOfLoss(error) == .run, "cut after \(place): \(error)")
        losses.withLock { $0 += 1 }
      }
    }
    #expect(losses.withLock { $0 } > 150)
  }

  @Test("a cut on the way to the server shows as well")
  func cutTowardsServer() async throws {
    let course = try await course()
    try await concurrently((0..<60).map { course.clientEnd * $0 / 60 }, atOnce: 32) { place in
      switch try await run(.cut(.toServer, after: place)) {
      case .success(let result): #expect(isComplete(result), "cut after \(place)")
      case .failure(let error): #expect(stageOfLoss(error) != nil, "cut after \(place): \(error)")
      }
    }
  }

  @Test("silence after any number of bytes ends with the login's time, and names its stage")
  func silence() async throws {
    let course = try await course()
    let limit = Duration.seconds(10)
    let outcomes = Lock<[Int: SSHError?]>([:])
    try await concurrently((0..<80).map { course.loginEnd * $0 / 80 }, atOnce: 80) { place in
      let error = try await login(.silence(.toClient, after: place), limit: limit)
      outcomes.withLock { $0[place] = .some(error) }
    }
    try expectStages(outcomes.withLock { $0 }, course, atLeast: 50) { error in
      if case .timedOut(let stage, limit) = error { stage } else { nil }
    }
  }

  @Test("silence in the middle of a command ends with the command's time")
  func silenceInUse() async throws {
    let course = try await course()
    let rest = course.end - course.loginEnd
    let limit = Duration.seconds(10)
    try await concurrently((0..<32).map { course.loginEnd + rest * $0 / 32 }, atOnce: 32) { place in
      switch try await run(.silence(.toClient, after: place), limit: limit) {
      case .success(let result): #expect(isComplete(result), "silence after \(place)")
      case .failure(.commandTimedOut(limit)), .failure(.timedOut(.open, limit)): break
      case .failure(let error): Issue.record("silence after \(place): \(error)")
      }
    }
  }

  @Test(
    "a bit that turns over is never let through", arguments: [FaultRelay.Way.toClient, .toServer])
  func corruption(_ way: FaultRelay.Way) async throws {
    let course = try await course()
    let end = way == .toClient ? course.end : course.clientEnd
    try await concurrently((0..<80).map { end * $0 / 80 }, atOnce: 80) { place in
      let outcome = try await run(.corrupt(way, at: place), limit: .seconds(10))
      guard case .success(let result) = outcome else { return }
      #expect(isComplete(result), "spoiled at \(place)")
    }
  }

  @Test("a server that says a byte at a time is given up with the login's time")
  func trickle() async throws {
    let limit = Duration.seconds(2)
    let error = try await login(.trickle(every: .milliseconds(20)), limit: limit)
    guard case .timedOut(_, limit) = error else {
      Issue.record("\(error as Any)")
      return
    }
  }

  @Test("a command that says a byte at a time is given up with its own time")
  func slowCommand() async throws {
    let link = peerLink(try server.settings(through: server.port))
    let limit = Duration.seconds(1)
    await #expect(throws: SSHError.commandTimedOut(after: limit)) {
      _ = try await link.run(
        RemoteRequest(command: "while :; do printf x; sleep 0.05; done", limit: limit))
    }
    let next = try await link.run(RemoteRequest(command: "echo on", limit: .seconds(30)))
    #expect(next.output.text == "on\n")
    await link.close()
  }
}
