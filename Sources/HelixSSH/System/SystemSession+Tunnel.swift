import Glibc

/// The master's word about a tunnel, which lasts as long as the connection to its socket.
///
/// Lives inside its session's isolation.
final class SystemTunnel {
  let control: ControlSocket
  var watch: EventLoop.WatchID?
  /// Settled by the master's first answer.
  let answer = Pending<Void>()
  private var replies = ControlProtocol.Reader()

  init(_ control: ControlSocket) { self.control = control }

  /// Reads what the master says; false at the end of the tunnel.
  func listen(_ loop: EventLoop, to target: String) -> Bool {
    while true {
      let count = read(control.descriptor, loop.scratch.baseAddress, loop.scratch.count)
      guard count > 0 else { return count < 0 && (errno == EAGAIN || errno == EINTR) }
      replies.take(UnsafeRawBufferPointer(rebasing: loop.scratch[..<count]))
      while let reply = replies.next() {
        switch reply {
        case .opened: answer.settle(.success(()))
        case .refused(let reason):
          answer.settle(.failure(SSHError.tunnelRefused(to: target, detail: reason)))
        case .hello, .status, .other: break
        }
      }
    }
  }
}

extension SystemSession {
  /// A connection of bytes from the host to another one; the descriptor is the caller's to close.
  func tunnel(to host: String, port: Int) async throws -> Int32 {
    if let failure { throw failure }
    let target = KnownHosts.name(host: host, port: port)
    var ends: [Int32] = [-1, -1]
    let type = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
    guard let folder, let control = ControlSocket(folder.socket) else {
      await awaitLoss()
      throw failure ?? .tunnelRefused(to: target, detail: "its master does not answer")
    }
    guard socketpair(AF_UNIX, Int32(type), 0, &ends) == 0 else {
      control.close()
      throw SSHError.unreachable([])
    }
    let (near, far) = (ends[0], ends[1])
    defer { Glibc.close(far) }
    let request = ControlProtocol.askForTunnel(to: host, port: port)
    guard control.send(request, streams: [far, far]) else {
      for end in [near, control.descriptor] { Glibc.close(end) }
      throw SSHError.tunnelRefused(to: target, detail: LocalFile.Failure.current.reason)
    }
    do {
      try await serve(SystemTunnel(control), to: target)
      return near
    } catch {
      Glibc.close(near)
      throw error
    }
  }

  /// Waits for the master's answer, and lets go of its socket when the tunnel has ended.
  private func serve(_ tunnel: SystemTunnel, to target: String) async throws {
    let name = ObjectIdentifier(tunnel)
    tunnels[name] = tunnel
    tunnel.watch = loop.watch(tunnel.control.descriptor) { _ in
      self.assumeIsolated { session in
        guard let tunnel = session.tunnels[name] else { return }
        if !tunnel.listen(session.loop, to: target) { session.end(tunnel) }
      }
    }
    try await tunnel.answer.value()
  }

  /// Ends a tunnel, as far as it is still there.
  func end(_ tunnel: SystemTunnel) {
    guard tunnels.removeValue(forKey: ObjectIdentifier(tunnel)) != nil else { return }
    tunnel.answer.settle(.failure(failure ?? .disconnected(.open, said: nil)))
    if let watch = tunnel.watch { loop.unwatch(tunnel.control.descriptor, watch) }
    tunnel.control.close()
  }
}
