import Foundation
import HelixModel
internal import Synchronization

/// Reads the user's files from disk and remembers what each one was.
final class DiskSourceReader: SourceReader {
  private let digest: @Sendable (String) -> String
  private let read = Mutex<[String: String]>([:])

  init(digest: @escaping @Sendable (String) -> String) { self.digest = digest }

  /// Every file read so far, with its SHA-256.
  var sources: [String: String] { read.withLock { $0 } }

  func text(of path: String) throws(Diagnostic) -> String? {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    guard exists, !isFolder.boolValue else { return nil }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Diagnostic(
        "\"\(path)\" cannot be read", remedy: "check who owns it and its mode")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw Diagnostic(
        "\"\(path)\" is not text", reason: "it is not valid UTF-8",
        remedy: "save it as UTF-8, or name another file")
    }
    let sum = digest(text)
    read.withLock { $0[path] = sum }
    return text
  }

  func names(in folder: String) -> [String]? {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      return nil
    }
    return names.filter { !$0.hasPrefix(".") }.sorted()
  }
}
