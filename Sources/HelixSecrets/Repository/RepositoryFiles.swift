internal import Foundation

/// Which files a repository has.
package enum RepositoryFiles {
  /// The files in a folder that a commit would take; outside of a repository all files, but for
  /// those of version control.
  package static func paths(in folder: String) -> [String] {
    let paths = GitView(in: folder).files() ?? walked(folder)
    return folder == "." ? paths : paths.map { "\(folder)/\($0)" }
  }

  private static func walked(_ folder: String) -> [String] {
    guard let walk = FileManager.default.enumerator(atPath: folder) else { return [] }
    var paths: [String] = []
    while let path = walk.nextObject() as? String {
      if [".git", ".hg", ".svn"].contains((path as NSString).lastPathComponent) {
        walk.skipDescendants()
      } else {
        paths.append(path)
      }
    }
    return paths.sorted()
  }
}
