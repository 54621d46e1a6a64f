/// Reads the user's files; paths are as the user wrote them, relative to the working folder.
package protocol SourceReader: Sendable {
  /// The whole text of a file; nil when there is no such file.
  ///
  /// - Throws: a `Diagnostic` when it is there but cannot be read as UTF-8 text.
  func text(of path: String) throws(Diagnostic) -> String?
  /// Names of the files and folders in a folder, sorted; nil when there is no such folder.
  func names(in folder: String) -> [String]?
}
