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

  /// What no host can live without.
  private static let vital: Set<String> = [
    "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/opt", "/proc", "/root",
    "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/usr/bin", "/usr/lib", "/usr/sbin", "/var",
    "/var/lib",
  ]

  package let address: Address
  package let location: SourceLocation?
  private let host: HostName
  private let path: String
  private let state: State
  private let attributes: FileAttributes

  package init(_ demand: TaskDemand) throws(Diagnostics) {
    let arguments = Arguments(demand)
    host = demand.host
    path = try arguments.path("path")
    attributes = try FileAttributes(arguments)
    address = Address(host: host, kind: "file", name: path)
    location = demand.location
    switch arguments.text("state") {
    case "directory": state = .directory
    case "link": state = .link(to: try arguments.required("src"))
    default: state = .absent
    }
    switch state {
    case .absent where Self.vital.contains(path):
      throw Diagnostics(
        Diagnostic(
          "\"\(path)\" is not for a playbook to remove",
          reason: "the host cannot live without it", at: arguments.location(of: "path")))
    case .link where !attributes.isEmpty:
      throw Diagnostics(
        Diagnostic(
          "a link has no mode and no owner of its own",
          reason: "they would be set on what it points to",
          remedy: "set them where \(path) points, in a task of its own", at: demand.location))
    default: break
    }
  }

  package var questions: [Question] { [Question(Fact.fileAttributes(path), on: host)] }

  package func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let seen = try sight.read(Fact.fileAttributes(path), on: host)
    return switch state {
    case .directory: directory(seen)
    case .link(let target): link(seen, to: target)
    case .absent: absence(seen)
    }
  }

  private func directory(_ seen: FileSeen) -> Verdict {
    guard seen.sort == .directory || seen.sort == .nothing else { return inTheWay(seen) }
    let isNew = seen.sort == .nothing
    let fields =
      (isNew ? [FieldChange("folder", after: path)] : []) + attributes.differences(from: seen)
    guard !fields.isEmpty else { return .unchanged(reason: "the folder is as it should be") }
    return change(
      isNew ? .create : .update, fields: fields,
      reason: isNew ? "there is no such folder" : "it differs",
      step: "make", title: "make the folder \(path)", script: directoryScript)
  }

  private var directoryScript: String {
    let quoted = shellQuoted(path)
    let atBirth = attributes.mode.map { "-m \($0) " } ?? ""
    var lines = ["umask 022", "mkdir -p \(atBirth)\(quoted)"]
    if let owner = attributes.owner { lines.append("chown \(shellQuoted(owner)) \(quoted)") }
    if let group = attributes.group { lines.append("chgrp \(shellQuoted(group)) \(quoted)") }
    // With four digits GNU chmod leaves a folder's set-ID bits as they are; with five it does not.
    if let mode = attributes.mode { lines.append("chmod 0\(mode) \(quoted)") }
    return lines.joined(separator: "\n")
  }

  private func link(_ seen: FileSeen, to target: String) -> Verdict {
    guard seen.sort == .link || seen.sort == .nothing else { return inTheWay(seen) }
    guard seen.target != target else { return .unchanged(reason: "already links to \(target)") }
    let isNew = seen.sort == .nothing
    return change(
      isNew ? .create : .update,
      fields: [FieldChange("target", before: seen.target, after: target)],
      reason: isNew ? "there is no such link" : "it points elsewhere",
      step: "link", title: "link \(path) to \(target)",
      script: """
        path=\(shellQuoted(path))
        part=${path%/*}/.${path##*/}.helix
        ln -sfn -- \(shellQuoted(target)) "$part"
        mv -fT "$part" "$path"
        """)
  }

  private func absence(_ seen: FileSeen) -> Verdict {
    guard seen.sort != .nothing else { return .unchanged(reason: "there is nothing") }
    // What is mounted there or below is not the path's own, and stays.
    return change(
      .delete, fields: [FieldChange(seen.sort.rawValue, before: path)],
      reason: "it should not be there", step: "remove", title: "remove \(path)",
      script: "rm -rf --one-file-system --preserve-root=all \(shellQuoted(path))")
  }

  private func inTheWay(_ seen: FileSeen) -> Verdict {
    .refused(
      Diagnostic(
        "there is already \(seen.sort.told) at \(path)",
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
}
