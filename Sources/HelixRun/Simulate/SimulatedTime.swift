import HelixModel
import HelixPlan

/// What is still to happen in a simulation, by its virtual time in milliseconds.
struct SimulatedTime {
  /// How a step ends, as a run sees it.
  enum End: Hashable {
    case done, failed, interrupted
    /// Its end was not seen.
    case adrift
  }

  /// What happens to a server.
  enum HostEvent {
    case stops(Int, byUs: Bool)
    case starts(Int)
    case learns(Int)
    case votes(Int)
    case leaves(Int)
    case silent(Int, Bool)
  }

  enum Happening {
    /// The number tells it from an end that was planned before.
    case ends(Int, number: Int, End)
    case host(HostEvent)
    case counted([HostName: QuorumWord], since: Int)
    case fault(SimulatedFault)
    case wake
    case mustStop
  }

  private var events: [(time: Int, number: Int, happening: Happening)] = []
  /// How many there ever were.
  private(set) var count = 0
  /// How many times a server is still to be stopped by us.
  private(set) var owed: [Int: Int] = [:]

  /// - Returns: the event's number.
  @discardableResult
  mutating func add(_ happening: Happening, at time: Int) -> Int {
    count += 1
    count(happening, 1)
    events.append((time, count, happening))
    return count
  }

  /// The earliest, and of those the one that was added first.
  mutating func next() -> (time: Int, happening: Happening)? {
    guard var best = events.indices.first else { return nil }
    for index in events.indices
    where (events[index].time, events[index].number) < (events[best].time, events[best].number) {
      best = index
    }
    events.swapAt(best, events.count - 1)
    guard let (time, _, happening) = events.popLast() else { return nil }
    count(happening, -1)
    return (time, happening)
  }

  private mutating func count(_ happening: Happening, _ step: Int) {
    switch happening {
    case .host(.stops(let server, byUs: true)): owed[server, default: 0] += step
    default: break
    }
  }
}
