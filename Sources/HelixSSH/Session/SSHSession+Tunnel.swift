private import CLibSSH2
import Glibc

/// A channel that leads on to another host, and the local descriptor that stands for it.
///
/// Lives inside its session's isolation. The other end of the descriptor belongs to whoever asked
/// for the tunnel, on any event loop, and looks to them like a connection of their own.
private final class Tunnel {
  static let chunk = 32 * 1024

  let channel: OpaquePointer
  let descriptor: Int32
  var watch: EventLoop.WatchID?
  /// What came through the channel and the local side has not taken yet.
  var inward: ArraySlice<UInt8> = []
  /// What the local side sent and the channel has not taken yet.
  var outward: ArraySlice<UInt8> = []
  /// The local side has said all.
  var isLocalOver = false
  /// The code with which libssh2 gave the channel up, often since the connection is gone.
  var failure: Int32?

  init(channel: OpaquePointer, descriptor: Int32) {
    self.channel = channel
    self.descriptor = descriptor
  }

  /// Takes what libssh2 answered when it moved nothing.
  func note(_ code: Int) {
    if code < 0, code != Int(LIBSSH2_ERROR_EAGAIN) { failure = Int32(truncatingIfNeeded: code) }
  }
}

extension SSHSession {
  /// A connection of bytes from the host to another one; the descriptor is the caller's to close.
  func tunnel(to host: String, port: Int) async throws -> Int32 {
    if let failure { throw failure }
    var ends: [Int32] = [-1, -1]
    let type = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
    guard socketpair(AF_UNIX, Int32(type), 0, &ends) == 0 else { throw SSHError.unreachable([]) }
    let (near, far) = (ends[0], ends[1])
    working += 1
    do throws(SSHError) {
      let channel = try await openTunnel(to: host, port: port)
      Task { await serve(Tunnel(channel: channel.pointer, descriptor: far)) }
      return near
    } catch {
      working -= 1
      Glibc.close(near)
      Glibc.close(far)
      throw error
    }
  }

  /// A channel's address, in the hands of this session alone.
  // @unchecked: only made and used inside the session's isolation.
  private struct Opened: @unchecked Sendable {
    let pointer: OpaquePointer
  }

  private func openTunnel(to host: String, port: Int) async throws(SSHError) -> Opened {
    let target = KnownHosts.name(host: host, port: port)
    return try await gated { () async throws(SSHError) in
      try await drive("open a tunnel") { handle throws(SSHError) -> Step<Opened> in
        let channel = libssh2_channel_direct_tcpip_ex(handle, host, Int32(port), "127.0.0.1", 22)
        if let channel { return .done(Opened(pointer: channel)) }
        switch libssh2_session_last_errno(handle) {
        case LIBSSH2_ERROR_EAGAIN: return .again
        case LIBSSH2_ERROR_CHANNEL_FAILURE:
          throw .tunnelRefused(to: target, detail: lastMessage())
        case let code: return .failed(code)
        }
      }
    }
  }

  /// Carries bytes both ways until one side ends.
  private func serve(_ tunnel: Tunnel) async {
    tunnel.watch = loop.watch(tunnel.descriptor) { _ in self.assumeIsolated { $0.wakeAll() } }
    try? await drive("carry bytes to the next host") { _ throws(SSHError) -> Step<Void> in
      while true {
        let hasSent = send(tunnel)
        let hasReceived = receive(tunnel)
        if let failure = tunnel.failure { return .failed(failure) }
        if hasSent || hasReceived { continue }
        if tunnel.isLocalOver, tunnel.outward.isEmpty { return .done(()) }
        let isFarOver = libssh2_channel_eof(tunnel.channel) == 1
        return isFarOver && tunnel.inward.isEmpty ? .done(()) : .again
      }
    }
    if let watch = tunnel.watch { loop.unwatch(tunnel.descriptor, watch) }
    Glibc.close(tunnel.descriptor)
    // The session's end frees its channels too.
    try? await driveCode("close a tunnel") { _ in libssh2_channel_close(tunnel.channel) }
    try? await driveCode("free a tunnel") { _ in libssh2_channel_free(tunnel.channel) }
    working -= 1
  }

  /// Takes from the local side and writes into the channel; whether anything moved.
  private func send(_ tunnel: Tunnel) -> Bool {
    if tunnel.outward.isEmpty, !tunnel.isLocalOver {
      var count = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: Tunnel.chunk) { buffer, filled in
        count = recv(tunnel.descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
        filled = max(0, count)
      }
      if count == 0 || count < 0 && errno != EAGAIN && errno != EINTR { tunnel.isLocalOver = true }
      tunnel.outward = bytes[...]
    }
    guard !tunnel.outward.isEmpty, transport.pending < Transport.pendingLimit else { return false }
    let written = tunnel.outward.withUnsafeBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) {
        libssh2_channel_write_ex(tunnel.channel, 0, $0.baseAddress, $0.count)
      }
    }
    guard written > 0 else {
      tunnel.note(written)
      return false
    }
    tunnel.outward = tunnel.outward.dropFirst(written)
    return true
  }

  /// Reads from the channel and gives to the local side; whether anything moved.
  private func receive(_ tunnel: Tunnel) -> Bool {
    if tunnel.inward.isEmpty {
      let count = read(tunnel.channel, stream: 0) { tunnel.inward = Array($0)[...] }
      guard count > 0 else {
        tunnel.note(Int(count))
        return false
      }
    }
    let sent = tunnel.inward.withUnsafeBytes { bytes in
      Glibc.send(
        tunnel.descriptor, bytes.baseAddress, bytes.count,
        Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    }
    guard sent > 0 else {
      if sent < 0, errno != EAGAIN, errno != EINTR { tunnel.isLocalOver = true }
      return false
    }
    tunnel.inward = tunnel.inward.dropFirst(sent)
    return true
  }
}
