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
  private let isRunning: Bool?
  private let isEnabled: Bool?
  private let isMasked: Bool?
  private let reloads: Bool

  package init(_ demand: TaskDemand) throws(Diagnostics) {
    let arguments = Arguments(demand)
    host = demand.host
    let name = try arguments.required("name")
    unit = name.contains(".") ? name : "\(name).service"
    isRunning = arguments.text("state").map { $0 == "started" }
    isEnabled = arguments.bool("enabled")
    isMasked = arguments.bool("masked")
    reloads = arguments.bool("daemon_reload") ?? false
    address = Address(host: host, kind: "service", name: name)
    location = demand.location
  }

  private struct Unit: Sendable {
    var load: String
    var active: String
    var file: String

    var isActive: Bool { ["active", "activating", "reloading"].contains(active) }
    var isEnabled: Bool { ["enabled", "enabled-runtime", "alias", "static"].contains(file) }
  }

  private var fact: Fact<Unit> {
    Fact(
      "unit:\(unit)",
      command: """
        systemctl show -p LoadState -p ActiveState -p UnitFileState -- \(shellQuoted(unit))
        """,
      parse: { answer throws(Diagnostic) in
        let properties = answer.properties
        guard let load = properties["LoadState"] else {
          throw Diagnostic(
            "systemd does not answer", reason: "systemctl show ended with \(answer.status)",
            remedy: "helix-infra manages services on hosts that run systemd")
        }
        return Unit(
          load: load, active: properties["ActiveState"] ?? "",
          file: properties["UnitFileState"] ?? "")
      },
      summary: { "\($0.load), \($0.isActive ? "running" : "stopped"), \($0.file)" })
  }

  package var questions: [Question] { [Question(fact, on: host)] }

  package func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let seen = try sight.read(fact, on: host)
    var fields: [FieldChange] = []
    var lines = reloads ? ["systemctl daemon-reload"] : []
    func want(
      _ field: String, _ wanted: Bool?, _ isSo: Bool, _ words: (String, String),
      _ verbs: (String, String)
    ) {
      guard let wanted, wanted != isSo else { return }
      fields.append(
        FieldChange(field, before: isSo ? words.0 : words.1, after: wanted ? words.0 : words.1))
      lines.append("systemctl \(wanted ? verbs.0 : verbs.1) -- \(shellQuoted(unit))")
    }
    want("masked", isMasked, seen.load == "masked", ("masked", "unmasked"), ("mask", "unmask"))
    want("at boot", isEnabled, seen.isEnabled, ("enabled", "disabled"), ("enable", "disable"))
    want("state", isRunning, seen.isActive, ("running", "stopped"), ("start", "stop"))
    guard !fields.isEmpty else { return .unchanged(reason: "already as it should be") }
    let stops = isRunning == false && seen.isActive
    return .change(
      Work(
        .update, fields: fields,
        reason: seen.load == "not-found"
          ? "the unit is not there yet; an earlier step must bring it" : "it differs",
        disruption: stops ? "stops \(unit) on \(host)" : nil,
        steps: [
          Step(
            StepID(address, "set"), title: "bring \(unit) to its state", host: host,
            instructions: [.run(script: lines.joined(separator: "\n"))])
        ]))
  }
}
