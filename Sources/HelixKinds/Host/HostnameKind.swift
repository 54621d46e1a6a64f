package import HelixModel
package import HelixPlan

/// The name a host gives itself (`ansible.builtin.hostname`).
package struct HostnameKind: ModuleKind {
  package static let module = ModuleSpec(
    names: ["ansible.builtin.hostname", "hostname"],
    parameters: [.init("name", required: true)])

  package let address: Address
  package let location: SourceLocation?
  private let host: HostName
  private let name: String

  package init(_ demand: TaskDemand) throws(Diagnostics) {
    let arguments = Arguments(demand)
    host = demand.host
    name = try arguments.required("name")
    address = Address(host: host, kind: "hostname")
    location = demand.location
    guard isHostname(name) else {
      throw Diagnostics(
        Diagnostic(
          "\"\(name)\" is not a hostname",
          reason: "a hostname has letters, digits, dots and hyphens, and begins with neither",
          at: arguments.location(of: "name")))
    }
  }

  private static let fact = Fact<String>(
    "hostname", command: "cat /etc/hostname 2>/dev/null || uname -n",
    parse: { answer throws(Diagnostic) in trimmed(answer.output) }, summary: { $0 })

  package var questions: [Question] { [Question(Self.fact, on: host)] }

  package func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let now = try sight.read(Self.fact, on: host)
    guard now != name else { return .unchanged(reason: "already \(name)") }
    let script = """
      if command -v hostnamectl >/dev/null; then
        hostnamectl set-hostname \(shellQuoted(name))
      else
        printf '%s\\n' \(shellQuoted(name)) > /etc/hostname
        hostname \(shellQuoted(name))
      fi
      """
    return .change(
      Work(
        .update, fields: [FieldChange("name", before: now, after: name)],
        reason: "the host calls itself \(now)",
        steps: [
          Step(
            StepID(address, "set"), title: "set the hostname to \(name)", host: host,
            instructions: [.run(script: script)])
        ]))
  }
}

/// RFC 1123: labels of letters, digits and inner hyphens.
private func isHostname(_ name: String) -> Bool {
  guard name.utf8.count <= 64 else { return false }
  return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
    !label.isEmpty && label.first != "-" && label.last != "-"
      && label.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }
}
