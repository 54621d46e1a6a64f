import HelixModel
import HelixPlan
import HelixRun

/// A fault as the command line has it: `kind=lost,host=master-2,step=*#restart`.
struct FaultRequest {
  let text: String
  var kind: SimulatedFault.Kind
  var host: String?
  var step: String?

  /// - Throws: every fault that cannot be read.
  static func read(_ texts: [String]) throws(Diagnostics) -> [FaultRequest] {
    var problems: [Diagnostic] = []
    var requests: [FaultRequest] = []
    for text in texts {
      do throws(Diagnostic) {
        requests.append(try FaultRequest(text))
      } catch {
        problems.append(error)
      }
    }
    guard problems.isEmpty else { throw Diagnostics(problems) }
    return requests
  }

  private init(_ text: String) throws(Diagnostic) {
    self.text = text
    var kind: SimulatedFault.Kind?
    for part in text.split(separator: ",") {
      let halves = part.split(separator: "=", maxSplits: 1).map(String.init)
      guard halves.count == 2 else { throw Self.unreadable(text, String(part)) }
      switch halves[0] {
      case "host": host = halves[1]
      case "step": step = halves[1]
      case "kind":
        kind = SimulatedFault.Kind(rawValue: halves[1])
        if kind == nil { throw Self.unknownKind(halves[1]) }
      default: throw Self.unreadable(text, String(part))
      }
    }
    guard let kind else { throw Self.unreadable(text, nil) }
    self.kind = kind
  }

  private static func unknownKind(_ word: String) -> Diagnostic {
    let known = SimulatedFault.Kind.allCases.map(\.rawValue)
    return Diagnostic(
      "no kind of fault is called \"\(word)\"",
      reason: "there are: \(known.joined(separator: ", "))",
      remedy: suggestion(for: word, among: known))
  }

  private static func unreadable(_ text: String, _ part: String?) -> Diagnostic {
    Diagnostic(
      "--fault \"\(text)\" cannot be read",
      reason: part.map { "\"\($0)\" is none of kind=, host= and step=" } ?? "it has no kind=",
      remedy: "write, for example, kind=lost,host=master-2,step='*#restart'")
  }
}

extension FaultRequest {
  /// The faults as they strike in one plan.
  ///
  /// - Throws: every host and step that the plan does not have, with the nearest name.
  static func place(
    _ requests: [FaultRequest], in setup: SimulationSetup
  ) throws(Diagnostics) -> [SimulatedFault] {
    var problems: [Diagnostic] = []
    var faults: [SimulatedFault] = []
    for request in requests {
      do throws(Diagnostic) {
        faults += try request.placed(in: setup)
      } catch {
        problems.append(error)
      }
    }
    guard problems.isEmpty else { throw Diagnostics(problems) }
    return faults
  }

  private func placed(in setup: SimulationSetup) throws(Diagnostic) -> [SimulatedFault] {
    let host = try host.map { (name) throws(Diagnostic) in try Self.host(name, in: setup) }
    let steps = try steps(on: host, in: setup)
    switch kind {
    case .fail, .broken, .disconnect:
      let struck = step == nil ? Array(steps.prefix(1)) : steps
      guard !struck.isEmpty else { throw noStep(on: host) }
      return struck.map { SimulatedFault(kind, step: $0.id) }
    case .lost, .reboot, .voterDies:
      guard host != nil || step != nil else { throw noPlace }
      let moment = step == nil ? nil : steps.first
      return [SimulatedFault(kind, host: host ?? moment?.host, step: moment?.id)]
    case .ctrlC:
      return [SimulatedFault(kind, step: step == nil ? nil : steps.first?.id)]
    }
  }

  private static func host(
    _ name: String, in setup: SimulationSetup
  ) throws(Diagnostic) -> HostName {
    guard setup.hosts.contains(HostName(name)) else {
      throw Diagnostic(
        "no step of the plan and no voter is on a host \"\(name)\"",
        remedy: suggestion(for: name, among: setup.hosts.map(\.rawValue)))
    }
    return HostName(name)
  }

  /// The steps that the glob names: anywhere, where a voter is to die or a host to be lost beside
  /// them; else only those on the host.
  private func steps(
    on host: HostName?, in setup: SimulationSetup
  ) throws(Diagnostic) -> [Step] {
    let isAnywhere = [.lost, .reboot, .voterDies].contains(kind)
    guard let step else { return setup.graph.steps.filter { host == nil || $0.host == host } }
    let glob = Glob(step)
    let found = setup.graph.steps.filter {
      glob.matches($0.id.description) && (isAnywhere || host == nil || $0.host == host)
    }
    guard found.isEmpty else { return found }
    let names = setup.graph.steps.map(\.id.description)
    throw Diagnostic(
      "no step of the plan matches \"\(step)\"" + (host.map { " on \($0)" } ?? ""),
      reason: names.first.map { "steps are called like \($0)" } ?? "the plan has no steps",
      remedy: suggestion(for: step, among: names) ?? "see them with: helix-infra graph")
  }

  private func noStep(on host: HostName?) -> Diagnostic {
    Diagnostic(
      host.map { "no step of the plan runs on \($0)" } ?? "the plan has no steps",
      remedy: "name a host or a step of the plan; see them with: helix-infra graph")
  }

  private var noPlace: Diagnostic {
    Diagnostic(
      "--fault \"\(text)\" does not say where", reason: "a \(kind.rawValue) strikes a host",
      remedy: "add host=NAME, or step=GLOB for the host of a step")
  }
}
