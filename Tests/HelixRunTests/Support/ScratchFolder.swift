import Glibc
import HelixModel
import Testing

@testable import HelixRun

/// A folder of its own for one test, gone when it ends.
struct ScratchFolder: ~Copyable {
  let path: String

  init() throws {
    path = "/tmp/helix-run-tests-\(randomNonce())"
    try #require(mkdir(path, 0o700) == 0)
  }

  deinit { removeTree(path) }

  /// The path of something in the folder.
  func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  func write(_ text: String, to name: String) throws {
    try LocalFile("\(path)/\(name)", home: "").write(text, mode: "0644", nonce: randomNonce())
  }

  func text(of name: String) throws -> String? {
    try contents(of: "\(path)/\(name)").map { String(decoding: $0, as: UTF8.self) }
  }

  /// Names in the folder, hidden ones included, sorted.
  var names: [String] { HelixRun.names(in: path).filter { $0 != "." && $0 != ".." }.sorted() }

  /// The permission bits of something in the folder, in octal.
  func mode(of name: String) -> String? {
    var status = stat()
    guard stat("\(path)/\(name)", &status) == 0 else { return nil }
    return String(status.st_mode & 0o7777, radix: 8)
  }
}

private func removeTree(_ path: String) {
  var status = stat()
  guard lstat(path, &status) == 0 else { return }
  if status.st_mode & S_IFMT == S_IFDIR {
    for name in HelixRun.names(in: path) where name != "." && name != ".." {
      removeTree("\(path)/\(name)")
    }
  }
  _ = remove(path)
}

/// The path of a fixture, read from the source tree.
func fixture(_ name: String, file: String = #filePath) -> String {
  let folders = file.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
  return folders.joined(separator: "/") + "/Fixtures/" + name
}
