import Glibc
import HelixModel

/// Reads known_hosts files once for many hosts, again when they have changed, and adds keys that
/// the user lets in.
final class KnownHostsFiles: Sendable {
  private struct Reading {
    let known: KnownHosts
    /// The files as they were before they were read.
    let stamps: [LocalFile.Stamp?]
  }

  /// What was read, by the files' paths, joined.
  private let cache = Lock<[[String]: Reading]>([:])

  /// What the files say; a missing file says nothing.
  func read(_ paths: [String]) async throws(SSHError) -> KnownHosts {
    let earlier = cache.withLock { $0[paths] }
    let result = await blocking { () -> Result<Reading, HostKeyProblem> in
      let stamps = paths.map { LocalFile.Stamp($0) }
      if let earlier, earlier.stamps == stamps { return .success(earlier) }
      return Self.parse(paths).map { Reading(known: $0, stamps: stamps) }
    }
    let reading = try result.mapError(SSHError.hostKey).get()
    cache.withLock { $0[paths] = reading }
    return reading.known
  }

  /// Writes a key at the end of a file, in one piece, and forgets what was read before.
  func append(_ key: HostKey, name: String, to path: String) async throws(SSHError) {
    let line = "\(name) \(key.algorithm) \(Base64.encode(key.blob))\n"
    let result = await blocking { Self.append(line, to: path) }
    cache.withLock { $0 = [:] }
    try result.mapError(SSHError.hostKey).get()
  }

  private static func parse(_ paths: [String]) -> Result<KnownHosts, HostKeyProblem> {
    var known = KnownHosts()
    for path in paths {
      switch LocalFile.read(path, limit: 64 * 1024 * 1024) {
      case .success(let bytes?): known.add(String(decoding: bytes, as: UTF8.self), file: path)
      case .success(nil): continue
      case .failure(let failure):
        return .failure(.unreadable(path: path, reason: failure.reason))
      }
    }
    return .success(known)
  }

  private static func append(_ line: String, to path: String) -> Result<Void, HostKeyProblem> {
    func failed() -> Result<Void, HostKeyProblem> {
      .failure(.unwritable(path: path, reason: LocalFile.Failure.current.reason))
    }
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
      mkdir(String(path[..<slash]), 0o700)
    }
    let descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return failed() }
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_EX) == 0 else { return failed() }
    // A last line without its end would swallow ours.
    var last: UInt8 = UInt8(ascii: "\n")
    let end = lseek(descriptor, 0, SEEK_END)
    if end > 0 { pread(descriptor, &last, 1, end - 1) }
    let text = Array(((last == UInt8(ascii: "\n") ? "" : "\n") + line).utf8)
    guard write(descriptor, text, text.count) == text.count else { return failed() }
    return .success(())
  }
}
