import Glibc
import HelixModel

/// A file of the operator's, on the machine helix-infra runs on.
struct LocalFile {
  /// Where it is, with `~` replaced.
  let path: String

  init(_ written: String, home: String) {
    path = written == "~" || written.hasPrefix("~/") ? home + written.dropFirst() : written
  }

  /// The text in it; nil when there is no such file.
  func text() throws(Diagnostic) -> String? {
    guard let bytes = try contents(of: path) else { return nil }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Diagnostic("\(path) is not text", at: .host(.controller, address: nil))
    }
    return text
  }

  /// Replaces the file in one move; whoever reads it sees the old text or the new.
  ///
  /// Where the path is a link, as people who keep their settings elsewhere have it, the file behind
  /// it is replaced and the link stays.
  func write(_ text: String, mode: String, nonce: String) throws(Diagnostic) {
    guard let bits = mode_t(mode, radix: 8) else {
      throw Diagnostic("\"\(mode)\" is not a file mode")
    }
    let (folder, name) = Self.halves(of: target)
    try StateFolder.make(folder)
    let part = "\(folder)/.\(name).helix-\(nonce)"
    let descriptor = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw systemFailure("cannot write \(path)") }
    let code =
      Self.fill(descriptor, text, bits) ?? (rename(part, "\(folder)/\(name)") == 0 ? nil : errno)
    close(descriptor)
    if let code {
      unlink(part)
      throw systemFailure("cannot write \(path)", code: code)
    }
    flushFolder(folder)
  }

  private static func fill(_ descriptor: Int32, _ text: String, _ mode: mode_t) -> Int32? {
    if let code = writeAll(text.utf8, to: descriptor) { return code }
    return fchmod(descriptor, mode) == 0 && fsync(descriptor) == 0 ? nil : errno
  }

  /// The path without links; as it is when there is no file yet.
  private var target: String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  private static func halves(of path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let folder = slash == path.startIndex ? "/" : String(path[..<slash])
    return (folder, String(path[path.index(after: slash)...]))
  }
}
