import HelixModel
import HelixPlan

/// A fingerprinter that shows what it was asked, for tests that compare plans only.
struct PlainFingerprinter: Fingerprinter {
  var key: SecretValue { SecretValue("test key") }
  func fingerprint(of text: TemplateText) throws(Diagnostic) -> String? { text.shown }
  func digest(of text: String) -> String { text }
}

/// A resource that says what the test tells it to say.
struct Told: Resource {
  var address: Address
  var after: [Address] = []
  var questions: [Question] = []
  /// The votes that were seen of its cluster; nil where it does not tell of them.
  var seen: QuorumLedger?
  var told: @Sendable (inout Sight) throws(Diagnostic) -> Verdict

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict { try told(&sight) }

  func quorum(_ sight: inout Sight) throws(Diagnostic) -> Quorum? {
    seen.map { seen in
      let seats = seen.votes.voters.map { QuorumGuard.Seat(host: HostName($0), node: $0) }
      return Quorum(counting: QuorumGuard(seats: seats, script: "count"), seen: seen)
    }
  }

  /// One that is created by one step.
  static func new(_ text: String, after: [String] = []) -> Told {
    let address = Self.address(text)
    return Told(address: address, after: after.map(Self.address)) { _ in
      .change(Work(.create, reason: "missing", steps: [step(address)]))
    }
  }

  /// One that is as it should be.
  static func fine(_ text: String, after: [String] = []) -> Told {
    Told(address: address(text), after: after.map(address)) { _ in .unchanged(reason: "fine") }
  }

  static func address(_ text: String) -> Address {
    Address(text) ?? Address(.cluster, kind: "unreadable", name: text)
  }

  static func step(_ address: Address, _ name: String = "make") -> Step {
    Step(
      StepID(address, name), title: "make \(address)", host: address.host,
      instructions: [.run(script: "true")])
  }
}

/// A plan over hosts that all answered nothing.
func plan(_ stages: [[[Told]]], silent: [HostName: Diagnostic] = [:]) throws -> Plan {
  let desired = DesiredState(
    stages: stages.enumerated().map { number, items in
      Stage(title: "play \(number + 1)", items: items.map { Stage.Item(resources: $0) })
    })
  var observation = Observation()
  for resource in desired.resources {
    guard let host = resource.address.host else { continue }
    observation.hosts[host] = silent[host].map { .unreachable($0) } ?? .answered([:])
  }
  return try Planner.plan(
    desired, observation: observation, fingerprints: PlainFingerprinter())
}

/// What each step waits for, as text a person can check.
func waits(_ plan: Plan) -> [String] {
  plan.graph.steps.map { step in
    let after = step.after.map(\.description).sorted()
    let follows = step.follows.map { "(\($0))" }.sorted()
    let all = after + follows
    return all.isEmpty ? "\(step.id)" : "\(step.id) < \(all.joined(separator: " "))"
  }
}
