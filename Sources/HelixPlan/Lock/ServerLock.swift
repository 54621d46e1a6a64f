package import HelixModel

/// Who holds a server's copy of the lock.
package struct LockHolder: Hashable, Sendable {
  package let number: Int
  package let run: RunIdentity
  /// Seconds since it took this copy, by the server's uptime.
  package let held: Int
  /// Seconds since it last renewed it.
  package let renewed: Int
  /// Seconds after a renewal for which it counts.
  package let timeToLive: Int

  /// For people: `alice on laptop (apply, process 4711, begun 2026-11-21T05:45:32Z)`.
  package var words: String {
    "\(run.who) (\(run.command), process \(run.pid), begun \(run.started))"
  }
}

extension LockHolder: Encodable {
  private enum Key: String, CodingKey {
    case number, run, user, host, pid, command, started, heldSeconds, renewedSeconds,
      timeToLiveSeconds
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(number, forKey: .number)
    try container.encode(run.id, forKey: .run)
    try container.encode(run.user, forKey: .user)
    try container.encode(run.host, forKey: .host)
    try container.encode(run.pid, forKey: .pid)
    try container.encode(run.command, forKey: .command)
    try container.encode(run.started, forKey: .started)
    try container.encode(held, forKey: .heldSeconds)
    try container.encode(renewed, forKey: .renewedSeconds)
    try container.encode(timeToLive, forKey: .timeToLiveSeconds)
  }
}

/// What a server says of its copy of the lock.
package struct ServerLock: Hashable, Sendable {
  /// Whether anybody holds it.
  package enum State: String, Hashable, Sendable {
    case free
    case live
    /// Somebody did, and has not renewed it for too long, or the server has been rebooted since.
    case expired
  }

  /// What came of what was asked.
  package enum Verdict: String, Sendable {
    case seen, granted, renewed, removed
    /// Another run holds it.
    case held
    /// The number that was shown is not above all that the server knows.
    case outnumbered
    /// Somebody else holds it than the one who was to be removed.
    case changed
  }

  package let verdict: Verdict
  package let state: State
  package let holder: LockHolder?
  /// The highest number of all that were ever shown here.
  package let highest: Int

  /// Reads what a script about the lock printed.
  ///
  /// - Throws: a `Diagnostic` when it makes no sense.
  package init(_ output: String) throws(Diagnostic) {
    var values: [String: String] = [:]
    var verdict: Verdict?
    var state: State?
    for line in plainLines(output, last: .max) {
      let words = line.split(separator: " ", maxSplits: 1).map(String.init)
      guard let key = words.first else { continue }
      let value = words.count > 1 ? words[1] : ""
      if key == LockReading.mark {
        let said = value.split(separator: " ").map(String.init)
        verdict = said.first.flatMap(Verdict.init)
        state = said.last.flatMap(State.init)
      } else {
        values[key] = value
      }
    }
    guard let verdict, let state else {
      throw Diagnostic("the server's answer about its lock makes no sense")
    }
    self.verdict = verdict
    self.state = state
    highest = max(values.number("highest"), values.number("fence"), values.number("number"))
    holder = state == .free ? nil : Self.holder(values)
  }

  private static func holder(_ values: [String: String]) -> LockHolder {
    func word(_ key: String) -> String { values[key].map(oneLine) ?? "unknown" }
    let uptime = values.number("uptime")
    let isSameBoot = values["boot"] == values["now-boot"]
    return LockHolder(
      number: values.number("number"),
      run: RunIdentity(
        id: word("run"), user: word("user"), host: word("host"), pid: values.number("pid"),
        command: word("command"), started: word("started"), process: values["process"] ?? ""),
      held: isSameBoot ? max(0, uptime - values.number("taken")) : uptime,
      renewed: isSameBoot ? max(0, uptime - values.number("renewed")) : uptime,
      timeToLive: values.number("ttl"))
  }
}

extension [String: String] {
  fileprivate func number(_ key: String) -> Int { self[key].flatMap { Int($0) } ?? 0 }
}
