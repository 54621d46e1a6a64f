private import CLibSSH2
import Glibc

/// The bytes between libssh2 and a socket, with buffers of our own.
///
/// libssh2 1.10 breaks when a send is cut short (every other call then fails until the same one is
/// repeated), so for libssh2 a send always succeeds and the rest waits here for the socket.
/// Lives on one event loop, inside one session's isolation.
final class Transport {
  /// Bytes waiting for the socket above which no more channel data should be written.
  static let pendingLimit = 256 * 1024
  /// Bytes one turn may receive before others on the loop get theirs.
  private static let turnBudget = 1024 * 1024
  private static let smallRead = 4096

  let descriptor: Int32
  private(set) var greeting = Greeting()
  /// What the server said when it ended the connection.
  private(set) var farewell: String?
  private(set) var lastHeard = ContinuousClock.now
  /// The `errno` that ended the connection.
  private(set) var failure: Int32 = 0
  /// Bytes have come in this turn.
  private(set) var hasReceived = false
  /// Bytes that have come since somebody last got what they were waiting for.
  private(set) var unclaimed = 0

  private var isReadable = true
  private var hasHungUp = false
  /// Set at the end of a session: nothing comes or goes any more.
  private var isSealed = false
  /// Programs and tunnels have another sort of socket.
  private var isAcknowledging = true
  private var budget = Transport.turnBudget
  /// The socket was empty in this turn.
  private var ranDry = false
  private var outgoing: [UInt8] = []
  private var outgoingStart = 0
  /// What was read ahead for libssh2, which reads a greeting byte by byte.
  private var ahead: [UInt8] = []
  private var aheadStart = 0

  init(descriptor: Int32) { self.descriptor = descriptor }

  /// Makes a libssh2 session read and write here; it must not outlive this object.
  func attach(to session: OpaquePointer) {
    helix_set_transport(
      session, Unmanaged.passUnretained(self).toOpaque(),
      { descriptor, bytes, count, _, context in
        guard let bytes, let transport = Transport.from(context, descriptor) else {
          return -Int(EBADF)
        }
        return transport.send(UnsafeRawBufferPointer(start: bytes, count: count))
      },
      { descriptor, bytes, count, _, context in
        guard let bytes, let transport = Transport.from(context, descriptor) else {
          return -Int(EBADF)
        }
        return transport.receive(UnsafeMutableRawBufferPointer(start: bytes, count: count))
      },
      { _, _, message, count, _, _, context in
        guard let message, count > 0, let transport = Transport.from(context, nil) else { return }
        let bytes = UnsafeRawBufferPointer(start: message, count: Int(count))
        transport.farewell = printable(bytes)
      })
  }

  private static func from(
    _ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ descriptor: Int32?
  ) -> Transport? {
    guard let object = context?.pointee else { return nil }
    let transport = Unmanaged<Transport>.fromOpaque(object).takeUnretainedValue()
    guard descriptor == nil || descriptor == transport.descriptor else { return nil }
    return transport
  }
}

// MARK: - What the session asks

extension Transport {
  var pending: Int { outgoing.count - outgoingStart }

  /// The turn ended before the socket was read dry, so no edge will tell of what is left there.
  var hasMore: Bool { hasReceived && !ranDry && (isReadable || aheadStart < ahead.count) }

  /// Notes that the keys are exchanged.
  func noteSecured() { greeting.forgetOffer() }

  /// Starts a turn of calls into libssh2.
  func beginTurn() {
    budget = Self.turnBudget
    hasReceived = false
    ranDry = false
  }

  /// Notes that what came was of use to somebody.
  func claim() { unclaimed = 0 }

  /// Takes what the kernel said about the socket.
  func noteReady(_ readiness: EventLoop.Readiness) {
    if readiness.contains(.readable) {
      isReadable = true
      lastHeard = .now
    }
    if readiness.contains(.hangup) {
      isReadable = true
      hasHungUp = true
    }
    flush()
  }

  var isHungUp: Bool { hasHungUp }

  /// Sends what waits, as far as the socket takes it.
  func flush() {
    guard !isSealed else { return }
    let sent = outgoing.withUnsafeBytes { bytes in
      sendNow(UnsafeRawBufferPointer(rebasing: bytes[outgoingStart...]))
    }
    outgoingStart += sent
    if pending == 0 {
      outgoing.removeAll(keepingCapacity: outgoing.capacity <= Self.pendingLimit)
      outgoingStart = 0
    } else if outgoingStart > Self.pendingLimit {
      outgoing.removeFirst(outgoingStart)
      outgoingStart = 0
    }
  }

  /// Ends all traffic, so that freeing the libssh2 session cannot wait for anything.
  func seal() {
    isSealed = true
    outgoing = []
    outgoingStart = 0
    ahead = []
    aheadStart = 0
  }
}

// MARK: - What libssh2 asks

extension Transport {
  private func send(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard !isSealed else { return -Int(EPIPE) }
    guard failure == 0 else { return -Int(failure) }
    // With nothing in the way the bytes go straight to the socket.
    let sent = pending == 0 ? sendNow(bytes) : 0
    if sent < bytes.count {
      outgoing.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[sent...]))
    }
    return failure == 0 ? bytes.count : -Int(failure)
  }

  /// How much of the bytes the socket takes at once.
  private func sendNow(_ bytes: UnsafeRawBufferPointer) -> Int {
    var sent = 0
    while sent < bytes.count, failure == 0 {
      let count = Glibc.send(
        descriptor, bytes.baseAddress.map { $0 + sent }, bytes.count - sent,
        Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
      if count > 0 {
        sent += count
      } else if errno == EAGAIN {
        break
      } else if errno != EINTR {
        failure = errno
      }
    }
    return sent
  }

  private func receive(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    guard !isSealed else { return -Int(ECONNRESET) }
    if greeting.isForeign { return -Int(EPROTO) }
    if aheadStart < ahead.count { return takeAhead(buffer) }
    guard budget > 0 else { return -Int(EAGAIN) }
    guard isReadable else {
      ranDry = true
      return -Int(EAGAIN)
    }
    guard buffer.count < Self.smallRead else { return read(into: buffer) }
    let filled = fillAhead()
    return filled > 0 ? takeAhead(buffer) : filled
  }

  private func takeAhead(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, ahead.count - aheadStart)
    ahead.withUnsafeBytes { bytes in
      buffer.copyMemory(
        from: UnsafeRawBufferPointer(rebasing: bytes[aheadStart..<aheadStart + count]))
    }
    aheadStart += count
    if aheadStart == ahead.count {
      ahead = []
      aheadStart = 0
    }
    return count
  }

  private func fillAhead() -> Int {
    var filled = 0
    ahead = [UInt8](unsafeUninitializedCapacity: Self.smallRead) { bytes, count in
      filled = read(into: UnsafeMutableRawBufferPointer(bytes))
      count = max(0, filled)
    }
    aheadStart = 0
    return filled
  }

  /// Lets the kernel acknowledge what has come at once, instead of up to 40 ms later.
  ///
  /// sshd leaves Nagle's algorithm on where there is no terminal: while a small packet of its own is
  /// not acknowledged it holds the next one back, and a login has several such pairs. The kernel
  /// forgets the wish by and by.
  private func acknowledge() {
    guard isAcknowledging else { return }
    var isQuick: Int32 = 1
    isAcknowledging =
      setsockopt(
        descriptor, Int32(IPPROTO_TCP), TCP_QUICKACK, &isQuick, socklen_t(MemoryLayout<Int32>.size))
      == 0
  }

  /// One `recv`; libssh2 wants failures as negative `errno` values.
  private func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    while true {
      let count = recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
      if count < 0 {
        if errno == EINTR { continue }
        let code = errno
        if code == EAGAIN {
          isReadable = false
          ranDry = true
        } else {
          failure = code
        }
        return -Int(code)
      }
      // A short read emptied the socket; the next edge says when there is more. After a hang-up
      // no edge will come, so reading goes on until the end shows.
      if count < buffer.count, !hasHungUp { isReadable = false }
      if count < buffer.count { acknowledge() }
      budget -= count
      unclaimed += count
      hasReceived = true
      greeting.take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      return count
    }
  }
}
