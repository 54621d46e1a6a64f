extension UploadProblem {
  /// What people read when a file did not arrive.
  var words: SSHError.Words {
    switch self {
    case .changed(let path):
      .init(
        summary: "\(path) changed while it was being sent",
        reason: "hosts may have got parts of the old and the new file; none was put in use",
        remedy: "wait until nobody writes to it, then run it again")
    case .unexpected(let path, let sum):
      .init(
        summary: "\(path) is not the file it should be",
        reason: "its SHA-256 is \(sum); what arrived was removed",
        remedy: "remove it, so that it is fetched again")
    case .damaged(let destination):
      .init(
        summary: "\(destination) arrived damaged",
        reason: "its SHA-256 on the host is not that of the file sent; what arrived was removed",
        remedy: "check the host's disk and memory, then run it again")
    case .unwritten(let destination, let status, let lines):
      .init(
        summary: "could not write \(destination)", reason: lines.last ?? "exit \(status)",
        remedy: Self.remedy(for: lines))
    case .overtaken(let destination):
      .init(
        summary: "something else writes to \(destination)",
        reason: "the file was replaced while it was being sent",
        remedy: "see whether another run is under way, then run it again")
    case .outOfTime(let destination, let limit, let sent, let total):
      .init(
        summary: "sending \(destination) took longer than \(HelixSSH.words(limit))",
        reason: "\(sent) of \(total) bytes were on their way; whole blocks of them stay",
        remedy: "run it again; it goes on from there")
    }
  }

  private static func remedy(for lines: [String]) -> String {
    func has(_ words: String...) -> Bool {
      lines.contains { line in words.contains(where: line.contains) }
    }
    if has("No space left on device") { return "make room on the host's disk, then run it again" }
    if has("Disk quota exceeded", "File too large") {
      return "raise the host's limit on files or disk use, then run it again"
    }
    if has("Read-only file system") { return "mount the host's file system for writing" }
    if has("Permission denied") { return "let the user that the step becomes write there" }
    if has("not installed", "not found") { return "install what is missing on the host" }
    return "mend what the host says, then run it again"
  }
}
