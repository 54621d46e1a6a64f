import Foundation

/// A folder of one test, removed after it.
final class ScratchFolder: Sendable {
  let path: String

  init() throws {
    let template = FileManager.default.temporaryDirectory.appendingPathComponent("helix-XXXXXX")
    var bytes = Array(template.path.utf8CString)
    guard mkdtemp(&bytes) != nil else { throw POSIXError(.EIO) }
    path = String(decoding: bytes.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and the folders it stands in.
  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    let file = URL(fileURLWithPath: "\(path)/\(name)")
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
    return file.path
  }

  /// The paths of all files below a folder, in order.
  func files(below name: String) -> [String] {
    let all = FileManager.default.enumerator(atPath: "\(path)/\(name)")
    return (all?.compactMap { $0 as? String } ?? []).filter { file in
      var status = stat()
      return stat("\(path)/\(name)/\(file)", &status) == 0
        && status.st_mode & S_IFMT == S_IFREG
    }.sorted()
  }

  /// The permission bits of a file.
  func mode(of name: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")[.posixPermissions] as? Int
  }
}
