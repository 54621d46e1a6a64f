package import HelixModel
package import HelixPlan

/// A file with exactly this content, owner and mode (`ansible.builtin.copy`).
package struct FileContentKind: ModuleKind {
  package static let module = ModuleSpec(
    names: ["ansible.builtin.copy", "copy"],
    parameters: parameters(source: .sourceFile(rendered: false)))

  /// The parameters of a file whose text stands beside the playbook, as it is or as a template.
  fileprivate static func parameters(
    source: ModuleSpec.ParameterType
  ) -> [ModuleSpec.Parameter] {
    [
      .init("dest", .path, required: true),
      .init("src", source), .init("content"),
      .init("owner"), .init("group"), .init("mode", .mode),
    ]
  }

  package let address: Address
  package let location: SourceLocation?
  private let host: HostName
  private let path: String
  private let content: String
  private let mode: String?
  private let owner: String?
  private let group: String?

  package init(_ demand: TaskDemand) throws(Diagnostics) {
    let arguments = Arguments(demand)
    host = demand.host
    path = try arguments.path("dest")
    content = arguments.text("content") ?? ""
    mode = try arguments.mode("mode")
    owner = arguments.text("owner")
    group = arguments.text("group")
    address = Address(host: host, kind: "file", name: path)
    location = demand.location
    guard !path.hasSuffix("/") else {
      throw Diagnostics(
        Diagnostic(
          "\"\(path)\" names a folder", reason: "a plan must know the file it writes",
          remedy: "write the file's whole path", at: arguments.location(of: "dest")))
    }
  }

  package var questions: [Question] { [Question(Fact.file(path), on: host)] }

  package func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let seen = try sight.read(Fact.file(path), on: host)
    guard seen.sort == .file || seen.sort == .nothing else {
      return .refused(
        Diagnostic(
          "\(path) is a \(seen.sort.rawValue), not a file",
          reason: "replacing it by a file could lose what it holds",
          remedy: "remove it by hand, or name another path", at: .resource(address)))
    }
    let fields = differences(from: seen, sum: sight.fingerprints.digest(of: content))
    guard !fields.isEmpty else { return .unchanged(reason: "content and mode are as they should") }
    let write = FileWrite(
      path: path, content: TemplateText(content),
      mode: mode ?? (seen.mode.isEmpty ? "0644" : seen.mode),
      owner: owner ?? (seen.owner.isEmpty ? "root" : seen.owner),
      group: group ?? (seen.group.isEmpty ? "root" : seen.group))
    return .change(
      Work(
        seen.sort == .nothing ? .create : .update, fields: fields,
        reason: seen.sort == .nothing ? "there is no such file" : "it differs",
        steps: [
          Step(
            StepID(address, "write"), title: "write \(path)", host: host,
            instructions: [.write(write)])
        ]))
  }

  private func differences(from seen: FileSeen, sum: String) -> [FieldChange] {
    var fields: [FieldChange] = []
    if seen.sha256 != sum {
      if seen.sort == .file, seen.content == nil {
        fields.append(FieldChange("sha256", before: seen.sha256, after: sum))
      } else {
        let diff = unifiedDiff(from: seen.content ?? "", to: content)
        fields.append(FieldChange("content", diff: diff))
      }
    }
    guard seen.sort == .file else {
      return fields.isEmpty ? [FieldChange("content", after: "empty")] : fields
    }
    for (name, before, after) in [
      ("mode", seen.mode, mode), ("owner", seen.owner, owner), ("group", seen.group, group),
    ] {
      guard let after else { continue }
      if let field = FieldChange.ifDifferent(name, before: before, after: after) {
        fields.append(field)
      }
    }
    return fields
  }
}

/// A file made from a template (`ansible.builtin.template`); the playbook room has filled it in.
package struct TemplateFileKind: ModuleKind {
  package static let module = ModuleSpec(
    names: ["ansible.builtin.template", "template"],
    parameters: FileContentKind.parameters(source: .sourceFile(rendered: true)))

  private let file: FileContentKind

  package init(_ demand: TaskDemand) throws(Diagnostics) { file = try FileContentKind(demand) }

  package var address: Address { file.address }
  package var location: SourceLocation? { file.location }
  package var questions: [Question] { file.questions }

  package func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    try file.verdict(&sight)
  }
}
