import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

@Suite(
  "trouble with kept connections", .tags(.live),
  .enabled(if: SSHServer.isAvailable, "sshd is not installed"), .timeLimit(.minutes(2)))
struct LiveKeeperTroubleTests {
  let server: SSHServer
  let house: KeeperHouse
  let events = EventLog()

  init() throws {
    server = try SSHServer()
    house = try KeeperHouse()
  }

  @Test("a run that talks nonsense is hung up on, and nobody else notices")
  func nonsense() async throws {
    let run = house.run(server, events)
    try await server.echo("one", run)
    let hello = ClientMessage.hello(keep: .seconds(1)).frame(0).bytes
    let open = ClientMessage.close(link: 7).frame(1).bytes
    let mistakes: [[UInt8]] = [
      [255, 255, 255, 255, 0], [0, 0, 0, 0], Array("GET / HTTP/1.1\r\n\r\n".utf8), open,
      hello + hello, hello + open, hello + Frame(kind: 99, number: 1, content: []).bytes,
      hello + ClientMessage.list.frame(5).bytes + ClientMessage.list.frame(5).bytes,
      hello + Frame(kind: 2, number: 1, content: [1, 2, 3]).bytes,
    ]
    for bytes in mistakes {
      let descriptor = try unixSocket(house.place.socket)
      _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
      // Answers to what made sense may come first; then the end.
      while try firstFrame(from: descriptor) != nil {}
      close(descriptor)
    }
    #expect(try await server.echo("two", run) == "two\n")
    #expect(events.logins == 1)
    await run.closeAll()
    try await house.connections.end()
  }

  @Test("a run that takes no answers harms nobody else")
  func deafRun() async throws {
    let run = house.run(server, events)
    let shell = try await run.shell(to: server.host())
    let deaf = try unixSocket(house.place.socket)
    defer { close(deaf) }
    let settings = try SSHSettings(server.host(), local: server.local, policy: .strict)
      .rooted(in: LocalFile.workingFolder)
    var bytes = ClientMessage.hello(keep: .seconds(1)).frame(0).bytes
    bytes += ClientMessage.open(settings).frame(1).bytes
    let flood = Command("head -c 3000000 /dev/zero", become: .never)
    for number in 2..<10 { bytes += ClientMessage.run(flood, link: 1).frame(number).bytes }
    _ = send(deaf, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    for word in ["one", "two", "three"] {
      #expect(try await shell.run(Command("echo \(word)", become: .never)).output == "\(word)\n")
    }
    await run.closeAll()
    try await house.connections.end()
  }

  @Test(
    "another user is not served, even where the socket can be reached",
    .enabled(
      if: geteuid() == 0 && access("/usr/bin/setpriv", X_OK) == 0
        && access("/usr/bin/perl", X_OK) == 0, "needs root, setpriv and perl"))
  func foreignUser() async throws {
    let run = house.run(server, events)
    try await server.echo("one", run)
    for path in [house.folder.path, house.place.folder] { chmod(path, 0o755) }
    chmod(house.place.socket, 0o666)
    let hello = ClientMessage.hello(keep: .seconds(1)).frame(0).bytes
    let words = hello.map { String(format: "%02x", $0) }.joined()
    let script = """
      use Socket; $SIG{PIPE} = "IGNORE"; socket(S, PF_UNIX, SOCK_STREAM, 0); connect(S, pack_sockaddr_un($ARGV[0])) or die;
      syswrite(S, pack("H*", $ARGV[1])); print "got ", sysread(S, $x, 99) // "an error", " bytes\\n";
      """
    func said(by user: String) throws -> String {
      try runLocally(
        "/usr/bin/setpriv", "--reuid", user, "--clear-groups", "/usr/bin/perl", "-e", script,
        house.place.socket, words)
    }
    #expect(
      try said(by: "0") == "got \(KeeperMessage.welcome(version: 1).frame(0).bytes.count) bytes\n")
    let stranger = try said(by: "65534")
    #expect(stranger == "got 0 bytes\n" || stranger == "got an error bytes\n")
    await run.closeAll()
    for path in [house.folder.path, house.place.folder] { chmod(path, 0o700) }
    try await house.connections.end()
  }

  @Test("a keeper that is ended during a deed leaves an error, and during a question another try")
  func endedKeeper() async throws {
    let run = house.run(server, events)
    let shell = try await run.shell(to: server.host())
    let deed = Task { try await shell.run(Command("sleep 20", become: .never)) }
    let file = server.folder.file("asked")
    let question = Task {
      // Only the first time it takes long.
      try await shell.run(
        Command(
          "[ -e \(file) ] && echo again && exit; : >\(file); sleep 20", become: .never,
          effect: .question))
    }
    while access(file, F_OK) != 0 { try await Task.sleep(for: .milliseconds(50)) }
    #expect(try await house.connections.end() == 1)
    let error = await #expect(throws: Diagnostic.self) { try await deed.value }
    #expect(error?.summary == "the process that keeps connections is gone")
    #expect(try await question.value.output == "again\n")
    #expect(house.starts.withLock { $0 } == 2)
    await run.closeAll()
    try await house.connections.end()
  }

  @Test("runs with the same host's name and other settings do not disturb each other")
  func otherSettings() async throws {
    let (first, second) = (house.run(server, events), house.run(server, events))
    let one = try await first.shell(to: server.host())
    let slow = Task { try await one.run(Command("sleep 1; echo one", become: .never)).output }
    let host = try server.host(options: ["ServerAliveInterval=7"])
    let two = try await second.shell(to: host)
    #expect(try await two.run(Command("echo two", become: .never)).output == "two\n")
    #expect(try await slow.value == "one\n")
    #expect(events.logins == 2)
    await first.closeAll()
    await second.closeAll()
    try await house.connections.end()
  }

  @Test("a host key that was revoked meanwhile counts for the next login")
  func revokedMeanwhile() async throws {
    let run = house.run(server, events)
    let shell = try await run.shell(to: server.host())
    _ = try await shell.run(Command("true", become: .never))
    let known = try server.knownHosts()
    let line = "[\(server.address)]:\(server.port) \(server.publicKey())\n"
    let host = try server.host(knownHosts: known)
    try server.folder.write("@revoked \(line)\(line)", to: "known_hosts")
    // The session itself lives on, as with ssh.
    #expect(try await shell.run(Command("echo on", become: .never)).output == "on\n")
    await shell.close()
    let error = await #expect(throws: Diagnostic.self) {
      try await run.shell(to: host).run(Command("echo never", become: .never))
    }
    #expect(error?.summary == "the host key is revoked")
    await run.closeAll()
    try await house.connections.end()
  }

  @Test("a connection that broke while it was kept is made again")
  func brokenMeanwhile() async throws {
    let first = house.run(server, events)
    let shell = try await first.shell(to: server.host())
    let found = try await shell.run(
      Command(
        "p=$PPID; while [ \"$(cat /proc/$p/comm)\" != sshd ]; do"
          + " p=$(cut -d' ' -f4 /proc/$p/stat); done; echo $p", become: .never))
    let serving = try #require(Int32(found.output.dropLast()))
    await first.closeAll()
    kill(serving, SIGKILL)
    while try await !house.connections.list().isEmpty {
      try await Task.sleep(for: .milliseconds(50))
    }
    let second = house.run(server, events)
    #expect(try await server.echo("again", second) == "again\n")
    #expect(events.logins == 2)
    await second.closeAll()
    try await house.connections.end()
  }

  @Test("what is kept can be listed and ended, and both find nothing where there is nothing")
  func listing() async throws {
    #expect(try await house.connections.list().isEmpty)
    #expect(try await house.connections.end() == 0)
    let run = house.run(server, events)
    try await server.echo("one", run)
    await run.closeAll()
    let kept = try await house.connections.list()
    #expect(kept.map(\.host) == ["h1"])
    #expect(kept.map(\.target) == ["\(NSUserName())@[127.0.0.1]:\(server.port)"])
    #expect(try await house.connections.end() == 1)
    #expect(try await house.isGone())
    #expect(try await house.connections.list().isEmpty)
  }

  /// A host whose key has a passphrase.
  private func lockedHost() throws -> HelixModel.Host {
    let key = try makeKey(in: house.folder, "locked", passphrase: "sesame")
    try server.folder.write(house.folder.text(of: "locked.pub"), to: "authorized_keys")
    return try server.host(key: key)
  }

  @Test("what a login asks is asked at the run's terminal, and forgotten with the run")
  func questions() async throws {
    let host = try lockedHost()
    for number in 1...2 {
      let person = Person("sesame")
      let run = house.run(server, events, prompter: person)
      let shell = try await run.shell(to: host)
      _ = try await shell.run(Command("true", become: .never))
      #expect(person.asked == ["Enter passphrase for key '\(house.folder.file("locked"))': "])
      #expect(events.logins == number)
      await shell.close()
      await run.closeAll()
    }
    try await house.connections.end()
  }

  @Test("a passphrase that one run would not tell is asked of the next")
  func declined() async throws {
    let host = try lockedHost()
    let first = house.run(server, events)
    await #expect(throws: Diagnostic.self) { try await first.shell(to: host) }
    await first.closeAll()
    let second = house.run(server, events, prompter: Person("sesame"))
    #expect(try await second.shell(to: host).run(Command("true", become: .never)).status == 0)
    await second.closeAll()
    try await house.connections.end()
  }

  @Test("a question whose run has gone is over on both sides")
  func lonelyQuestion() async throws {
    let host = try lockedHost()
    let person = Person(nil)
    let run = house.run(server, events, prompter: person)
    let first = Task { _ = try await run.shell(to: host) }
    while person.asked.isEmpty { try await Task.sleep(for: .milliseconds(20)) }
    await run.closeAll()
    await #expect(throws: Diagnostic.self) { try await first.value }
    while !person.isReleased { try await Task.sleep(for: .milliseconds(20)) }
    #expect(person.asked.count == 1)
    #expect(try await house.connections.list().isEmpty)
    try await house.connections.end()
  }

  @Test("a keeper that does not start is an error that says how to go on")
  func noStart() async throws {
    let run = KeptShellProvider(
      keep: .seconds(1), at: house.place, local: server.local, prompter: Nobody(),
      start: { _ in })
    let error = await #expect(throws: Diagnostic.self) { try await run.shell(to: server.host()) }
    #expect(error?.summary == "the process that keeps connections did not start")
    #expect(error?.remedy == "run without --keep-connections")
  }

  @Test("no descriptor is left behind by runs that come and go")
  func descriptors() async throws {
    let first = house.run(server, events)
    try await server.echo("one", first)
    func count() throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count { name in
        let link = try? FileManager.default.destinationOfSymbolicLink(
          atPath: "/proc/self/fd/\(name)")
        return link?.hasPrefix("socket:") == true && isUnix(Int32(name) ?? -1)
      }
    }
    func isUnix(_ descriptor: Int32) -> Bool {
      KeeperPlace(listener: descriptor) == house.place
    }
    for _ in 0..<20 {
      let run = house.run(server, events)
      try await server.echo("x", run)
      await run.closeAll()
    }
    var left = try count()
    for _ in 0..<100 where left > 2 {
      try await Task.sleep(for: .milliseconds(20))
      left = try count()
    }
    // The listener, and the keeper's end of the first run.
    #expect(left == 2)
    await first.closeAll()
    try await house.connections.end()
  }
}

/// Gives the same answer to every question, or none until nobody waits for it.
private final class Person: Prompter {
  private let answer: String?
  private let state = Lock<(asked: [String], isReleased: Bool)>(([], false))

  init(_ answer: String?) { self.answer = answer }

  var asked: [String] { state.withLock { $0.asked } }
  var isReleased: Bool { state.withLock { $0.isReleased } }

  func ask(_ question: String) async throws(PromptFailure) -> SecretValue {
    state.withLock { $0.asked.append(question) }
    if let answer { return SecretValue(answer) }
    while !Task.isCancelled { try? await Task.sleep(for: .seconds(1)) }
    state.withLock { $0.isReleased = true }
    throw .declined
  }
}
