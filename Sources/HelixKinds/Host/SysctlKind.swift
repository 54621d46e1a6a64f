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
  private let key: String
  private let value: String
  private let file: String
  /// Whether the running kernel is told too, as Ansible does when asked to.
  private let setsNow: Bool

  package init(_ demand: TaskDemand) throws(Diagnostics) {
    let arguments = Arguments(demand)
    host = demand.host
    key = try arguments.required("name")
    value = words(try arguments.required("value")).joined(separator: " ")
    file =
      arguments.text("sysctl_file") == nil
      ? "/etc/sysctl.conf" : try arguments.path("sysctl_file")
    setsNow = arguments.bool("sysctl_set") ?? false || arguments.bool("reload") ?? true
    address = Address(host: host, kind: "sysctl", name: key)
    location = demand.location
    guard key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"'\"\\=;$`".utf8.contains($0) }) else {
      throw Diagnostics(
        Diagnostic("\"\(key)\" is not a kernel parameter", at: arguments.location(of: "name")))
    }
  }

  private struct Setting: Sendable {
    /// Nil when this kernel has no such parameter.
    var running: String?
    /// Nil when the file does not set it.
    var listed: String?
  }

  private var fact: Fact<Setting> {
    Fact(
      "sysctl:\(key)",
      command: """
        if value=$(sysctl -n \(shellQuoted(key)) 2>/dev/null); then echo "running=$value"; fi
        awk -F= -v key=\(shellQuoted(key)) '
          { name = $1; gsub(/[ \\t]/, "", name) }
          name == key { sub(/^[^=]*=/, ""); last = $0; found = 1 }
          END { if (found) print "listed=" last }' \(shellQuoted(file)) 2>/dev/null
        :
        """,
      parse: { answer throws(Diagnostic) in
        let properties = answer.properties
        return Setting(
          running: properties["running"].map { words($0).joined(separator: " ") },
          listed: properties["listed"].map { words($0).joined(separator: " ") })
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
    return .change(
      Work(
        seen.listed == nil ? .create : .update, fields: fields.compactMap(\.self),
        reason: mustSet ? "the kernel runs with another value" : "a reboot would lose it",
        steps: [
          Step(
            StepID(address, "set"), title: "set \(key) to \(value)", host: host,
            instructions: [.run(script: script(setting: mustSet, listing: mustList))])
        ]))
  }

  private func script(setting: Bool, listing: Bool) -> String {
    var lines: [String] = []
    if listing {
      let line = shellQuoted("\(key) = \(value)")
      lines.append(
        """
        file=\(shellQuoted(file))
        mkdir -p "$(dirname "$file")"
        [ -f "$file" ] || : > "$file"
        part="$(dirname "$file")/.$(basename "$file").helix"
        awk -v key=\(shellQuoted(key)) -v line=\(line) '
          { name = $0; sub(/=.*/, "", name); gsub(/[ \\t]/, "", name) }
          name == key && /=/ { if (!done) print line; done = 1; next }
          { print }
          END { if (!done) print line }' "$file" > "$part"
        chmod --reference="$file" "$part"
        sync "$part"
        mv "$part" "$file"
        """)
    }
    if setting { lines.append("sysctl -q -w \(shellQuoted("\(key)=\(value)"))") }
    return lines.joined(separator: "\n")
  }
}

/// The words between white space: the kernel separates a parameter's numbers by tabs.
private func words(_ text: String) -> [String] {
  text.split(whereSeparator: \.isWhitespace).map(String.init)
}
