import Foundation
import HelixModel
import Synchronization
import Testing

@testable import HelixSSH

@Suite("peers that are broken, silent or foreign", .timeLimit(.minutes(2)))
struct BrokenPeerTests {
  private func failure(_ settings: SSHSettings) async throws -> SSHError {
    let link = peerLink(settings)
    let error = await #expect(throws: SSHError.self) { _ = try await link.liveSession() }
    return try #require(error)
  }

  @Test("a web server is told from an ssh server")
  func foreign() async throws {
    let listener = try Listener { say("HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n", to: $0) }
    defer { listener.stop() }
    #expect(
      try await failure(peerSettings(port: listener.port))
        == .foreign(said: "HTTP/1.1 400 Bad Request")
    )
  }

  @Test("a peer that talks without end is given up")
  func endless() async throws {
    let listener = try Listener { peer in
      for _ in 0..<100_000 where say("\u{1B}[2Jblah blah\n", to: peer) {}
    }
    defer { listener.stop() }
    #expect(
      try await failure(peerSettings(port: listener.port)) == .foreign(said: "\u{FFFD}[2Jblah blah")
    )
  }

  @Test("silence ends with the login's time, and names the stage")
  func silence() async throws {
    let listener = try Listener { waitForEnd(of: $0) }
    defer { listener.stop() }
    let limit = Duration.milliseconds(400)
    #expect(
      try await failure(peerSettings(port: listener.port, login: limit))
        == .timedOut(.greet, after: limit))
  }

  @Test("silence after the greeting is another stage")
  func lateSilence() async throws {
    let listener = try Listener { peer in
      say("SSH-2.0-Test_1.0\r\n", to: peer)
      waitForEnd(of: peer)
    }
    defer { listener.stop() }
    let limit = Duration.milliseconds(400)
    #expect(
      try await failure(peerSettings(port: listener.port, login: limit))
        == .timedOut(.exchangeKeys, after: limit))
  }

  @Test("a peer that hangs up at once gave no reason")
  func hangUp() async throws {
    let listener = try Listener { _ in }
    defer { listener.stop() }
    #expect(
      try await failure(peerSettings(port: listener.port)) == .disconnected(.greet, said: nil))
  }

  @Test("noise in place of packets does no harm", arguments: [0, 1, 5, 100, 20_000])
  func noise(count: Int) async throws {
    let listener = try Listener { peer in
      say("SSH-2.0-Test_1.0\r\n", to: peer)
      say(String(repeating: "\u{7F}x\u{0}", count: count), to: peer)
    }
    defer { listener.stop() }
    _ = try await failure(peerSettings(port: listener.port, login: .seconds(5)))
  }

  @Test("sixty-four silent peers are given up together")
  func manySilent() async throws {
    let open = OpenPeers()
    let listener = try Listener { peer in open.during { waitForEnd(of: peer) } }
    defer { listener.stop() }
    let settings = try peerSettings(port: listener.port, login: .seconds(5))
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<64 {
        group.addTask { await #expect(throws: SSHError.self) { try await failing(settings) } }
      }
    }
    #expect(open.most > 32)
  }

  private func failing(_ settings: SSHSettings) async throws {
    _ = try await peerLink(settings).liveSession()
  }

  @Test("a cancelled wait ends at once, and closing ends the attempt")
  func cancel() async throws {
    let open = OpenPeers()
    let listener = try Listener { peer in open.during { waitForEnd(of: peer) } }
    defer { listener.stop() }
    let link = peerLink(try peerSettings(port: listener.port, login: .seconds(3600)))
    let task = Task { _ = try await link.liveSession() }
    for _ in 0..<30_000 where open.now == 0 { try await Task.sleep(for: .milliseconds(2)) }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    await link.close()
    for _ in 0..<30_000 where open.now > 0 { try await Task.sleep(for: .milliseconds(2)) }
    #expect(open.now == 0 && open.most == 1)
  }

  @Test("no descriptor is left behind")
  func descriptors() async throws {
    let listener = try Listener { say("hello\n", to: $0) }
    defer { listener.stop() }
    let port = listener.port
    try await concurrently(0..<20) { _ in _ = try await failure(peerSettings(port: port)) }
    let ends = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter { name in
      guard let number = Int32(name) else { return false }
      return peerPort(of: number) == port
    }
    #expect(ends.isEmpty)
  }
}

/// The port at the other end of a socket.
private func peerPort(of descriptor: Int32) -> Int? {
  var address = sockaddr_in()
  var size = socklen_t(MemoryLayout<sockaddr_in>.size)
  let code = withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &size) }
  }
  return code == 0 ? Int(in_port_t(bigEndian: address.sin_port)) : nil
}

/// Sends text; false when the other side is gone.
@discardableResult
func say(_ text: String, to peer: Int32) -> Bool {
  let bytes = Array(text.utf8)
  return send(peer, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
}

/// Reads until the other side hangs up.
func waitForEnd(of peer: Int32) {
  var buffer = [UInt8](repeating: 0, count: 4096)
  while recv(peer, &buffer, buffer.count, 0) > 0 {}
}

/// How many connections are open at the same time.
private final class OpenPeers: Sendable {
  private let counts = Mutex((now: 0, most: 0))

  var now: Int { counts.withLock { $0.now } }
  var most: Int { counts.withLock { $0.most } }

  func during(_ work: () -> Void) {
    counts.withLock { counts in
      counts.now += 1
      counts.most = max(counts.most, counts.now)
    }
    work()
    counts.withLock { $0.now -= 1 }
  }
}
