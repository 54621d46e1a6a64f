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
  /// How much is asked for at once, and so the most that waits in memory for the disk.
  private static let piece = 32 << 20
  /// How often one run goes on after a connection broke, each time from where it stopped.
  private static let restarts = 5

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

  /// Fetches until the file is whole; says whether something was in the way, so that what is there
  /// may not be of one make.
  private func fill(_ part: String) async throws -> Bool {
    var isPieced = size(of: part) > 0
    var restarts = 0
    while true {
      let before = size(of: part)
      do {
        let isWhole = try await Transfer.fetch(
          source.url, into: part, piece: Self.piece, silence: silence, limit: Self.largest)
        if isWhole { return isPieced }
        guard size(of: part) > before else { throw TransferFailure.staleRange }
      } catch TransferFailure.staleRange where restarts < Self.restarts {
        unlink(part)
        restarts += 1
      } catch TransferFailure.broken where size(of: part) > before && restarts < Self.restarts {
        isPieced = true
        restarts += 1
      } catch let failure as TransferFailure {
        throw Problem.transfer(failure, of: artifact.file, from: source, into: part)
      }
    }
  }

  private func size(of path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
  }
}
