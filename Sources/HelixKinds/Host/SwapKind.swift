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
      awk 'BEGIN {
        while ((getline < "/proc/swaps") > 0) if (++line > 1) print "active=" $1
        while ((getline < "/etc/fstab") > 0) if ($1 !~ /^#/ && $3 == "swap") print "listed=" $1
      }'
      """,
    parse: { answer throws(Diagnostic) in
      Swap(active: answer.values(of: "active"), listed: answer.values(of: "listed"))
    },
    summary: { "active \(told($0.active) ?? "none"), in fstab \(told($0.listed) ?? "none")" })

  package var questions: [Question] { [Question(Self.fact, on: host)] }

  package func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let swap = try sight.read(Self.fact, on: host)
    guard !(swap.active.isEmpty && swap.listed.isEmpty) else {
      return .unchanged(reason: "there is no swap")
    }
    let fields = [
      FieldChange.ifDifferent("active", before: Self.told(swap.active), after: nil),
      FieldChange.ifDifferent("in /etc/fstab", before: Self.told(swap.listed), after: nil),
    ]
    return .change(
      Work(
        .delete, fields: fields.compactMap(\.self), reason: "the kubelet wants no swap",
        steps: [
          Step(
            StepID(address, "off"), title: "turn swap off, now and at boot", host: host,
            instructions: [.run(script: script(for: swap))], timeout: 600)
        ]))
  }

  /// What is swapped out must fit back into memory, which may take its time.
  private func script(for swap: Swap) -> String {
    var lines: [String] = []
    if !swap.active.isEmpty { lines.append("swapoff -a") }
    if !swap.listed.isEmpty {
      // The lines stay as comments, so that a person can see what was there.
      lines.append(
        rewriting(
          "/etc/fstab", by: ##"$1 !~ /^#/ && $3 == "swap" { print "#" $0; next } { print }"##))
    }
    return lines.joined(separator: "\n")
  }

  private static func told(_ names: [String]) -> String? {
    names.isEmpty ? nil : names.joined(separator: ", ")
  }
}
