internal import Foundation
internal import HelixModel

/// Brings one file of a known checksum from a mirror into the cache.
struct Download: Sendable {
  let artifact: ArtifactReference
  let source: RemoteFile
  let sum: String
  let cache: ArtifactCache
  /// How long a server may say nothing, in seconds.
  let silence: Int
  /// Where the list that gave the sum is kept, to name it when the two do not fit.
  let list: String

  /// No release file comes near this; a mirror that sends on and on must not fill the disk.
  private static let largest = 8 << 30
  /// How often one run goes on after a connection broke, each time from where it stopped.
  private static let attempts = 5

  /// The cached file.
  ///
  /// Another process may be bringing the same file: the lock lets one work, and the others find
  /// what it brought.
  func run() async throws -> String {
    let (file, part, lock) = (cache.file(sum), cache.part(sum), cache.lock(sum))
    for path in [file, lock] { try cache.makeRoom(for: path) }
    return try await FileLock.holding(lock) {
      if let ready = await cache.verified(sum) { return ready }
      try await bring(to: part)
      try await cache.adopt(part, as: file)
      return file
    }
  }

  /// Fills the part until it has the right bytes.
  private func bring(to part: String) async throws {
    if size(of: part) > 0, await blocking({ fileDigest(part) }) == sum { return }
    let isPieced = try await fill(part)
    var found = await blocking { fileDigest(part) }
    if found != sum, isPieced {
      // The pieces may be of two different files; only a whole one tells what the mirror has.
      unlink(part)
      _ = try await fill(part)
      found = await blocking { fileDigest(part) }
    }
    guard found == sum else {
      unlink(part)
      throw Problem.wrongFile(artifact, from: source, expected: sum, got: found, list: list)
    }
  }

  /// Fetches until the body is whole; says whether it came in more than one piece.
  private func fill(_ part: String) async throws -> Bool {
    var isPieced = size(of: part) > 0
    for attempt in 1...Self.attempts {
      let before = size(of: part)
      do {
        try await Transfer.fetch(
          source.url, into: part, silence: silence, limit: Self.largest)
        break
      } catch TransferFailure.staleRange where attempt < Self.attempts {
        unlink(part)
      } catch TransferFailure.broken where size(of: part) > before && attempt < Self.attempts {
        isPieced = true
      } catch let failure as TransferFailure {
        throw Problem.transfer(failure, of: artifact.file, from: source, into: part)
      }
    }
    return isPieced
  }

  private func size(of path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
  }
}
