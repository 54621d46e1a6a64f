import Foundation
import HelixModel
import HelixPlan

/// A plan as `--json` prints it and `--out` keeps it: one document for both.
struct SavedPlan: Codable, Sendable {
  static let formatName = "helix-infra/plan"

  var format = SavedPlan.formatName
  var request: PlanRequest
  /// Every file that was read, with its SHA-256, so that a change of mind is noticed.
  var sources: [String: String]
  var hosts: [HostName]
  var summary: Summary
  var plan: Plan

  struct Summary: Codable, Sendable {
    var create: Int
    var update: Int
    var replace: Int
    var delete: Int
    var heldBack: Int
    var refused: Int
  }

  init(request: PlanRequest, sources: [String: String], hosts: [HostName], plan: Plan) {
    self.request = request
    self.sources = sources
    self.hosts = hosts
    self.plan = plan
    let counts = plan.counts
    let (heldBack, refused) = plan.exceptions
    summary = Summary(
      create: counts[.create] ?? 0, update: counts[.update] ?? 0,
      replace: counts[.replace] ?? 0, delete: counts[.delete] ?? 0, heldBack: heldBack,
      refused: refused)
  }
}

extension SavedPlan {
  /// Reads a saved plan.
  ///
  /// - Throws: what is wrong when the file is not a plan, or not one that this version reads.
  static func read(path: String) throws -> SavedPlan {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw invalid(
        "there is no plan at \"\(path)\"", reason: "the file is missing or cannot be read",
        remedy: "make one with: helix-infra plan --out \(path)")
    }
    struct Head: Decodable {
      struct Inner: Decodable { var format: Int }
      var format: String
      var plan: Inner
    }
    let head = try? JSONDecoder().decode(Head.self, from: data)
    guard let head, head.format == formatName else {
      throw invalid(
        "\"\(path)\" is not a saved plan",
        reason: "it does not begin with the format \"\(formatName)\"",
        remedy: "name a file that helix-infra plan --out wrote")
    }
    guard head.plan.format == Plan.currentFormat else {
      throw invalid(
        "\"\(path)\" was made by another version of helix-infra",
        reason: "its format is \(head.plan.format); this version reads \(Plan.currentFormat)",
        remedy: "make the plan again")
    }
    do {
      return try JSONDecoder().decode(SavedPlan.self, from: data)
    } catch {
      throw invalid(
        "\"\(path)\" is damaged", reason: "parts of the saved plan are missing or misshapen",
        remedy: "make the plan again")
    }
  }

  private static func invalid(
    _ summary: String, reason: String, remedy: String
  ) -> Diagnostics {
    Diagnostics(Diagnostic(summary, reason: reason, remedy: remedy))
  }

  /// Which files changed since the plan was made.
  func changedSources(now: [String: String]) -> [String] {
    Set(sources.keys).union(now.keys).filter { sources[$0] != now[$0] }.sorted()
  }

  /// The facts that its changes relied on and that are different now.
  func movedFacts(now: Plan) -> [MovedFact] {
    let present = Dictionary(
      now.changes.flatMap(\.relied).map { (FactKey($0), $0.summary) },
      uniquingKeysWith: { first, _ in first })
    var seen: Set<FactKey> = []
    return plan.pending.flatMap { change in
      change.relied.compactMap { reliance -> MovedFact? in
        let key = FactKey(reliance)
        guard present[key] != reliance.summary, seen.insert(key).inserted else { return nil }
        return MovedFact(
          host: reliance.host, fact: reliance.fact, address: change.address,
          before: reliance.summary, now: present[key])
      }
    }
  }

  /// Pending changes that would be made in another way now, or not at all.
  ///
  /// Facts are compared by summary; this sees what a summary leaves out, and what is no fact, such
  /// as the value of a secret.
  func changesMadeOtherwise(now: Plan) -> [Address] {
    let present = Dictionary(
      now.changes.map { ($0.address, $0) }, uniquingKeysWith: { first, _ in first })
    let stepsThen = plan.graph.doings
    let stepsNow = now.graph.doings
    return plan.pending.filter { change in
      guard let other = present[change.address] else { return true }
      return change.action != other.action || change.standing != other.standing
        || change.steps.map { stepsThen[$0] } != other.steps.map { stepsNow[$0] }
    }.map(\.address)
  }

  private struct FactKey: Hashable {
    let host: HostName
    let fact: FactID

    init(_ reliance: Reliance) {
      host = reliance.host
      fact = reliance.fact
    }
  }
}

/// What a step does and where, whatever it waits for.
private struct Doing: Equatable {
  var host: HostName?
  var instructions: [Instruction]
}

extension StepGraph {
  fileprivate var doings: [StepID: Doing] {
    Dictionary(
      steps.map { ($0.id, Doing(host: $0.host, instructions: $0.instructions)) },
      uniquingKeysWith: { first, _ in first })
  }
}

/// A fact that is not what a saved plan relied on.
struct MovedFact: Equatable {
  var host: HostName
  var fact: FactID
  /// The change that relied on it.
  var address: Address
  var before: String
  /// Nil when nothing asks for it any more.
  var now: String?

  var diagnostic: Diagnostic {
    Diagnostic(
      "\(fact) was \"\(before)\" when the plan was made and is \"\(now ?? "unknown")\" now",
      reason: "\(address) was planned on what it was",
      remedy: "plan again, read it, and apply the new plan", at: .host(host, address: nil))
  }
}
