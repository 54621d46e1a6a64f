import Glibc
import HelixModel
import HelixPlan
import Synchronization
import Testing

@testable import HelixRun

/// The machine the tests run on, as a host.
enum LocalHost {
  static let shell = LocalShell()
  /// Owners and modes can only be set as root.
  static let isRoot = geteuid() == 0
}

/// A host as an inventory would have it.
func host(_ name: HostName, address: String = "10.0.0.7") -> Host {
  Host(
    name: name, connection: Connection(address: address), groups: [], variables: Mapping(),
    location: SourceLocation(file: "inventory/hosts.yaml", line: 1, column: 1))
}

/// Knows the secrets it was given.
struct FixedSecrets: SecretStore {
  var values: [String: String] = [:]

  func value(of name: SecretName) throws -> SecretValue {
    guard let value = values[name.rawValue] else {
      throw Diagnostic("no secret named \"\(name.rawValue)\"")
    }
    return SecretValue(value)
  }
}

/// Has the one file it was given.
struct FixedArtifacts: ArtifactStore {
  var path = "/nonexistent"

  func checksum(of artifact: ArtifactReference) async throws -> String { "" }
  func file(of artifact: ArtifactReference) async throws -> String { path }
}

/// Puts the incoming text behind the existing one.
struct AppendingKubeconfigs: KubeconfigMerging {
  func merge(_ incoming: String, into existing: String?) throws(Diagnostic) -> String {
    (existing ?? "") + incoming
  }
}

/// Remembers every event in order.
final class EventLog: EventSink {
  private let received = Mutex<[Event]>([])

  var events: [Event] { received.withLock { $0 } }

  func report(_ event: Event) async { received.withLock { $0.append(event) } }

  /// How steps ended, in the order in which they did.
  var endings: [(step: String, word: String)] {
    events.compactMap { event in
      guard case .stepEnded(let ended) = event else { return nil }
      return (ended.step.description, ended.outcome.word)
    }
  }

  var begun: [String] {
    events.compactMap { event in
      guard case .stepStarted(let started) = event else { return nil }
      return started.step.description
    }
  }

  var notes: [String] {
    events.compactMap { event in
      guard case .note(let note) = event else { return nil }
      return note.text
    }
  }
}

/// How many are inside at once, and how many ever were.
final class Gauge: Sendable {
  private let state = Mutex((now: 0, most: 0))

  var most: Int { state.withLock { $0.most } }

  /// Stays inside for a while, so that others can come in meanwhile.
  func stay() async {
    state.withLock { state in
      state.now += 1
      state.most = max(state.most, state.now)
    }
    for _ in 0..<20 { await Task.yield() }
    state.withLock { $0.now -= 1 }
  }
}

/// Lets everybody go on as soon as all are there.
actor Meeting {
  private var missing: Int
  private var present: [CheckedContinuation<Void, Never>] = []

  init(of count: Int) { missing = count }

  func join() async {
    missing -= 1
    guard missing == 0 else { return await withCheckedContinuation { present.append($0) } }
    for continuation in present { continuation.resume() }
  }
}

/// SplitMix64: the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
