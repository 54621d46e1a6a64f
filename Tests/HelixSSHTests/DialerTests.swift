import Foundation
import HelixModel
import Testing

@testable import HelixSSH

@Suite("several addresses behind one name", .tags(.live), .timeLimit(.minutes(1)))
struct DialerTests {
  private func address(_ digits: String, _ port: Int) throws -> SocketAddress {
    try #require(
      SocketAddress.resolve(digits, port: port, family: .any, flags: AI_NUMERICHOST).get().first)
  }

  /// A listener that takes no further call: its queue is full, so callers hear nothing.
  private func silent() throws -> (listener: Listener, callers: [Int32]) {
    let listener = try Listener(on: "127.0.0.2")
    listen(listener.descriptor, 0)
    let callers = (0..<4).map { _ in
      let caller = socket(
        AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
      var place = internetAddress("127.0.0.2", listener.port)
      withUnsafePointer(to: &place) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          _ = connect(caller, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      return caller
    }
    return (listener, callers)
  }

  @Test("one that is silent and one that refuses hold up nobody")
  func headStart() async throws {
    let (mute, callers) = try silent()
    let (closed, open) = (try Listener(on: "127.0.0.3"), try Listener(on: "127.0.0.4"))
    let refusing = closed.port
    closed.stop()
    defer {
      for caller in callers { close(caller) }
      mute.stop()
      open.stop()
    }
    let addresses = [
      try address("127.0.0.2", mute.port), try address("127.0.0.3", refusing),
      try address("127.0.0.4", open.port),
    ]
    // The silent one would take all of its ten minutes.
    let reached = try await Dialer(loop: .next()).dial(addresses, limit: .seconds(600))
    close(reached.descriptor)
    #expect(reached.address.text.hasPrefix("127.0.0.4"))
  }

  @Test("when none takes the call, each says why, in the order of their names")
  func refusals() async throws {
    let (mute, callers) = try silent()
    let closed = try Listener(on: "127.0.0.3")
    let refusing = closed.port
    closed.stop()
    defer {
      for caller in callers { close(caller) }
      mute.stop()
    }
    let addresses = [try address("127.0.0.2", mute.port), try address("127.0.0.3", refusing)]
    let error = await #expect(throws: SSHError.self) {
      try await Dialer(loop: .next()).dial(addresses, limit: .seconds(1))
    }
    guard case .unreachable(let attempts) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(attempts.map(\.reason) == ["no answer within 1 s", "connection refused"])
    #expect(attempts.first?.address.hasPrefix("127.0.0.2") == true)
  }

  @Test("the families take turns, the first one's first")
  func families() throws {
    let six = [try address("::1", 1), try address("::1", 2), try address("::1", 3)]
    let four = [try address("127.0.0.1", 4)]
    #expect(
      SocketAddress.alternating(six + four).map(\.text)
        == [six[0], four[0], six[1], six[2]].map(\.text))
  }
}
