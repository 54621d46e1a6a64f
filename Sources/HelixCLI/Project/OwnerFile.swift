import Foundation
import HelixModel

/// Files that only their owner may read.
enum OwnerFile {
  /// Writes a whole file at once, or nothing.
  ///
  /// - Throws: a `Diagnostic` when it cannot be written.
  static func write(_ data: Data, to path: String) throws(Diagnostic) {
    let temporary = "\(path).\(ProcessInfo.processInfo.processIdentifier).part"
    let files = FileManager.default
    try refuseSpecial(path)
    guard
      files.createFile(atPath: temporary, contents: data, attributes: [.posixPermissions: 0o600]),
      rename(temporary, path) == 0
    else {
      let reason = String(cString: strerror(errno))
      try? files.removeItem(atPath: temporary)
      throw Diagnostic(
        "cannot write \"\(path)\"", reason: reason,
        remedy: "name a file in a folder you may write to")
    }
  }

  /// A rename would put the file in the place of a device or a link such as /dev/stdout.
  private static func refuseSpecial(_ path: String) throws(Diagnostic) {
    let kind = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
    guard let kind, kind != .typeRegular else { return }
    throw Diagnostic(
      "cannot write \"\(path)\"", reason: "it is there, and is no regular file",
      remedy: "name a file of its own")
  }
}
