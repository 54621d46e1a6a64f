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

  private struct Names: Sendable {
    /// The name after a reboot.
    var kept: String
    /// The name the kernel goes by, which the kubelet takes for the node's.
    var running: String

    var told: String { kept == running ? kept : "\(kept), for now \(running)" }
  }

  private static let fact = Fact<Names>(
    "hostname",
    command: """
      IFS= read -r helix_name </proc/sys/kernel/hostname
      echo "running=$helix_name"
      echo "kept=$(sed -n '/^[[:blank:]]*[^#[:blank:]]/{p;q;}' /etc/hostname 2>/dev/null)"
      """,
    parse: { answer throws(Diagnostic) in
      let properties = answer.properties
      guard let running = properties["running"], let kept = properties["kept"] else {
        throw Diagnostic("the host does not tell its name")
      }
      // Without /etc/hostname a host comes up as localhost, whatever it was called by hand.
      let name = trimmed(kept)
      return Names(kept: name.isEmpty ? "localhost" : name, running: trimmed(running))
    }, summary: \.told)

  package var questions: [Question] { [Question(Self.fact, on: host)] }

  package func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let now = try sight.read(Self.fact, on: host)
    guard now.kept != name || now.running != name else {
      return .unchanged(reason: "already \(name)")
    }
    let script = """
      if [ -d /run/systemd/system ]; then
        hostnamectl set-hostname \(name)
      else
        echo \(name) >/etc/hostname
        hostname \(name)
      fi
      """
    return .change(
      Work(
        .update, fields: [FieldChange("name", before: now.told, after: name)],
        reason: "the host calls itself \(now.told)",
        steps: [
          Step(
            StepID(address, "set"), title: "set the hostname to \(name)", host: host,
            instructions: [.run(script: script)])
        ]))
  }
}

/// RFC 1123: labels of letters, digits and inner hyphens; Linux keeps 64 bytes of it.
private func isHostname(_ name: String) -> Bool {
  guard name.utf8.count <= 64 else { return false }
  return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
    (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
      && isPlain(String(label), and: "-")
  }
}
