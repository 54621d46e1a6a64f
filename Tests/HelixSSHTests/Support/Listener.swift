import Foundation
import HelixModel

/// A TCP listener on a port that the system picks, with a thread that plays the other side.
final class Listener: Sendable {
  let port: Int
  let descriptor: Int32

  /// - Parameters:
  ///   - address: Any of 127.0.0.0/8.
  ///   - port: 0 for any that is free.
  ///   - answer: Called with each connection on a thread of its own; the connection is closed when
  ///     it returns.
  /// - Throws: A `Diagnostic` when no port is free.
  init(
    on address: String = "127.0.0.1", port: Int = 0, _ answer: (@Sendable (Int32) -> Void)? = nil
  ) throws {
    let listener = socket(
      AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var place = internetAddress(address, port)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &place) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, size) == 0 && listen(listener, 128) == 0
          && getsockname(listener, $0, &size) == 0
      }
    }
    guard listener >= 0, bound else {
      close(listener)
      throw Diagnostic("no port is free")
    }
    descriptor = listener
    self.port = Int(in_port_t(bigEndian: place.sin_port))
    guard let answer else { return }
    Thread.detachNewThread {
      while true {
        let peer = accept(listener, nil, nil)
        guard peer >= 0 else { return }
        Thread.detachNewThread {
          answer(peer)
          // A child that was started meanwhile may hold the descriptor too.
          shutdown(peer, Int32(SHUT_RDWR))
          close(peer)
        }
      }
    }
  }

  func stop() {
    shutdown(descriptor, Int32(SHUT_RDWR))
    close(descriptor)
  }
}
