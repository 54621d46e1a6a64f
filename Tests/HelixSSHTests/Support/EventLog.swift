import HelixModel

@testable import HelixSSH

/// Collects events from any thread.
final class EventLog: Sendable {
  private let events = Lock<[SSHEvent]>([])
  var all: [SSHEvent] { events.withLock { $0 } }
  var add: @Sendable (SSHEvent) -> Void { { event in self.events.withLock { $0.append(event) } } }
  func count(_ matches: (SSHEvent) -> Bool) -> Int { all.filter(matches).count }

  /// How many connections were logged in to.
  var logins: Int { count { if case .connected = $0 { true } else { false } } }
}
