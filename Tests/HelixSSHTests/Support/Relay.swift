import Foundation
import HelixModel
import TestSupport

@testable import HelixSSH

/// A relay in front of a server, which counts what passes to it, and may be slow or cut it off.
final class Relay: Sendable {
  /// What becomes of one connection.
  struct Fate: Sendable {
    /// It is cut when so many bytes have passed to the server.
    var cutAfter = Int.max
    /// Bytes per second to the server.
    var rate = Double.infinity
  }

  private let counts = Lock<[Int]>([])
  private let listener: Listener
  var port: Int { listener.port }

  /// - Parameters:
  ///   - server: Where connections go.
  ///   - fate: What becomes of a connection, by its number from 0 on.
  /// - Throws: A `Diagnostic` when no port is free.
  init(to server: SSHServer, _ fate: @escaping @Sendable (Int) -> Fate) throws {
    let (address, port, counts) = (server.address, server.port, counts)
    listener = try Listener { peer in
      guard let far = try? connectedSocket(to: address, port: port) else { return }
      let number = counts.withLock { counts in
        counts.append(0)
        return counts.count - 1
      }
      Self.relay(between: peer, far, fate(number)) { count in
        counts.withLock { $0[number] += count }
      }
      // What was relayed must arrive, however abruptly the other side was left.
      shutdown(peer, Int32(SHUT_RDWR))
      shutdown(far, Int32(SHUT_WR))
      var rest = [UInt8](repeating: 0, count: 4096)
      while recv(far, &rest, rest.count, 0) > 0 {}
      close(far)
    }
  }

  /// Bytes that passed to the server, by connection.
  var passed: [Int] { counts.withLock { $0 } }

  func stop() { listener.stop() }

  /// The server as a host that is reached through the relay.
  func host(_ server: SSHServer, _ name: String = "h1") throws -> HelixModel.Host {
    let known = try server.folder.write(
      "[\(server.address)]:\(port) \(server.publicKey())\n", to: "known-\(port)")
    var host = try server.host(name, knownHosts: known)
    host.connection.port = port
    return host
  }

  private static func relay(
    between peer: Int32, _ far: Int32, _ fate: Fate, _ count: (Int) -> Void
  ) {
    var left = fate.cutAfter
    var buffer = [UInt8](repeating: 0, count: 32 * 1024)
    while left > 0 {
      var ends = [
        pollfd(fd: peer, events: Int16(POLLIN), revents: 0),
        pollfd(fd: far, events: Int16(POLLIN), revents: 0),
      ]
      guard poll(&ends, 2, 60_000) > 0 else { return }
      for (from, to) in [(0, far), (1, peer)] where ends[from].revents != 0 {
        let room = from == 0 ? min(left, buffer.count) : buffer.count
        let got = recv(ends[from].fd, &buffer, room, 0)
        guard got > 0, sendAll(buffer, got, to: to) else { return }
        guard from == 0 else { continue }
        left -= got
        count(got)
        if fate.rate.isFinite { usleep(UInt32(Double(got) / fate.rate * 1e6)) }
      }
    }
  }

  private static func sendAll(_ bytes: [UInt8], _ count: Int, to end: Int32) -> Bool {
    var sent = 0
    while sent < count {
      let got = bytes.withUnsafeBytes { bytes in
        send(end, bytes.baseAddress.map { $0 + sent }, count - sent, Int32(MSG_NOSIGNAL))
      }
      guard got > 0 else { return false }
      sent += got
    }
    return true
  }
}
