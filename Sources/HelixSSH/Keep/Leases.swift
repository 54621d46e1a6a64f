/// Until when a keeper and each thing it holds are to live.
///
/// Pure: the time is given, so that nobody has to wait for it in a test.
struct Leases<Key: Hashable & Sendable>: Sendable {
  typealias Instant = ContinuousClock.Instant

  /// Names a request that is under way.
  struct Ticket: Hashable, Sendable {
    fileprivate let number: Int
  }

  private struct Request {
    let key: Key?
    let span: Duration
    /// When it must be over; one that is not then counts no more.
    let latest: Instant
  }

  /// When nothing is wanted any more, unless a request is under way.
  private(set) var end: Instant
  private var ends: [Key: Instant] = [:]
  private var requests: [Ticket: Request] = [:]
  private var lastTicket = 0
  /// Nobody has wanted anything yet.
  private var isAwaited = true

  /// - Parameter end: Until when to wait for somebody to come at all.
  init(until end: Instant) { self.end = end }

  /// Somebody wants things to live for some time from now.
  mutating func prolong(by span: Duration, now: Instant) {
    guard span > .zero else { return }
    end = isAwaited ? now + span : max(end, now + span)
    isAwaited = false
  }

  /// A request begins that takes no longer than its limit, and wants what it uses to live for some
  /// time after it.
  mutating func begin(_ key: Key?, span: Duration, limit: Duration, now: Instant) -> Ticket {
    lastTicket += 1
    let ticket = Ticket(number: lastTicket)
    requests[ticket] = Request(key: key, span: span, latest: now + limit)
    extend(key, by: span, now)
    return ticket
  }

  mutating func finish(_ ticket: Ticket, now: Instant) {
    guard let request = requests.removeValue(forKey: ticket) else { return }
    extend(request.key, by: request.span, now)
  }

  /// Takes out the keys that nobody wants any more.
  mutating func takeExpired(now: Instant) -> [Key] {
    let expired = ends.keys.filter { (latestEnd(of: $0) ?? now) <= now }
    for key in expired { ends[key] = nil }
    return Array(expired)
  }

  func isOver(now: Instant) -> Bool { latestEnd <= now }

  /// When to look again.
  var next: Instant { ends.keys.compactMap(latestEnd).reduce(latestEnd, min) }

  private var latestEnd: Instant { requests.values.map(\.latest).reduce(end, max) }

  private func latestEnd(of key: Key) -> Instant? {
    ends[key].map { end in
      requests.values.reduce(end) { $1.key == key ? max($0, $1.latest) : $0 }
    }
  }

  private mutating func extend(_ key: Key?, by span: Duration, _ now: Instant) {
    prolong(by: span, now: now)
    if let key { ends[key] = max(ends[key] ?? now, now + span) }
  }
}
