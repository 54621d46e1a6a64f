import HelixModel
import Testing

@testable import HelixSSH

@Suite("what runs and keepers say to each other")
struct KeeperWireTests {
  /// Settings of which no part is what it is by itself.
  private var settings: SSHSettings {
    var settings = SSHSettings.blank
    settings.host = "h1"
    settings.address = "10.0.0.7"
    settings.port = 2222
    settings.user = "admin"
    settings.family = .v6
    settings.identityFiles = ["/keys/one", "/keys/two"]
    settings.defaultIdentityFiles = ["/home/me/.ssh/id"]
    settings.optionalIdentityFiles = ["/keys/two"]
    settings.identitiesOnly = true
    settings.agentSocket = "/run/agent"
    settings.userKnownHosts = ["/home/me/.ssh/known_hosts"]
    settings.globalKnownHosts = ["/etc/known"]
    settings.hostKeyPolicy = .acceptNew
    settings.hostKeyAlias = "alias"
    settings.connectTimeout = .milliseconds(1500)
    settings.connectionAttempts = 3
    settings.loginTimeout = .seconds(7)
    settings.aliveInterval = .seconds(3)
    settings.aliveCount = 9
    settings.elevation = Elevation(method: .doas, password: SecretValue("become"))
    settings.jumps = [SSHSettings.blank]
    settings.proxyCommand = "nc %h"
    settings.pinnedKey = HostKey(blob: [1, 2, 3])
    settings.certificateFiles = ["/keys/one-cert.pub"]
    settings.methods = [.password, .publicKey]
    settings.password = SecretValue("login")
    settings.mayShowTicket = true
    settings.algorithms.cipher = AlgorithmList("^aes128-ctr")
    settings.transport = .ssh
    settings.systemArguments = ["-v", "--", "h1"]
    settings.needsSystem = ["GSSAPIAuthentication"]
    return settings
  }

  @Test("every part of a host's settings travels")
  func settingsTravel() throws {
    let blank = Mirror(reflecting: SSHSettings.blank).children
    for (part, bare) in zip(Mirror(reflecting: settings).children, blank) {
      #expect("\(part.value)" != "\(bare.value)", "\(part.label ?? "") is not in this test")
    }
    #expect(SSHSettings(wired: settings.wired) == settings)
  }

  @Test(
    "commands travel whole, whatever they read",
    arguments: [
      CommandInput.nothing, .text("grüße\u{0}"), .secret(SecretValue([0, 255, 10])),
      .file(path: "/big file"),
    ])
  func commandsTravel(input: CommandInput) throws {
    let command = Command(
      "echo 'a'\n", input: input, become: .user("app"), effect: .question,
      timeout: .milliseconds(2500))
    let copy = try #require(Command(wired: command.wired))
    #expect(copy.line == command.line)
    #expect("\(copy.input)" == "\(input)")
    if case .secret(let secret) = copy.input { #expect(secret.reveal() == [0, 255, 10]) }
    #expect(copy.become == .user("app"))
    #expect(copy.effect == .question)
    #expect(copy.timeout == command.timeout)
  }

  @Test(
    "diagnostics travel whole, wherever they point",
    arguments: [
      nil, Diagnostic.Place.host("h1", address: nil), .host("h1", address: "me@h1"),
      .source(SourceLocation(file: "hosts.yaml", line: 3, column: 7, length: 2)),
      .resource(Address(host: "h1", kind: "file", name: "/etc/x")),
    ])
  func diagnosticsTravel(place: Diagnostic.Place?) throws {
    let diagnostic = Diagnostic(
      "what", reason: "why", remedy: nil, at: place,
      evidence: .init(command: "ls", status: -1, lastLines: ["a", "b"]), severity: .warning)
    #expect(Diagnostic(wired: diagnostic.wired) == diagnostic)
  }

  @Test(
    "events travel",
    arguments: [
      SSHEvent.connected("h1", address: "127.0.0.1"), .requested("h2"),
      .acceptedHostKey("h3", fingerprint: "SHA256:x", file: "/known"),
      .secondTransport("h4", reason: "why"), .touchNeeded("h5", key: "sk"),
      .bulkConnected("h6"), .bulkRefused("h7", reason: "why"),
    ])
  func eventsTravel(event: SSHEvent) throws {
    #expect(SSHEvent(wired: event.wired) == event)
  }

  @Test("what is cut short, or has something left over, is no message")
  func cutMessages() throws {
    let frame = ClientMessage.open(settings).frame(5)
    for count in 0..<frame.content.count {
      let cut = Frame(kind: frame.kind, number: 5, content: Array(frame.content.prefix(count)))
      #expect(ClientMessage(cut) == nil)
    }
    let longer = Frame(kind: frame.kind, number: 5, content: frame.content + [0])
    #expect(ClientMessage(longer) == nil)
    #expect(ClientMessage(Frame(kind: 200, number: 5, content: [])) == nil)
  }

  @Test("a list that says it is longer than any message is no list")
  func endlessList() {
    #expect([String](wired: Int.max.wired) == nil)
    #expect([String](wired: Int(-1).wired) == [])
  }
}

@Suite("frames")
struct FrameReaderTests {
  private func read(_ bytes: [UInt8], by step: Int) throws -> [Frame] {
    var reader = FrameReader()
    var frames: [Frame] = []
    for start in stride(from: 0, to: bytes.count, by: step) {
      bytes[start..<min(bytes.count, start + step)].withUnsafeBytes { reader.take($0) }
      while let frame = try reader.next() { frames.append(frame) }
    }
    return frames
  }

  @Test("a stream is cut into its frames, however it comes", arguments: [1, 2, 7, 9, 64, 100_000])
  func cutting(step: Int) throws {
    let frames = (0..<40).map { number in
      Frame(
        kind: UInt8(number), number: number * 1_000_003,
        content: [UInt8](repeating: UInt8(number), count: number * number))
    }
    #expect(try read(frames.flatMap(\.bytes), by: step) == frames)
  }

  @Test("a length that cannot be meant is refused before the rest has come")
  func lengths() throws {
    #expect(throws: FrameProblem.tooLong(0xFFFF_FFFF)) {
      try read([255, 255, 255, 255], by: 1)
    }
    #expect(throws: FrameProblem.tooShort(4)) { try read([0, 0, 0, 4], by: 1) }
  }

  @Test("a long stream leaves no trail in memory")
  func trail() throws {
    var reader = FrameReader()
    let frame = Frame(kind: 1, number: 1, content: [UInt8](repeating: 7, count: 60_000))
    for _ in 0..<2000 {
      frame.bytes.withUnsafeBytes { reader.take($0) }
      #expect(try reader.next() == frame)
      #expect(reader.held < 4 * 1024 * 1024)
    }
  }
}

@Suite("how long a keeper lives")
struct LeasesTests {
  private let start = ContinuousClock.now
  private func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

  @Test("it waits for somebody to come, and no longer")
  func nobody() {
    let leases = Leases<String>(until: at(30))
    #expect(!leases.isOver(now: at(29)))
    #expect(leases.isOver(now: at(30)))
    #expect(leases.next == at(30))
  }

  @Test("who came first is not outlived by the wait for them, and who only looks wants nothing")
  func come() {
    var leases = Leases<String>(until: at(30))
    leases.prolong(by: .zero, now: at(1))
    #expect(leases.end == at(30))
    leases.prolong(by: .seconds(2), now: at(1))
    #expect(leases.end == at(3))
  }

  @Test("it lives for its time after the last request, the longest wish counting")
  func longest() {
    var leases = Leases<String>(until: at(0))
    let first = leases.begin("a", span: .seconds(600), limit: .seconds(60), now: at(0))
    leases.finish(first, now: at(10))
    let second = leases.begin("b", span: .seconds(5), limit: .seconds(60), now: at(20))
    leases.finish(second, now: at(21))
    #expect(leases.takeExpired(now: at(30)) == ["b"])
    #expect(!leases.isOver(now: at(609)))
    #expect(leases.takeExpired(now: at(610)) == ["a"])
    #expect(leases.isOver(now: at(610)))
  }

  @Test("what is in use is kept, but a request that hangs keeps nothing beyond its limit")
  func hung() {
    var leases = Leases<String>(until: at(0))
    _ = leases.begin("a", span: .seconds(1), limit: .seconds(100), now: at(0))
    #expect(leases.takeExpired(now: at(99)).isEmpty)
    #expect(!leases.isOver(now: at(99)))
    #expect(leases.next == at(100))
    #expect(leases.takeExpired(now: at(100)) == ["a"])
    #expect(leases.isOver(now: at(100)))
  }
}

@Suite("what a run may ask for at once")
struct AllowanceTests {
  @Test("who finds no room waits, goes in turn, and may give up")
  func turns() async throws {
    let allowance = Allowance()
    try await allowance.take(Allowance.limit)
    let hasGone = Lock(false)
    let givesUp = Task { try await allowance.take(1) }
    let waits = Task {
      try await allowance.take(2)
      hasGone.withLock { $0 = true }
    }
    givesUp.cancel()
    await #expect(throws: CancellationError.self) { try await givesUp.value }
    #expect(!hasGone.withLock { $0 })
    allowance.giveBack(Allowance.limit)
    try await waits.value
    allowance.giveBack(2)
    try await allowance.take(Allowance.limit)
  }
}
