internal import Foundation
internal import HelixModel

/// The folder that keeps what was downloaded: files by their checksum, lists by mirror and release.
struct ArtifactCache: Sendable {
  let folder: String

  /// The place of a verified file.
  func file(_ sum: String) -> String { "\(folder)/sha256/\(sum)" }

  /// The place of a file that is still coming in.
  func part(_ sum: String) -> String { file(sum) + ".part" }

  /// The place of the lock that lets one process at a time bring a file in.
  func lock(_ sum: String) -> String { "\(folder)/locks/\(sum)" }

  /// The place of a release's list.
  ///
  /// Two mirrors may give one tag to different builds, so each has its lists for itself.
  func list(_ name: String, release: String, mirror: String) -> String {
    "\(folder)/releases/\(percentEncoded(mirror))/\(release)/\(name)"
  }

  /// Makes the folders that a path stands in.
  func makeRoom(for path: String) throws {
    let parent = (path as NSString).deletingLastPathComponent
    do {
      try FileManager.default.createDirectory(
        atPath: parent, withIntermediateDirectories: true)
    } catch {
      throw Problem.cannotWrite(parent, code: posixCode(of: error))
    }
  }

  /// The place of a file whose bytes are right; one whose bytes are not is removed.
  func verified(_ sum: String) async -> String? {
    let path = file(sum)
    guard let found = await blocking({ fileDigest(path) }) else { return nil }
    if found == sum { return path }
    unlink(path)
    return nil
  }

  /// Puts a finished file in its place, on disk before it has its name.
  func adopt(_ draft: String, as path: String) async throws {
    let code = await blocking { settle(draft, as: path) }
    guard code == 0 else { throw Problem.cannotWrite(path, code: code) }
  }
}

/// Flushes, opens to readers and renames; returns an `errno`.
private func settle(_ draft: String, as path: String) -> Int32 {
  let descriptor = open(draft, O_RDWR | O_CLOEXEC)
  guard descriptor >= 0 else { return errno }
  defer { close(descriptor) }
  guard fchmod(descriptor, 0o644) == 0, fsync(descriptor) == 0, rename(draft, path) == 0 else {
    return errno
  }
  // The name itself is on disk only when the folder is.
  let folder = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_CLOEXEC)
  guard folder >= 0 else { return errno }
  defer { close(folder) }
  return fsync(folder) == 0 ? 0 : errno
}

private func posixCode(of error: any Error) -> Int32 {
  let inner = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError ?? error as NSError
  return inner.domain == NSPOSIXErrorDomain ? Int32(inner.code) : EACCES
}
