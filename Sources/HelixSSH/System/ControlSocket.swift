import Glibc

/// A connection to a master's control socket, for one command.
struct ControlSocket {
  let descriptor: Int32

  /// Connects at once or not at all.
  init?(_ path: String) {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let type = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
    descriptor = socket(AF_UNIX, Int32(type), 0)
    guard descriptor >= 0 else { return nil }
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, size) == 0
      }
    }
    guard isConnected else {
      Glibc.close(descriptor)
      return nil
    }
  }

  /// Sends a request and the streams it is about; false when the master does not take it.
  func send(_ request: [UInt8], streams: [Int32]) -> Bool {
    // Far below what a local socket holds, so it goes in one piece.
    let sent = Glibc.send(descriptor, request, request.count, Int32(MSG_NOSIGNAL))
    return sent == request.count
      && streams.allSatisfy { ControlProtocol.hand($0, over: descriptor) }
  }

  func close() { Glibc.close(descriptor) }
}
