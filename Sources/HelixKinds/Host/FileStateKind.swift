package import HelixModel
package import HelixPlan

/// A folder, a link, or nothing at a path (`ansible.builtin.file`).
package struct FileStateKind: ModuleKind {
  package static let module = ModuleSpec(
    names: ["ansible.builtin.file", "file"],
    parameters: [
      .init("path", .path, required: true, aliases: ["dest", "name"]),
      .init("state", required: true, choices: ["directory", "link", "absent"]),
      .init("src"),
      .init("owner"), .init("group"), .init("mode", .mode),
    ])

  private enum State {
    case directory
    case link(to: String)
    case absent
  }

  package let address: Address
  package let location: SourceLocation?
  private let host: HostName
  private let path: String
  private let state: State
  private let mode: String?
  private let owner: String?
  private let group: String?

  package init(_ demand: TaskDemand) throws(Diagnostics) {
    let arguments = Arguments(demand)
    host = demand.host
    path = try arguments.path("path")
    mode = try arguments.mode("mode")
    owner = arguments.text("owner")
    group = arguments.text("group")
    address = Address(host: host, kind: "file", name: path)
    location = demand.location
    switch arguments.text("state") {
    case "directory": state = .directory
    case "link": state = .link(to: try arguments.required("src"))
    default: state = .absent
    }
    guard !["/", "/etc", "/usr", "/var", "/home", "/root", "/boot", "/bin", "/lib"].contains(path)
    else {
      throw Diagnostics(
        Diagnostic(
          "\"\(path)\" is not for a playbook to make or remove",
          reason: "the host cannot live without it", at: arguments.location(of: "path")))
    }
  }

  package var questions: [Question] { [Question(Fact.file(path), on: host)] }

  package func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let seen = try sight.read(Fact.file(path), on: host)
    return switch state {
    case .directory: directory(seen)
    case .link(let target): link(seen, to: target)
    case .absent: absence(seen)
    }
  }

  private func directory(_ seen: FileSeen) -> Verdict {
    guard seen.sort == .directory || seen.sort == .nothing else { return inTheWay(seen) }
    var fields = seen.sort == .nothing ? [FieldChange("folder", after: path)] : []
    var lines = ["mkdir -p \(shellQuoted(path))"]
    if let mode, seen.mode != mode {
      fields.append(FieldChange("mode", before: told(seen.mode), after: mode))
      lines.append("chmod \(mode) \(shellQuoted(path))")
    }
    if let owner, seen.owner != owner {
      fields.append(FieldChange("owner", before: told(seen.owner), after: owner))
      lines.append("chown \(shellQuoted(owner)) \(shellQuoted(path))")
    }
    if let group, seen.group != group {
      fields.append(FieldChange("group", before: told(seen.group), after: group))
      lines.append("chgrp \(shellQuoted(group)) \(shellQuoted(path))")
    }
    guard !fields.isEmpty else { return .unchanged(reason: "the folder is as it should be") }
    return change(
      seen.sort == .nothing ? .create : .update, fields: fields,
      reason: seen.sort == .nothing ? "there is no such folder" : "it differs",
      step: "make", title: "make the folder \(path)", script: lines.joined(separator: "\n"))
  }

  private func link(_ seen: FileSeen, to target: String) -> Verdict {
    guard seen.sort == .link || seen.sort == .nothing else { return inTheWay(seen) }
    guard seen.target != target else { return .unchanged(reason: "already links to \(target)") }
    let temporary = shellQuoted("\(path).helix")
    return change(
      seen.sort == .nothing ? .create : .update,
      fields: [FieldChange("target", before: seen.target, after: target)],
      reason: seen.sort == .nothing ? "there is no such link" : "it points elsewhere",
      step: "link", title: "link \(path) to \(target)",
      script: """
        ln -sfn \(shellQuoted(target)) \(temporary)
        mv -T \(temporary) \(shellQuoted(path))
        """)
  }

  private func absence(_ seen: FileSeen) -> Verdict {
    guard seen.sort != .nothing else { return .unchanged(reason: "there is nothing") }
    return change(
      .delete, fields: [FieldChange(seen.sort.rawValue, before: path)],
      reason: "it should not be there", step: "remove", title: "remove \(path)",
      script: "rm -rf --one-file-system \(shellQuoted(path))")
  }

  private func inTheWay(_ seen: FileSeen) -> Verdict {
    .refused(
      Diagnostic(
        "there is already a \(seen.sort.rawValue) at \(path)",
        reason: "replacing it could lose what it holds",
        remedy: "remove it by hand, or name another path", at: .resource(address)))
  }

  private func change(
    _ action: Action, fields: [FieldChange], reason: String, step: String, title: String,
    script: String
  ) -> Verdict {
    .change(
      Work(
        action, fields: fields, reason: reason,
        steps: [
          Step(
            StepID(address, step), title: title, host: host,
            instructions: [.run(script: script)])
        ]))
  }

  private func told(_ text: String) -> String? { text.isEmpty ? nil : text }
}
