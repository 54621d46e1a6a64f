package import HelixModel
package import HelixPlan

/// The host's time zone (`community.general.timezone`).
package struct TimezoneKind: ModuleKind {
  package static let module = ModuleSpec(
    names: ["community.general.timezone", "timezone"],
    parameters: [.init("name", required: true)])

  package let address: Address
  package let location: SourceLocation?
  private let host: HostName
  private let zone: String

  package init(_ demand: TaskDemand) throws(Diagnostics) {
    let arguments = Arguments(demand)
    host = demand.host
    zone = try arguments.required("name")
    address = Address(host: host, kind: "timezone")
    location = demand.location
    guard !zone.hasPrefix("/"), !zone.split(separator: "/").contains(".."), !zone.contains(" ")
    else {
      throw Diagnostics(
        Diagnostic(
          "\"\(zone)\" is not a time zone",
          remedy: "write a name from the zone database, for example Europe/Berlin",
          at: arguments.location(of: "name")))
    }
  }

  private struct Zone: Sendable {
    var current: String
    var isKnown: Bool
  }

  private var fact: Fact<Zone> {
    let file = shellQuoted("/usr/share/zoneinfo/\(zone)")
    return Fact(
      "timezone:\(zone)",
      command: """
        echo "current=$(readlink -f /etc/localtime | sed 's#^.*/zoneinfo/##')"
        if [ -f \(file) ]; then echo "wanted=$(readlink -f \(file) | sed 's#^.*/zoneinfo/##')"; fi
        readlink /etc/localtime | sed 's#^.*/zoneinfo/#link=#'
        """,
      parse: { answer throws(Diagnostic) in
        let properties = answer.properties
        // Two names of one zone are one zone: Etc/UTC and UTC.
        let isSame = properties["current"] == properties["wanted"]
        let current = isSame ? self.zone : properties["link"] ?? properties["current"] ?? ""
        return Zone(current: current, isKnown: properties["wanted"] != nil)
      },
      summary: { "\($0.current)\($0.isKnown ? "" : ", wanted zone unknown")" })
  }

  package var questions: [Question] { [Question(fact, on: host)] }

  package func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let seen = try sight.read(fact, on: host)
    guard seen.isKnown else {
      return .refused(
        Diagnostic(
          "\(host) does not know the time zone \"\(zone)\"",
          reason: "there is no /usr/share/zoneinfo/\(zone) on the host",
          remedy: "correct the name, or install tzdata in an earlier play",
          at: .resource(address)))
    }
    guard seen.current != zone else { return .unchanged(reason: "already \(zone)") }
    let target = shellQuoted("/usr/share/zoneinfo/\(zone)")
    let script = """
      ln -sfn \(target) /etc/.localtime.helix
      mv -T /etc/.localtime.helix /etc/localtime
      printf '%s\\n' \(shellQuoted(zone)) > /etc/timezone
      """
    return .change(
      Work(
        .update, fields: [FieldChange("zone", before: seen.current, after: zone)],
        reason: "the host keeps another zone's time",
        steps: [
          Step(
            StepID(address, "set"), title: "set the time zone to \(zone)", host: host,
            instructions: [.run(script: script)])
        ]))
  }
}
