/// Why a file could not be brought to a host.
enum UploadProblem: Hashable, Sendable {
  /// The local file is no longer what it was when sending began.
  case changed(path: String)
  /// The local file never had the SHA-256 that was asked for.
  case unexpected(path: String, sum: String)
  /// The host found another SHA-256, though the local file's is right.
  case damaged(destination: String)
  /// The host could not take it; what it said.
  case unwritten(destination: String, status: Int, lines: [String])
  case overtaken(destination: String)
  case outOfTime(destination: String, after: Duration, sent: Int, total: Int)
}
