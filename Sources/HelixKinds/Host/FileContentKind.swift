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
      .init("src", source), .init("content", mayHoldSecrets: true),
      .init("owner"), .init("group"), .init("mode", .mode),
    ]
  }

  /// Nobody but its owner reads a secret, unless the task says so.
  private static let secretMode = "0600"

  package let address: Address
  package let location: SourceLocation?
  private let host: HostName
  private let path: String
  private let content: TemplateText
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
    guard let text = arguments.written("content") else {
      throw Diagnostics(
        Diagnostic(
          "nothing says what \(path) should hold", remedy: "add src or content",
          at: demand.location))
    }
    content = text
  }

  /// Of a file with secrets in it nothing is asked that would tell them.
  private var fact: Fact<FileSeen> {
    content.holdsSecret ? .sealedFile(path) : .file(path)
  }

  package var questions: [Question] { [Question(fact, on: host)] }

  package func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let seen = try sight.read(fact, on: host)
    guard seen.sort == .file || seen.sort == .nothing else {
      return .refused(
        Diagnostic(
          "\(path) is \(seen.sort.told), not a file",
          reason: "replacing it by a file could lose what it holds",
          remedy: "remove it by hand, or name another path", at: .resource(address)))
    }
    let fields =
      try contentDifference(from: seen, sight.fingerprints) + attributes.differences(from: seen)
      + unasked(seen)
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

  /// The mode of a new file with secrets in it, where the task does not say one.
  private func unasked(_ seen: FileSeen) -> [FieldChange] {
    guard content.holdsSecret, seen.sort == .nothing, attributes.mode == nil else { return [] }
    return [FieldChange("mode", after: Self.secretMode)]
  }

  private func contentDifference(
    from seen: FileSeen, _ fingerprints: any Fingerprinter
  ) throws(Diagnostic) -> [FieldChange] {
    guard let text = content.plain else {
      return try secretDifference(from: seen, fingerprints)
    }
    return plainDifference(from: seen, to: text, sum: fingerprints.digest(of: text))
  }

  /// Secrets by their names, and of what stands on the host nothing but that it is another text.
  private func secretDifference(
    from seen: FileSeen, _ fingerprints: any Fingerprinter
  ) throws(Diagnostic) -> [FieldChange] {
    let wanted = try fingerprints.fingerprint(of: content)
    guard seen.sort == .nothing || seen.fingerprint != wanted else { return [] }
    let shown = content.shown
    guard shown.utf8.count <= FileSeen.mostShownBytes else {
      return [FieldChange("fingerprint", before: seen.fingerprint, after: wanted)]
    }
    let before = seen.sort == .nothing ? "" : "‹another text, which stays on the host›\n"
    return [FieldChange("content", diff: unifiedDiff(from: before, to: shown))]
  }

  /// Line by line where both sides are short text, else by checksum.
  private func plainDifference(
    from seen: FileSeen, to content: String, sum: String
  ) -> [FieldChange] {
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
      path: path, content: content,
      mode: attributes.mode ?? seen.mode ?? (content.holdsSecret ? Self.secretMode : "0644"),
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
