import Foundation
import HelixModel

@testable import HelixSSH

/// Stands between clients and a server, counts what passes and treats it badly.
///
/// One thread polls everything; a connection ends when either side ends it, or the relay stops.
final class FaultRelay: Sendable {
  /// Which way bytes go.
  enum Way: String, Sendable { case toServer, toClient }

  /// What is done to a connection.
  enum Fault: Sendable {
    case none
    /// The connection ends after so many bytes.
    case cut(Way, after: Int)
    /// After so many bytes nothing more passes that way, but the connection stays.
    case silence(Way, after: Int)
    /// One bit of a byte is turned over.
    case corrupt(Way, at: Int)
    /// Everything arrives later, both ways.
    case delay(Duration)
    /// What the server says arrives byte by byte.
    case trickle(every: Duration)
  }

  /// What has passed, over all connections.
  struct Traffic: Sendable {
    var connections = 0
    var toServer = 0
    var toClient = 0
    /// How often a client, having said something, heard the server before it went on.
    var waits = 0
    /// The server's part that may still be in plain text: its greeting and its key exchange.
    var beginning: [UInt8] = []
    fileprivate var clientSpoke = false

    fileprivate mutating func took(_ bytes: ArraySlice<UInt8>) {
      toServer += bytes.count
      clientSpoke = true
    }

    fileprivate mutating func gave(_ bytes: ArraySlice<UInt8>) {
      toClient += bytes.count
      if beginning.count < 8192 { beginning += bytes }
      if clientSpoke { waits += 1 }
      clientSpoke = false
    }
  }

  let port: Int
  private let listener: Int32
  private let isStopped = Lock(false)
  private let tally = Lock(Traffic())

  /// - Parameters:
  ///   - address: Where the server is.
  ///   - port: Its port.
  ///   - fault: What happens to every connection.
  /// - Throws: A `Diagnostic` when no port is free.
  init(to address: String, port: Int, _ fault: Fault = .none) throws {
    let listener = try Listener()
    self.listener = listener.descriptor
    self.port = listener.port
    let work = FaultRelayWork(listener: listener, server: (address, port), fault)
    Thread.detachNewThread { [isStopped, tally] in
      work.run(until: { isStopped.withLock { $0 } }, tally)
    }
  }

  deinit { stop() }

  var traffic: Traffic { tally.withLock { $0 } }

  /// Ends all connections within a moment.
  func stop() { isStopped.withLock { $0 = true } }
}

/// One direction of a connection: bytes on their way, each with the time at which they may go on.
private struct Lane {
  private static let roomLimit = 1024 * 1024

  let way: FaultRelay.Way
  let source: Int32
  let target: Int32
  var queue: [(due: ContinuousClock.Instant, bytes: ArraySlice<UInt8>)] = []
  var taken = 0
  var hasEnded = false

  var mayRead: Bool { !hasEnded && queue.reduce(0) { $0 + $1.bytes.count } < Self.roomLimit }

  func isDue(_ now: ContinuousClock.Instant) -> Bool { queue.first.map { $0.due <= now } ?? false }

  /// Applies the fault to what has come; false when the connection has to end now.
  mutating func accept(_ bytes: [UInt8], _ fault: FaultRelay.Fault, now: ContinuousClock.Instant)
    -> Bool
  {
    var bytes = bytes[...]
    let start = taken
    taken += bytes.count
    switch fault {
    case .silence(way, let limit):
      bytes = bytes.prefix(max(0, limit - start))
    case .cut(way, let limit) where taken >= limit:
      queue.append((now, bytes.prefix(limit - start)))
      return false
    case .corrupt(way, let place) where start <= place && place < taken:
      bytes[place - start] ^= 0x10
    case .delay(let delay):
      queue.append((now + delay, bytes))
      return true
    case .trickle(let pause) where way == .toClient:
      for byte in bytes { queue.append((max(now, queue.last?.due ?? now) + pause, [byte])) }
      return true
    default: break
    }
    if !bytes.isEmpty { queue.append((now, bytes)) }
    return true
  }

  /// Sends what is due; false when nobody takes it any more.
  mutating func pass(now: ContinuousClock.Instant, _ note: (ArraySlice<UInt8>) -> Void) -> Bool {
    while isDue(now), let bytes = queue.first?.bytes {
      let sent = bytes.withUnsafeBytes {
        send(target, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
      }
      guard sent >= 0 else { return errno == EAGAIN || errno == EINTR }
      note(bytes.prefix(sent))
      queue[0].bytes = bytes.dropFirst(sent)
      if queue[0].bytes.isEmpty { queue.removeFirst() }
    }
    return !(hasEnded && queue.isEmpty)
  }
}

/// What the relay's thread works on.
// @unchecked: made on one thread, handed to another one, and from then on used only there.
private final class FaultRelayWork: @unchecked Sendable {
  private let listener: Listener
  private let server: (address: String, port: Int)
  private let fault: FaultRelay.Fault
  private var pairs: [[Lane]] = []
  private var buffer = [UInt8](repeating: 0, count: 64 * 1024)

  init(listener: Listener, server: (String, Int), _ fault: FaultRelay.Fault) {
    self.listener = listener
    self.server = server
    self.fault = fault
  }

  func run(until isStopped: () -> Bool, _ tally: Lock<FaultRelay.Traffic>) {
    while !isStopped() {
      waitForEvents()
      welcome(tally)
      let now = ContinuousClock.now
      pairs = pairs.compactMap { serve($0, now, tally) }
    }
    for pair in pairs { end(pair) }
    listener.stop()
  }

  /// Sleeps until something may have come, at most for a moment so that a stop is noticed.
  private func waitForEvents() {
    let now = ContinuousClock.now
    var ends = [pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0)]
    var pause = Duration.milliseconds(50)
    for lane in pairs.joined() {
      if lane.mayRead { ends.append(pollfd(fd: lane.source, events: Int16(POLLIN), revents: 0)) }
      if lane.isDue(now) {
        ends.append(pollfd(fd: lane.target, events: Int16(POLLOUT), revents: 0))
      } else if let due = lane.queue.first?.due {
        pause = min(pause, due - now)
      }
    }
    let milliseconds = pause.components.attoseconds / 1_000_000_000_000_000 + 1
    poll(&ends, nfds_t(ends.count), Int32(milliseconds))
  }

  private func welcome(_ tally: Lock<FaultRelay.Traffic>) {
    var listening = pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&listening, 1, 0) > 0 else { return }
    let client = accept(listener.descriptor, nil, nil)
    guard client >= 0 else { return }
    guard let far = try? connectedSocket(to: server.address, port: server.port) else {
      close(client)
      return
    }
    tally.withLock { $0.connections += 1 }
    pairs.append([
      Lane(way: .toServer, source: client, target: far),
      Lane(way: .toClient, source: far, target: client),
    ])
  }

  /// Moves a connection's bytes; nil when it has ended.
  private func serve(
    _ pair: [Lane], _ now: ContinuousClock.Instant, _ tally: Lock<FaultRelay.Traffic>
  ) -> [Lane]? {
    var pair = pair
    var goesOn = true
    for index in pair.indices {
      goesOn = read(&pair[index], now) && goesOn
      let way = pair[index].way
      let passed = pair[index].pass(now: now) { bytes in
        tally.withLock { way == .toServer ? $0.took(bytes) : $0.gave(bytes) }
      }
      goesOn = passed && goesOn
    }
    if goesOn { return pair }
    end(pair)
    return nil
  }

  /// Takes what has come; false when the connection has to end.
  private func read(_ lane: inout Lane, _ now: ContinuousClock.Instant) -> Bool {
    guard lane.mayRead else { return true }
    let count = recv(lane.source, &buffer, buffer.count, Int32(MSG_DONTWAIT))
    if count > 0 { return lane.accept(Array(buffer[..<count]), fault, now: now) }
    if count < 0, errno == EAGAIN || errno == EINTR { return true }
    lane.hasEnded = true
    return true
  }

  private func end(_ pair: [Lane]) {
    for lane in pair {
      // A child that was started meanwhile may hold the descriptor too.
      shutdown(lane.source, Int32(SHUT_RDWR))
      close(lane.source)
    }
  }
}
