import Glibc

/// An address that a socket can be connected to.
struct SocketAddress: Hashable, Sendable {
  let bytes: [UInt8]
  /// The address in digits.
  let text: String
  let family: Int32

  /// The addresses behind a name, in the order in which the system would try them.
  ///
  /// Blocks, as `getaddrinfo` does, unless `flags` say that the name is an address in digits.
  static func resolve(
    _ name: String, port: Int, family: AddressFamily, flags: Int32 = 0
  ) -> Result<[SocketAddress], any Error> {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV | flags
    switch family {
    case .any: hints.ai_family = AF_UNSPEC
    case .v4: hints.ai_family = AF_INET
    case .v6: hints.ai_family = AF_INET6
    }
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(name, String(port), &hints, &list)
    guard code == 0 else {
      let reason = String(cString: gai_strerror(code)).lowercased()
      return .failure(SSHError.nameUnknown(reason: reason))
    }
    defer { freeaddrinfo(list) }
    var addresses: [SocketAddress] = []
    var next = list
    while let entry = next {
      addresses.append(SocketAddress(entry.pointee))
      next = entry.pointee.ai_next
    }
    return .success(addresses)
  }

  private init(_ entry: addrinfo) {
    bytes = Array(UnsafeRawBufferPointer(start: entry.ai_addr, count: Int(entry.ai_addrlen)))
    family = entry.ai_family
    var digits = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    getnameinfo(
      entry.ai_addr, entry.ai_addrlen, &digits, socklen_t(digits.count), nil, 0, NI_NUMERICHOST)
    text = String(decoding: digits.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// The same addresses with their families taking turns, beginning with the system's favourite.
  static func alternating(_ addresses: [SocketAddress]) -> [SocketAddress] {
    guard let favourite = addresses.first?.family else { return [] }
    var first = addresses.filter { $0.family == favourite }[...]
    var second = addresses.filter { $0.family != favourite }[...]
    var ordered: [SocketAddress] = []
    while let next = first.popFirst() {
      ordered.append(next)
      if let other = second.popFirst() { ordered.append(other) }
    }
    return ordered + second
  }

  /// The system's answer to a non-blocking `connect`.
  fileprivate func connect(_ descriptor: Int32) -> Int32 {
    bytes.withUnsafeBytes { bytes in
      Glibc.connect(
        descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
        socklen_t(bytes.count))
    }
  }
}

/// Connects sockets without blocking anybody.
struct Dialer: Sendable {
  let loop: EventLoop

  /// The addresses behind a name, within a limit of time.
  func resolve(_ settings: SSHSettings) async throws -> [SocketAddress] {
    let (name, port, family) = (settings.address, settings.port, settings.family)
    if case .success(let digits) = SocketAddress.resolve(
      name, port: port, family: family, flags: AI_NUMERICHOST)
    {
      return digits
    }
    let answer = Pending<[SocketAddress]>()
    blocking(settling: answer) { SocketAddress.resolve(name, port: port, family: family) }
    return try await limited(answer, to: settings.connectTimeout, .resolve)
  }

  /// What came of one call.
  private enum Call: Sendable {
    case taken(Int32, SocketAddress)
    case refused(Int, SSHError.Attempt)
    case headStartOver
  }

  /// How long a call has for itself before the next address is called too (RFC 8305, section 5).
  private static let headStart = Duration.milliseconds(250)

  /// A connected, non-blocking socket to the first address that takes the call.
  ///
  /// Addresses are called one after the other with a head start each, so that a silent one holds
  /// up nobody for longer than that.
  func dial(
    _ addresses: [SocketAddress], limit: Duration
  ) async throws -> (descriptor: Int32, address: SocketAddress) {
    try await withThrowingTaskGroup(of: Call.self) { group in
      var waiting = Array(SocketAddress.alternating(addresses).enumerated())[...]
      var calling = 0
      var attempts: [(turn: Int, attempt: SSHError.Attempt)] = []
      func callNext() {
        guard let (turn, address) = waiting.popFirst() else { return }
        calling += 1
        group.addTask { try await call(address, turn, limit) }
        guard !waiting.isEmpty else { return }
        group.addTask {
          try await Task.sleep(for: Self.headStart)
          return .headStartOver
        }
      }
      callNext()
      while calling > 0, let call = try await group.next() {
        switch call {
        case .taken(let descriptor, let address):
          group.cancelAll()
          await Self.hangUp(&group)
          return (descriptor, address)
        case .refused(let turn, let attempt):
          calling -= 1
          attempts.append((turn, attempt))
          callNext()
        case .headStartOver: callNext()
        }
      }
      group.cancelAll()
      throw SSHError.unreachable(attempts.sorted { $0.turn < $1.turn }.map(\.attempt))
    }
  }

  /// Closes what other calls still reached after one was taken.
  private static func hangUp(_ group: inout ThrowingTaskGroup<Call, any Error>) async {
    while let call = await group.nextResult() {
      if case .success(.taken(let descriptor, _)) = call { close(descriptor) }
    }
  }

  private func call(_ address: SocketAddress, _ turn: Int, _ limit: Duration) async throws -> Call {
    do {
      return .taken(try await dial(address, limit: limit), address)
    } catch SSHError.timedOut(_, let limit) {
      let reason = "no answer within \(words(limit))"
      return .refused(turn, .init(address: address.text, reason: reason))
    } catch let failure as LocalFile.Failure {
      return .refused(turn, .init(address: address.text, reason: failure.reason))
    }
  }

  private func dial(_ address: SocketAddress, limit: Duration) async throws -> Int32 {
    let type = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
    let descriptor = socket(address.family, Int32(type), 0)
    guard descriptor >= 0 else { throw LocalFile.Failure.current }
    var yes: Int32 = 1
    setsockopt(
      descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    guard address.connect(descriptor) != 0, errno != EISCONN else { return descriptor }
    guard errno == EINPROGRESS else {
      defer { close(descriptor) }
      throw LocalFile.Failure.current
    }
    do {
      try await writable(descriptor, limit: limit)
      return descriptor
    } catch {
      close(descriptor)
      throw error
    }
  }

  /// Waits for a connection attempt to end, one way or the other.
  private func writable(_ descriptor: Int32, limit: Duration) async throws {
    let answer = Pending<Void>()
    let watch = Lock<EventLoop.WatchID?>(nil)
    loop.execute {
      let id = loop.watch(descriptor) { readiness in
        guard !readiness.isDisjoint(with: [.writable, .hangup]) else { return }
        answer.settle(Self.outcome(of: descriptor))
      }
      watch.withLock { $0 = id }
    }
    do {
      try await limited(answer, to: limit, .dial)
      await unwatch(descriptor, watch)
    } catch {
      await unwatch(descriptor, watch)
      throw error
    }
  }

  /// Ends the watch on the loop's thread before anybody closes or reuses the descriptor.
  private func unwatch(_ descriptor: Int32, _ watch: Lock<EventLoop.WatchID?>) async {
    await withCheckedContinuation { continuation in
      loop.execute {
        if let id = watch.withLock({ $0 }) { loop.unwatch(descriptor, id) }
        continuation.resume()
      }
    }
  }

  private static func outcome(of descriptor: Int32) -> Result<Void, any Error> {
    var code: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
    return code == 0 ? .success(()) : .failure(LocalFile.Failure(code: code))
  }

  private func limited<Value: Sendable>(
    _ answer: Pending<Value>, to limit: Duration, _ stage: SSHError.Stage
  ) async throws -> Value {
    let timer = loop.schedule(after: limit) {
      answer.settle(.failure(SSHError.timedOut(stage, after: limit)))
    }
    defer { loop.cancel(timer) }
    return try await answer.value()
  }
}

/// A duration as people say it.
func words(_ duration: Duration) -> String {
  let (seconds, attoseconds) = duration.components
  let tenths = attoseconds / 100_000_000_000_000_000
  return tenths == 0 ? "\(seconds) s" : "\(seconds).\(tenths) s"
}
