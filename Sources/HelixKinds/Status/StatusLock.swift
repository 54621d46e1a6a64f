import HelixModel
package import HelixPlan

extension StatusReport {
  /// Who holds the lock that keeps two runs apart, as its copies on the servers tell together.
  ///
  /// All times are by the servers' uptime: wall clocks play no part in the lock.
  package struct Lock: Sendable, Hashable, Encodable {
    package enum State: String, Sendable, Hashable, Encodable {
      case free
      /// Its run may well be at work.
      case live
      /// Its run's process is known to have ended, and the next run takes it over.
      case gone
      /// Its run has not renewed it for too long, and the next run takes it over.
      case expired
    }

    package var state: State
    /// Whose it is or was, as the copy tells that was taken first; nil when it is free.
    package var holder: LockHolder?
    /// The hosts with its copies, in inventory order.
    package var servers: [String]
    /// How many servers there are for copies.
    package var copies: Int

    package init(state: State, holder: LockHolder? = nil, servers: [String] = [], copies: Int) {
      self.state = state
      self.holder = holder
      self.servers = servers
      self.copies = copies
    }

    /// Whether enough copies are the holder's to keep all others out.
    package var isWhole: Bool { servers.count > copies / 2 }
  }
}

extension StatusReading {
  /// What the servers say of the lock together.
  ///
  /// A live copy is told whoever else is silent; that nobody holds it only a majority can tell.
  func lock(_ hasEnded: (LockHolder) -> Bool) -> StatusReport.Lock? {
    let seen = cluster.servers.compactMap { server in
      hosts[server.host]?.lock.map { (host: server.host, lock: $0) }
    }
    let count = cluster.servers.count
    var runs: [String] = []
    for (_, lock) in seen where lock.state == .live {
      guard let run = lock.holder?.run.id, !runs.contains(run) else { continue }
      runs.append(run)
    }
    let held = runs.map { run in seen.filter { $0.lock.holder?.run.id == run } }
    // While two runs begin, one of them has more copies, and gets the others.
    if let most = held.max(by: { $0.count < $1.count }),
      let holder = most.compactMap(\.lock.holder).max(by: { $0.held < $1.held })
    {
      return StatusReport.Lock(
        state: hasEnded(holder) ? .gone : .live, holder: holder,
        servers: most.map(\.host.rawValue), copies: count)
    }
    guard seen.count > count / 2 else { return nil }
    let latest = seen.compactMap(\.lock.holder).max { $0.number < $1.number }
    let left = seen.filter { latest != nil && $0.lock.holder?.run.id == latest?.run.id }
    return StatusReport.Lock(
      state: latest == nil ? .free : .expired, holder: latest,
      servers: left.map(\.host.rawValue), copies: count)
  }
}
