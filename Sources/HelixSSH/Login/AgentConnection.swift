import Glibc

/// A key that an agent holds.
struct AgentKey: Hashable, Sendable {
  let key: HostKey
  let comment: String
}

/// A talk with an ssh-agent over its socket, which never blocks the loop it lives on.
actor AgentConnection {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private enum Message {
    static let requestIdentities: UInt8 = 11
    static let identities: UInt8 = 12
    static let signRequest: UInt8 = 13
    static let signature: UInt8 = 14
    /// What an RSA signature is hashed with.
    static let sha256 = 2
    static let sha512 = 4
  }

  private static let answerLimit = 256 * 1024

  private let path: String
  private var descriptor: Int32 = -1
  private var watch: EventLoop.WatchID?
  private var waiting: CheckedContinuation<Void, Never>?
  private var isAborted = false

  init(path: String, loop: EventLoop) {
    self.path = path
    self.loop = loop
  }

  /// The keys that the agent holds, in its order.
  func keys() async throws(SSHError) -> [AgentKey] {
    let answer = try await ask([Message.requestIdentities])
    var reader = WireReader(answer)
    guard reader.byte() == Message.identities, let count = reader.number() else {
      throw refused("it does not list its keys")
    }
    var keys: [AgentKey] = []
    while keys.count < count, let blob = reader.string(), let comment = reader.string() {
      keys.append(AgentKey(key: HostKey(blob: blob), comment: printable(comment)))
    }
    return keys
  }

  /// A signature by one of its keys: the bytes inside the signature's envelope.
  func sign(
    _ data: [UInt8], with key: HostKey, as algorithm: String
  ) async throws(SSHError) -> [UInt8] {
    var request = [Message.signRequest]
    request.appendString(key.blob)
    request.appendString(data)
    let hash = algorithm.hasPrefix("rsa-sha2-512") ? Message.sha512 : Message.sha256
    request.appendNumber(algorithm.hasPrefix("rsa-") ? hash : 0)
    var reader = WireReader(try await ask(request))
    guard reader.byte() == Message.signature, let envelope = reader.string() else {
      throw refused("it does not sign with this key")
    }
    reader = WireReader(envelope)
    guard reader.string() != nil, let signature = reader.string() else {
      throw refused("its signature cannot be read")
    }
    return signature
  }

  /// Ends the talk; whoever waits for an answer gets an error.
  nonisolated func abort() {
    loop.execute { self.assumeIsolated { $0.end() } }
  }

  private func end() {
    isAborted = true
    if let watch { loop.unwatch(descriptor, watch) }
    watch = nil
    if descriptor >= 0 { Glibc.close(descriptor) }
    descriptor = -1
    wake()
  }

  private func wake() {
    waiting?.resume()
    waiting = nil
  }

  private func refused(_ reason: String) -> SSHError { .agent(path: path, reason: reason) }
}

// MARK: - Talking

extension AgentConnection {
  private func ask(_ request: [UInt8]) async throws(SSHError) -> [UInt8] {
    if descriptor < 0 { try await connect() }
    var message: [UInt8] = []
    message.appendString(request)
    try await send(message)
    var length = WireReader(try await receive(4))
    guard let count = length.number(), count > 0, count <= Self.answerLimit else {
      throw refused("its answer makes no sense")
    }
    return try await receive(count)
  }

  private func connect() async throws(SSHError) {
    guard let address = UnixAddress(path) else { throw refused("its path is too long") }
    descriptor = socket(
      AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw refused(LocalFile.Failure.current.reason) }
    // An agent with a full backlog says EAGAIN; many hosts log in at once.
    for _ in 0..<500 {
      if isAborted { throw refused("the login ended") }
      if address.connect(descriptor) == 0 {
        watch = loop.watch(descriptor) { _ in self.assumeIsolated { $0.wake() } }
        return
      }
      guard errno == EAGAIN || errno == EINTR else {
        throw refused(LocalFile.Failure.current.reason)
      }
      _ = loop.schedule(after: .milliseconds(10)) { self.assumeIsolated { $0.wake() } }
      await pause()
    }
    throw refused("it is too busy")
  }

  private func send(_ message: [UInt8]) async throws(SSHError) {
    var start = 0
    while start < message.count {
      if isAborted { throw refused("the login ended") }
      let sent = message.withUnsafeBytes { bytes in
        Glibc.send(
          descriptor, bytes.baseAddress.map { $0 + start }, bytes.count - start,
          Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
      }
      if sent > 0 { start += sent } else { try await pauseAfterFailure() }
    }
  }

  private func receive(_ count: Int) async throws(SSHError) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      if isAborted { throw refused("the login ended") }
      var chunk = [UInt8](repeating: 0, count: count - bytes.count)
      let got = recv(descriptor, &chunk, chunk.count, Int32(MSG_DONTWAIT))
      if got == 0 { throw refused("it hung up") }
      if got > 0 { bytes += chunk.prefix(got) } else { try await pauseAfterFailure() }
    }
    return bytes
  }

  private func pauseAfterFailure() async throws(SSHError) {
    if errno == EINTR { return }
    guard errno == EAGAIN else { throw refused(LocalFile.Failure.current.reason) }
    await pause()
  }

  private func pause() async {
    await withCheckedContinuation { waiting = $0 }
  }
}

/// A socket's path as the system wants it.
struct UnixAddress {
  private var address = sockaddr_un()

  init?(_ path: String) {
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
  }

  func connect(_ descriptor: Int32) -> Int32 {
    withUnsafeBytes(of: address) { bytes in
      Glibc.connect(
        descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
        socklen_t(bytes.count))
    }
  }

  func bind(_ descriptor: Int32) -> Int32 {
    withUnsafeBytes(of: address) { bytes in
      Glibc.bind(
        descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
        socklen_t(bytes.count))
    }
  }
}
