internal import HelixModel
internal import HelixTemplates

/// The files that playbooks name; each is read, and each template taken apart, once.
final class SourceFiles {
  let reader: any SourceReader
  private var texts: [String: String] = [:]
  private var templates: [String: Template] = [:]

  init(_ reader: any SourceReader) { self.reader = reader }

  /// A file's text; nil when there is no such file.
  func text(of path: String) throws(Diagnostic) -> String? {
    if let text = texts[path] { return text }
    let text = try reader.text(of: path)
    texts[path] = text
    return text
  }

  func names(in folder: String) -> [String]? { reader.names(in: folder.isEmpty ? "." : folder) }

  /// The text of a file for `copy`, looked for where Ansible does.
  func file(
    _ path: String, beside folder: String, at place: SourceLocation
  ) throws(Diagnostic) -> String {
    try found(path, in: "files", beside: folder, at: place).text
  }

  /// A file for `template`, taken apart.
  ///
  /// - Throws: all its mistakes.
  func template(
    _ path: String, beside folder: String, at place: SourceLocation
  ) throws(Diagnostics) -> Template {
    let file: (path: String, text: String)
    do { file = try found(path, in: "templates", beside: folder, at: place) } catch {
      throw Diagnostics(error)
    }
    if let template = templates[file.path] { return template }
    let template = try Template(file.text, origin: .file(file.path))
    templates[file.path] = template
    return template
  }

  /// A file of variables, looked for where Ansible does.
  func variables(
    _ path: String, beside folder: String, at place: SourceLocation
  ) throws(Diagnostic) -> (path: String, text: String) {
    try found(path, in: "vars", beside: folder, at: place)
  }

  private func found(
    _ path: String, in subfolder: String, beside folder: String, at place: SourceLocation
  ) throws(Diagnostic) -> (path: String, text: String) {
    let inSubfolder = FilePath.joined(folder, "\(subfolder)/\(path)")
    let beside = FilePath.joined(folder, path)
    let candidates = path.hasPrefix("/") ? [path] : [inSubfolder, beside]
    for candidate in candidates {
      if let text = try text(of: candidate) { return (candidate, text) }
    }
    if let folder = candidates.first(where: { reader.names(in: $0) != nil }) {
      throw Diagnostic(
        "\"\(folder)\" is a folder", reason: "this version of helix-infra copies single files",
        remedy: "name a file in it", at: place)
    }
    let near = names(in: FilePath.folder(of: candidates[0])) ?? []
    throw Diagnostic(
      "there is no file \"\(path)\"",
      reason: "looked for " + candidates.joined(separator: " and "),
      remedy: nearestName(to: FilePath.name(of: path), among: near)
        .map { "did you mean \"\($0)\"?" } ?? "write the file, or correct the path", at: place)
  }
}
