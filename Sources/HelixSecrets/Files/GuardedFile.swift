package import Foundation
package import HelixModel

/// A file that is read, changed and put back whole, unless somebody else changed it meanwhile.
package struct GuardedFile: Sendable {
  /// As the user wrote it.
  package let path: String
  package let bytes: [UInt8]
  /// The path without links, so that a link stays one.
  private let target: String
  private let mode: mode_t

  /// No file of secrets comes near it; more would be a mistake in a path.
  package static let largest = 256 * 1024 * 1024

  /// - Throws: a `Diagnostic` when there is no such file, or it cannot be read.
  package init(reading path: String) throws(Diagnostic) {
    self.path = path
    guard let real = realpath(path, nil) else { throw Self.unreadable(path, code: errno) }
    target = String(cString: real)
    free(real)
    let descriptor = open(target, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.unreadable(path, code: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Self.unreadable(path, code: errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw Diagnostic(
        "\"\(path)\" is no regular file", remedy: "name a file, not a folder or device")
    }
    guard status.st_size <= Self.largest else { throw Self.unreadable(path, code: EFBIG) }
    mode = status.st_mode & 0o7777
    bytes = try Self.contents(descriptor, size: Int(status.st_size), path)
  }

  /// Puts other bytes in the file's place, at once and flushed, with the mode that it had.
  ///
  /// - Throws: a `Diagnostic` when the file was changed since it was read, or cannot be written; it
  ///   is then as it was.
  package func replace(with bytes: [UInt8]) throws(Diagnostic) {
    try Self.replaceAll([(self, bytes)])
  }

  /// Puts other bytes in the places of several files: in all of them, or in none.
  ///
  /// - Throws: a `Diagnostic` when one was changed since it was read, or cannot be written; all are
  ///   then as they were.
  package static func replaceAll(_ files: [(file: GuardedFile, bytes: [UInt8])]) throws(Diagnostic)
  {
    var drafts: [Draft] = []
    defer { for draft in drafts { draft.discard() } }
    for (file, bytes) in files {
      drafts.append(
        try Draft(of: file.target, bytes, mode: file.mode, keepingOld: files.count > 1))
    }
    for (file, _) in files { try file.refuseForeignChange() }
    for (number, draft) in drafts.enumerated() {
      do throws(Diagnostic) {
        try draft.install()
      } catch {
        for done in drafts[..<number].reversed() { done.takeBack() }
        throw error
      }
    }
  }

  private func refuseForeignChange() throws(Diagnostic) {
    let now = try GuardedFile(reading: path)
    guard now.target == target, now.bytes == bytes else {
      throw Diagnostic(
        "\"\(path)\" was changed by somebody else meanwhile",
        reason: "writing it now would undo that", remedy: "look at it, and do it again")
    }
  }

  private static func contents(
    _ descriptor: Int32, size: Int, _ path: String
  ) throws(Diagnostic) -> [UInt8] {
    var bytes: [UInt8] = []
    // One more than there should be, so that the end shows at once.
    var buffer = [UInt8](repeating: 0, count: max(4096, min(size + 1, 1 << 20)))
    bytes.reserveCapacity(size)
    while true {
      let count = Foundation.read(descriptor, &buffer, buffer.count)
      if count == 0 { return bytes }
      if count < 0, errno == EINTR { continue }
      guard count > 0, bytes.count + count <= largest else {
        throw unreadable(path, code: count < 0 ? errno : EFBIG)
      }
      bytes += buffer[..<count]
    }
  }

  private static func unreadable(_ path: String, code: Int32) -> Diagnostic {
    code == ENOENT
      ? Diagnostic("there is no file \"\(path)\"", remedy: "correct the path")
      : Diagnostic("cannot read \"\(path)\"", reason: String(cString: strerror(code)))
  }
}

/// New content beside a file, waiting for its turn.
private struct Draft {
  private let target: String
  private let path: String
  /// The old content, kept under a name of its own until all is done; nil when nothing follows.
  private let old: String?

  init(
    of target: String, _ bytes: [UInt8], mode: mode_t, keepingOld: Bool
  ) throws(Diagnostic) {
    self.target = target
    let folder = (target as NSString).deletingLastPathComponent
    let name = (target as NSString).lastPathComponent
    let nonce = String(UInt32.random(in: .min ... .max), radix: 16)
    path = "\(folder)/.\(name).helix-new-\(nonce)"
    old = keepingOld ? "\(folder)/.\(name).helix-old-\(nonce)" : nil
    try NewFile.write(bytes, to: path, mode: mode)
    if let old, link(target, old) != 0 {
      let code = errno
      unlink(path)
      throw Self.failure(target, code: code)
    }
  }

  func install() throws(Diagnostic) {
    guard rename(path, target) == 0 else { throw Self.failure(target, code: errno) }
    NewFile.flushFolder(of: target)
  }

  func takeBack() {
    if let old { rename(old, target) }
  }

  func discard() {
    unlink(path)
    if let old { unlink(old) }
  }

  private static func failure(_ path: String, code: Int32) -> Diagnostic {
    Diagnostic("cannot write \"\(path)\"", reason: String(cString: strerror(code)))
  }
}

/// Files that are written whole and never over another.
package enum NewFile {
  /// - Throws: a `Diagnostic` when there is a file already, or it cannot be written; nothing is left
  ///   of it then.
  package static func write(
    _ bytes: [UInt8], to path: String, mode: mode_t = 0o600
  ) throws(Diagnostic) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure(path, code: errno) }
    defer { close(descriptor) }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw abandoned(path, code: errno) }
      rest = rest.dropFirst(count)
    }
    guard fchmod(descriptor, mode) == 0, fsync(descriptor) == 0 else {
      throw abandoned(path, code: errno)
    }
    flushFolder(of: path)
  }

  static func flushFolder(of path: String) {
    let folder = (path as NSString).deletingLastPathComponent
    let descriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }

  private static func abandoned(_ path: String, code: Int32) -> Diagnostic {
    unlink(path)
    return failure(path, code: code)
  }

  private static func failure(_ path: String, code: Int32) -> Diagnostic {
    code == EEXIST
      ? Diagnostic(
        "\"\(path)\" is there already", reason: "it is never written over",
        remedy: "name another file, or move that one away")
      : Diagnostic(
        "cannot write \"\(path)\"", reason: String(cString: strerror(code)),
        remedy: "name a file in a folder you may write to")
  }
}
