package import HelixModel
package import HelixPlan

/// A systemd unit that runs or not, now and at boot (`ansible.builtin.systemd`, `service`).
package struct ServiceKind: ModuleKind {
  package static let module = ModuleSpec(
    names: [
      "ansible.builtin.systemd_service", "ansible.builtin.systemd", "systemd_service", "systemd",
      "ansible.builtin.service", "service",
    ],
    parameters: [
      .init("name", required: true, aliases: ["service", "unit"]),
      .init("state", choices: ["started", "stopped"]),
      .init("enabled", .bool),
      .init("masked", .bool),
      .init("daemon_reload", .bool, aliases: ["daemon-reload"]),
    ])

  package let address: Address
  package let location: SourceLocation?
  private let host: HostName
  private let unit: String
  private let mustRun: Bool?
  private let mustBeEnabled: Bool?
  private let mustBeMasked: Bool?
  private let reloads: Bool

  package init(_ demand: TaskDemand) throws(Diagnostics) {
    let arguments = Arguments(demand)
    host = demand.host
    let name = try arguments.required("name")
    unit = Self.unit(name)
    mustRun = arguments.text("state").map { $0 == "started" }
    mustBeEnabled = arguments.bool("enabled")
    mustBeMasked = arguments.bool("masked")
    reloads = arguments.bool("daemon_reload") ?? false
    address = Address(host: host, kind: "service", name: Self.shortName(unit))
    location = demand.location
    guard isPlain(name, and: ":-_.\\@"), name.first != "-" else {
      throw Diagnostics(
        Diagnostic("\"\(name)\" is not a unit's name", at: arguments.location(of: "name")))
    }
    guard !Self.runsK3s(unit) else {
      throw Diagnostics(Self.leftToRole(unit, at: .source(arguments.location(of: "name"))))
    }
    guard mustBeMasked != true || (mustRun != true && mustBeEnabled != true) else {
      throw Diagnostics(
        Diagnostic(
          "\(unit) cannot be masked and yet run", reason: "systemd starts no masked unit",
          remedy: "leave out masked, or stop and disable it", at: arguments.location(of: "masked")))
    }
  }

  private static func runsK3s(_ unit: String) -> Bool {
    K3sRoleOfNode.allCases.contains { unit == "\($0.service).service" }
  }

  /// A task knows nothing of votes: on the servers of a cluster it would stop all of them at once.
  private static func leftToRole(_ unit: String, at place: Diagnostic.Place) -> Diagnostic {
    Diagnostic(
      "\(unit) is no task's to start or stop",
      reason: "a task does all its hosts at once: every voter of etcd, or every agent",
      remedy: "leave it to the role \(K3sRole.role.name), which enables and starts k3s and restarts"
        + " one server at a time", at: place)
  }

  /// Like systemctl, takes a name that does not end in a sort of unit for a service.
  private static func unit(_ name: String) -> String {
    let sorts: Set<Substring> = [
      "automount", "device", "mount", "path", "scope", "service", "slice", "socket", "swap",
      "target", "timer",
    ]
    guard let dot = name.lastIndex(of: "."), sorts.contains(name[name.index(after: dot)...])
    else { return "\(name).service" }
    return name
  }

  private static func shortName(_ unit: String) -> String {
    unit.hasSuffix(".service") ? String(unit.dropLast(".service".count)) : unit
  }

  private var fact: Fact<UnitSeen> {
    Fact(
      "unit:\(unit)",
      command: """
        systemctl show -p Id -p LoadState -p ActiveState -p UnitFileState -p NeedDaemonReload \\
          -p Type -p RemainAfterExit -- \(shellQuoted(unit))
        """,
      parse: { answer throws(Diagnostic) in
        let properties = answer.properties
        guard let load = properties["LoadState"] else {
          throw Diagnostic(
            "systemd does not answer", reason: "systemctl show ended with \(answer.status)",
            remedy: "helix-infra manages services on hosts that run systemd")
        }
        return UnitSeen(
          id: properties["Id"] ?? unit, load: load, active: properties["ActiveState"] ?? "",
          file: properties["UnitFileState"] ?? "",
          runsOnce: properties["Type"] == "oneshot" && properties["RemainAfterExit"] == "no",
          isOutdated: reloads && properties["NeedDaemonReload"] == "yes")
      }, summary: \.summary)
  }

  package var questions: [Question] { [Question(fact, on: host)] }

  package func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let seen = try sight.read(fact, on: host)
    guard !Self.runsK3s(seen.id) else {
      return .refused(Self.leftToRole(seen.id, at: .resource(address)))
    }
    let staysMasked = seen.isMasked && mustBeMasked != false
    guard !staysMasked || (mustRun != true && mustBeEnabled != true) else {
      return .refused(
        Diagnostic(
          "\(seen.id) is masked", reason: "somebody made sure that it never starts",
          remedy: "add masked: false to the task, or leave the unit alone",
          at: .resource(address)))
    }
    guard mustRun != true || !seen.runsOnce else {
      return .refused(
        Diagnostic(
          "\(seen.id) does its work and ends", reason: "it would be started anew by every run",
          remedy: "leave out state, or start the timer that calls it", at: .resource(address)))
    }
    let unmet = wishes(of: seen).filter(\.isUnmet)
    let reload = reloads && seen.isOutdated
    guard reload || !unmet.isEmpty else { return .unchanged(reason: contentment(with: seen)) }
    let fields =
      (reload ? [FieldChange("definition", before: "outdated", after: "read anew")] : [])
      + unmet.map(\.field)
    let lines =
      (reloads ? ["systemctl daemon-reload"] : [])
      + unmet.map { "systemctl \($0.verb) -- \(shellQuoted(seen.id))" }
    let stops = mustRun == false && seen.isActive
    return .change(
      Work(
        .update, fields: fields,
        reason: seen.isMissing
          ? "the unit is not there yet; an earlier step must bring it" : "it differs",
        disruption: stops ? "stops \(seen.id) on \(host)" : nil,
        steps: [
          Step(
            StepID(address, "set"), title: "bring \(seen.id) to its state", host: host,
            instructions: [.run(script: lines.joined(separator: "\n"))])
        ]))
  }

  /// In the order in which they can come true: a masked unit can neither be enabled nor started.
  private func wishes(of seen: UnitSeen) -> [Wish] {
    [
      Wish(
        "masked", wanted: mustBeMasked, isSo: seen.isMasked, words: ("unmasked", "masked"),
        verbs: ("unmask", "mask")),
      Wish(
        "at boot", wanted: seen.decidesOnBoot ? mustBeEnabled : nil, isSo: seen.isEnabled,
        words: ("disabled", "enabled"), verbs: ("disable", "enable")),
      Wish(
        "state", wanted: mustRun, isSo: seen.isActive, words: ("stopped", "running"),
        verbs: ("stop", "start")),
    ]
  }

  private func contentment(with seen: UnitSeen) -> String {
    mustBeEnabled == nil || seen.decidesOnBoot
      ? "already as it should be"
      : "already as it should be; the unit is \(seen.file), so others decide when it starts"
  }
}

/// Something about a unit that should be so, or not, or does not matter.
private struct Wish {
  let field: FieldChange
  let verb: String
  let isUnmet: Bool

  /// Words and verbs stand in the order no, yes.
  init(
    _ name: String, wanted: Bool?, isSo: Bool, words: (String, String), verbs: (String, String)
  ) {
    isUnmet = wanted != nil && wanted != isSo
    let isWanted = wanted ?? isSo
    field = FieldChange(
      name, before: isSo ? words.1 : words.0, after: isWanted ? words.1 : words.0)
    verb = isWanted ? verbs.1 : verbs.0
  }
}

/// What systemd says of a unit.
private struct UnitSeen: Sendable {
  /// Its own name, where it was asked for by an alias; systemctl enables nothing by an alias.
  var id: String
  var load: String
  var active: String
  var file: String
  /// Whether it is never found running, because it ends by itself.
  var runsOnce: Bool
  /// Whether its files have changed since systemd read them, and somebody asked.
  var isOutdated: Bool

  var isMissing: Bool { load == "not-found" }
  var isMasked: Bool { load == "masked" }
  var isActive: Bool { ["active", "activating", "reloading", "refreshing"].contains(active) }
  /// What is enabled for this boot alone is not at the next.
  var isEnabled: Bool { ["enabled", "alias"].contains(file) }
  /// Units that say nothing of when they start, or that other programs write, stay as they are
  /// whatever `systemctl enable` does.
  var decidesOnBoot: Bool { !["static", "indirect", "generated", "transient"].contains(file) }

  var summary: String {
    let words = [
      "\(id) \(load)", isActive ? "running" : "stopped", file, runsOnce ? "runs once" : "",
      isOutdated ? "outdated" : "",
    ]
    return words.filter { !$0.isEmpty }.joined(separator: ", ")
  }
}
