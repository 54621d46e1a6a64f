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
  private let attributes: FileAttributes

  package init(_ demand: TaskDemand) throws(Diagnostics) {
    let arguments = Arguments(demand)
    host = demand.host
    path = try arguments.path("dest")
    attributes = try FileAttributes(arguments)
    address = Address(host: host, kind: "file", name: path)
    location = demand.location
    guard arguments.text("dest")?.hasSuffix("/") != true else {
      throw Diagnostics(
        Diagnostic(
          "\"\(arguments.text("dest") ?? "")\" names a folder",
          reason: "a plan must know the file it writes",
          remedy: "write the file's whole path", at: arguments.location(of: "dest")))
    }
    guard let text = arguments.text("content") else {
      throw Diagnostics(
        Diagnostic(
          "nothing says what \(path) should hold", remedy: "add src or content",
          at: demand.location))
    }
    content = text
  }

  package var questions: [Question] { [Question(Fact.file(path), on: host)] }

  package func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let seen = try sight.read(Fact.file(path), on: host)
    guard seen.sort == .file || seen.sort == .nothing else {
      return .refused(
        Diagnostic(
          "\(path) is \(seen.sort.told), not a file",
          reason: "replacing it by a file could lose what it holds",
          remedy: "remove it by hand, or name another path", at: .resource(address)))
    }
    let fields =
      contentDifference(from: seen, sum: sight.fingerprints.digest(of: content))
      + attributes.differences(from: seen)
    guard !fields.isEmpty else {
      return .unchanged(reason: "content, mode and owner are as they should")
    }
    return .change(
      Work(
        seen.sort == .nothing ? .create : .update, fields: fields,
        reason: seen.sort == .nothing ? "there is no such file" : "it differs",
        steps: [
          Step(
            StepID(address, "write"), title: "write \(path)", host: host,
            instructions: [.write(write(over: seen))])
        ]))
  }

  /// Line by line where both sides are short text, else by checksum.
  private func contentDifference(from seen: FileSeen, sum: String) -> [FieldChange] {
    guard seen.sha256 != sum else { return [] }
    guard seen.sort != .nothing || !content.isEmpty else {
      return [FieldChange("content", after: "empty")]
    }
    let isShort = content.utf8.count <= FileSeen.mostShownBytes
    if isShort, let before = seen.sort == .nothing ? "" : seen.content {
      return [FieldChange("content", diff: unifiedDiff(from: before, to: content))]
    }
    return [FieldChange("sha256", before: seen.sha256, after: sum)]
  }

  private func write(over seen: FileSeen) -> FileWrite {
    FileWrite(
      path: path, content: TemplateText(content),
      mode: attributes.mode ?? seen.mode ?? "0644",
      owner: attributes.owner ?? seen.owner?.name ?? "root",
      group: attributes.group ?? seen.group?.name ?? "root")
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
