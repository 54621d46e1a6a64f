internal import Foundation

/// Sees whether git tracks a file, from the index's bytes alone.
///
/// A guard against an accident, not a proof: an index with compressed names (version 4) is not
/// understood, and then nothing is said.
enum GitIndex {
  /// Whether the index of the repository around a file names it; the path is absolute.
  static func names(_ path: String) -> Bool {
    guard let (root, index) = repository(around: path),
      let data = try? Data(contentsOf: URL(fileURLWithPath: index), options: .mappedIfSafe)
    else { return false }
    let name = Array(path.utf8.dropFirst(root == "/" ? 1 : root.utf8.count + 1))
    return data.withUnsafeBytes { holds(entry: name, in: $0) }
  }

  /// The nearest folder above with a `.git`, and that repository's index.
  private static func repository(around path: String) -> (root: String, index: String)? {
    var folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    for _ in 0..<256 {
      let git = folder.appendingPathComponent(".git")
      if let gitFolder = resolvedGitFolder(git, in: folder) {
        return (folder.path, gitFolder.appendingPathComponent("index").path)
      }
      guard folder.path != "/" else { return nil }
      folder.deleteLastPathComponent()
    }
    return nil
  }

  /// Worktrees and submodules have a file there that says where the folder is.
  private static func resolvedGitFolder(_ git: URL, in folder: URL) -> URL? {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: git.path, isDirectory: &isFolder) else {
      return nil
    }
    if isFolder.boolValue { return git }
    guard let text = try? String(contentsOf: git, encoding: .utf8), text.hasPrefix("gitdir: ")
    else { return nil }
    let target = text.dropFirst("gitdir: ".count).trimmingCharacters(in: .newlines)
    return URL(fileURLWithPath: target, relativeTo: folder)
  }

  /// Whether an entry stands in the index: its length or flags, its name, and NUL.
  private static func holds(entry name: [UInt8], in index: UnsafeRawBufferPointer) -> Bool {
    let wanted = name + [0]
    guard let base = index.baseAddress, let first = wanted.first else { return false }
    var start = 1
    while start + wanted.count <= index.count {
      let reach = index.count - start - wanted.count + 1
      guard let found = memchr(base + start, Int32(first), reach) else { return false }
      let offset = base.distance(to: UnsafeRawPointer(found))
      // Any other byte before it belongs to a longer name that only ends the same way.
      let before = index[offset - 1]
      if before == 0 || before == UInt8(truncatingIfNeeded: name.count),
        memcmp(found, wanted, wanted.count) == 0
      {
        return true
      }
      start = offset + 1
    }
    return false
  }
}
