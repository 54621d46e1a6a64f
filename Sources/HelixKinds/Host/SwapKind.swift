package import HelixModel
package import HelixPlan

/// No swap, now and after a reboot (`ansible.posix.mount` with `fstype: swap, state: absent`).
///
/// The kubelet refuses to start on a host that swaps, unless told otherwise.
package struct SwapKind: ModuleKind {
  package static let module = ModuleSpec(
    names: ["ansible.posix.mount", "mount"],
    parameters: [
      .init("path", aliases: ["name"]), .init("src"),
      .init("fstype", required: true, choices: ["swap"]),
      .init("state", required: true, choices: ["absent"]),
    ])

  package let address: Address
  package let location: SourceLocation?
  private let host: HostName

  package init(_ demand: TaskDemand) throws(Diagnostics) {
    host = demand.host
    address = Address(host: host, kind: "swap")
    location = demand.location
  }

  private struct Swap: Sendable {
    /// Devices and files swapped to now.
    var active: [String]
    /// Lines of /etc/fstab that would swap again.
    var listed: [String]
  }

  private static let fact = Fact<Swap>(
    "swap",
    command: """
      awk 'NR > 1 { print "active=" $1 }' /proc/swaps
      awk '$1 !~ /^#/ && $3 == "swap" { print "listed=" $1 }' /etc/fstab 2>/dev/null
      :
      """,
    parse: { answer throws(Diagnostic) in
      func all(_ name: String) -> [String] {
        answer.output.split(separator: "\n").filter { $0.hasPrefix("\(name)=") }
          .map { String($0.dropFirst(name.count + 1)) }
      }
      return Swap(active: all("active"), listed: all("listed"))
    },
    summary: {
      "active \($0.active.joined(separator: " ")), in fstab \($0.listed.joined(separator: " "))"
    })

  package var questions: [Question] { [Question(Self.fact, on: host)] }

  package func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let swap = try sight.read(Self.fact, on: host)
    guard !(swap.active.isEmpty && swap.listed.isEmpty) else {
      return .unchanged(reason: "there is no swap")
    }
    // The lines stay as comments, so that a person can see what was there.
    let script = """
      swapoff -a
      if [ -f /etc/fstab ]; then
        awk '$1 !~ /^#/ && $3 == "swap" { print "#" $0; next } { print }' /etc/fstab \\
          > /etc/.fstab.helix
        chmod --reference=/etc/fstab /etc/.fstab.helix
        sync /etc/.fstab.helix
        mv /etc/.fstab.helix /etc/fstab
      fi
      """
    let fields = [
      FieldChange.ifDifferent("active", before: told(swap.active), after: nil),
      FieldChange.ifDifferent("in /etc/fstab", before: told(swap.listed), after: nil),
    ]
    return .change(
      Work(
        .delete, fields: fields.compactMap(\.self), reason: "the kubelet wants no swap",
        steps: [
          Step(
            StepID(address, "off"), title: "turn swap off, now and at boot", host: host,
            instructions: [.run(script: script)])
        ]))
  }

  private func told(_ names: [String]) -> String? {
    names.isEmpty ? nil : names.joined(separator: ", ")
  }
}
