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
    guard isPlain(zone, and: "_+-/"), !zone.hasPrefix("/"), !zone.hasPrefix("-") else {
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

  private var file: String { "/usr/share/zoneinfo/\(zone)" }

  private var fact: Fact<Zone> {
    Fact(
      "timezone:\(zone)",
      command: """
        if [ -L /etc/localtime ]; then
          echo "link=$(readlink /etc/localtime)"
          echo "current=$(readlink -f /etc/localtime)"
        elif [ -e /etc/localtime ]; then echo link=copy
        fi
        if [ "$(head -c 4 \(file) 2>/dev/null)" = TZif ]; then
          echo "wanted=$(readlink -f \(file))"
        fi
        """,
      parse: { answer throws(Diagnostic) in reading(answer.properties) },
      summary: { "\($0.current)\($0.isKnown ? "" : ", wanted zone unknown")" })
  }

  private func reading(_ properties: [String: String]) -> Zone {
    let wanted = properties["wanted"]
    // Two names of one zone are one zone: Etc/UTC and UTC.
    if let wanted, wanted == properties["current"] { return Zone(current: zone, isKnown: true) }
    let current =
      switch properties["link"] {
      case nil: "none, which is UTC"
      case "copy": "a file that is no link"
      case let link?: Self.name(of: link)
      }
    return Zone(current: current, isKnown: wanted != nil)
  }

  /// The zone a link points to: what follows the zone database's folder.
  static func name(of link: String) -> String {
    guard let folder = link.firstRange(of: "zoneinfo/") else { return link }
    return String(link[folder.upperBound...])
  }

  package var questions: [Question] { [Question(fact, on: host)] }

  package func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let seen = try sight.read(fact, on: host)
    guard seen.isKnown else {
      return .refused(
        Diagnostic(
          "\(host) does not know the time zone \"\(zone)\"",
          reason: "there is no zone in \(file) on the host",
          remedy: "correct the name, or install tzdata in an earlier play",
          at: .resource(address)))
    }
    guard seen.current != zone else { return .unchanged(reason: "already \(zone)") }
    // Only older Debians keep the name in a file too; it is not made where it is not used.
    let script = """
      ln -sfn \(file) /etc/.localtime.helix
      mv -fT /etc/.localtime.helix /etc/localtime
      if [ -f /etc/timezone ]; then echo \(zone) >/etc/timezone; fi
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
