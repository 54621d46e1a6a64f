package import HelixModel
package import HelixPlan

/// A kernel parameter, set now and at boot (`ansible.posix.sysctl`).
package struct SysctlKind: ModuleKind {
  package static let module = ModuleSpec(
    names: ["ansible.posix.sysctl", "sysctl"],
    parameters: [
      .init("name", required: true, aliases: ["key"]),
      .init("value", required: true, aliases: ["val"]),
      .init("state", choices: ["present"]),
      .init("sysctl_file", .path),
      .init("sysctl_set", .bool),
      .init("reload", .bool),
    ])

  package let address: Address
  package let location: SourceLocation?
  private let host: HostName
  private let key: KernelParameter
  private let value: String
  private let file: String
  /// Whether the running kernel is told too, as Ansible does when asked to.
  private let setsNow: Bool

  package init(_ demand: TaskDemand) throws(Diagnostics) {
    let arguments = Arguments(demand)
    host = demand.host
    let name = try arguments.required("name")
    guard let key = KernelParameter(name) else {
      throw Diagnostics(
        Diagnostic(
          "\"\(name)\" is not a kernel parameter",
          remedy: "write its name with dots, for example net.ipv4.ip_forward",
          at: arguments.location(of: "name")))
    }
    self.key = key
    value = singleSpaced(try arguments.required("value"))
    file =
      arguments.text("sysctl_file") == nil
      ? "/etc/sysctl.conf" : try arguments.path("sysctl_file")
    setsNow = arguments.bool("sysctl_set") ?? false || arguments.bool("reload") ?? true
    address = Address(host: host, kind: "sysctl", name: key.name)
    location = demand.location
  }

  private struct Setting: Sendable {
    /// Nil when this kernel has no such parameter.
    var running: String?
    /// Nil when the file does not set it.
    var listed: String?
  }

  private var fact: Fact<Setting> {
    // awk reads the kernel's value as well: one process for each of what are many parameters.
    let program = """
      \(KernelParameter.awkPath)
      BEGIN {
        while ((getline < ENVIRON["file"]) > 0)
          if (/=/ && path($0) == ENVIRON["key"]) { sub(/^[^=]*=/, ""); last = $0; found = 1 }
        if (found) print "listed=" last
        # Last, since mawk ends at a parameter that cannot be read.
        value = ENVIRON["value"]
        if ((getline line < value) > 0) print "running=" line
      }
      """
    // The kernel separates a parameter's numbers by tabs, and people by what they like.
    return Fact(
      "sysctl:\(key.name) in \(file)",
      command: """
        key=\(shellQuoted(key.path)) value=\(shellQuoted(key.file)) file=\(shellQuoted(file)) \
          awk \(shellQuoted(program))
        """,
      parse: { answer throws(Diagnostic) in
        let properties = answer.properties
        return Setting(
          running: properties["running"].map(singleSpaced),
          listed: properties["listed"].map(singleSpaced))
      },
      summary: { "\($0.running ?? "unknown to the kernel"), in file \($0.listed ?? "nothing")" })
  }

  package var questions: [Question] { [Question(fact, on: host)] }

  package func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let seen = try sight.read(fact, on: host)
    let mustSet = setsNow && seen.running != value
    let mustList = seen.listed != value
    guard mustSet || mustList else { return .unchanged(reason: "already \(value)") }
    let fields = [
      mustSet ? FieldChange("running", before: seen.running, after: value) : nil,
      mustList ? FieldChange("in \(file)", before: seen.listed, after: value) : nil,
    ]
    // The kernel goes first: what it refuses should not wait in a file for the next boot.
    let scripts = [mustSet ? settingScript : nil, mustList ? listingScript : nil]
    return .change(
      Work(
        seen.listed == nil ? .create : .update, fields: fields.compactMap(\.self),
        reason: reason(for: seen, setting: mustSet),
        steps: [
          Step(
            StepID(address, "set"), title: "set \(key.name) to \(value)", host: host,
            instructions: [
              .run(script: scripts.compactMap(\.self).joined(separator: "\n"))
            ])
        ]))
  }

  private func reason(for seen: Setting, setting: Bool) -> String {
    guard setting else { return "a reboot would lose it" }
    return seen.running == nil
      ? "the kernel does not know it yet; an earlier step must bring it"
      : "the kernel runs with another value"
  }

  private var settingScript: String {
    "printf '%s\\n' \(shellQuoted(value)) >\(shellQuoted(key.file))"
  }

  private var listingScript: String {
    rewriting(
      file, with: [("key", key.path), ("line", "\(key.name) = \(value)")],
      by: """
        \(KernelParameter.awkPath)
        /=/ && path($0) == ENVIRON["key"] { if (!done) print ENVIRON["line"]; done = 1; next }
        { print }
        END { if (!done) print ENVIRON["line"] }
        """)
  }
}

/// The name of a kernel parameter in both of its forms.
///
/// As sysctl.d(5) has it: when the first separator is a dot, dots divide and a slash stands for a
/// dot within a name (`net.ipv4.conf.eth0/1.rp_filter`); when it is a slash, it is a path.
private struct KernelParameter: Sendable {
  /// With dots, as people write it.
  let name: String
  /// With slashes, below /proc/sys.
  let path: String

  var file: String { "/proc/sys/\(path)" }

  init?(_ text: String) {
    guard isPlain(text, and: "_-./:@+"), text.first != "-" else { return nil }
    let isPath = text.first { $0 == "." || $0 == "/" } == "/"
    path = isPath ? text : Self.exchanged(text)
    name = isPath ? Self.exchanged(text) : text
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count > 1, !parts.contains(where: { ["", ".", ".."].contains($0) }) else {
      return nil
    }
  }

  private static func exchanged(_ text: String) -> String {
    String(text.map { $0 == "." ? "/" : $0 == "/" ? "." : $0 })
  }

  /// An awk function that tells the path a line of a sysctl file speaks of.
  static let awkPath = #"""
    function path(line) {
      sub(/=.*/, "", line); gsub(/[ \t\r]/, "", line); sub(/^-/, "", line)
      if (line ~ /^[^.\/]*\//) return line
      gsub(/\./, "\n", line); gsub(/\//, ".", line); gsub(/\n/, "/", line)
      return line
    }
    """#
}
