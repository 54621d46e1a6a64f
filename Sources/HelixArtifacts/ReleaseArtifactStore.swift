internal import Foundation
package import HelixModel

/// Gives release files from a mirror or a folder, verified against the release's own list.
///
/// A mirror's files are kept in a cache by their checksum, and its lists too, since a release never
/// changes: what was fetched once needs no network again.
package struct ReleaseArtifactStore: ArtifactStore {
  private enum Origin {
    case mirror(Mirror)
    case folder(String)
  }

  private let origin: Origin
  private let cache: ArtifactCache
  private let silence: Int
  private let sums = SharedWork<String>()
  private let files = SharedWork<String>()

  /// - Parameters:
  ///   - origin: where release files come from.
  ///   - cache: the folder that keeps them; see `defaultCache(environment:)`.
  ///   - silence: how long a server may say nothing, in seconds.
  /// - Throws: a `Diagnostic` when the mirror's address is not one.
  package init(origin: ArtifactOrigin, cache: String, silence: Int = 30) throws(Diagnostic) {
    self.origin =
      switch origin {
      case .mirror(let address): .mirror(try Mirror(address))
      case .folder(let path): .folder((path as NSString).expandingTildeInPath)
      }
    self.cache = ArtifactCache(folder: cache)
    self.silence = silence
  }

  /// The user's cache folder, as the XDG base directory specification places it.
  package static func defaultCache(environment: [String: String]) -> String {
    let named = environment["XDG_CACHE_HOME"] ?? ""
    // The specification has relative paths ignored.
    let base = named.hasPrefix("/") ? named : "\(home(environment))/.cache"
    return "\(base)/helix-infra/artifacts"
  }

  private static func home(_ environment: [String: String]) -> String {
    let named = environment["HOME"] ?? ""
    return named.isEmpty ? NSHomeDirectory() : named
  }

  package func checksum(of artifact: ArtifactReference) async throws -> String {
    try checkNames(artifact)
    return try await sums.value(key(artifact)) {
      switch origin {
      case .mirror(let mirror): try await mirroredSum(artifact, mirror)
      case .folder(let folder): try folderSum(artifact, folder)
      }
    }
  }

  package func file(of artifact: ArtifactReference) async throws -> String {
    let sum = try await checksum(of: artifact)
    switch origin {
    case .mirror(let mirror):
      let download = Download(
        artifact: artifact, source: try mirror.address(of: artifact.file, in: artifact.release),
        sum: sum, cache: cache, silence: silence, list: listPath(artifact, mirror))
      return try await files.value(sum) { try await download.run() }
    case .folder(let folder):
      return try await files.value(key(artifact)) {
        try await folderFile(artifact, folder, sum: sum)
      }
    }
  }

  private func key(_ artifact: ArtifactReference) -> String {
    "\(artifact.release)/\(artifact.checksums)/\(artifact.file)"
  }

  /// The names become parts of paths.
  private func checkNames(_ artifact: ArtifactReference) throws(Diagnostic) {
    for name in [artifact.release, artifact.file, artifact.checksums] {
      guard !name.isEmpty, !name.hasPrefix("."),
        !name.utf8.contains(where: { $0 == 0x2F || $0 < 0x20 })
      else { throw Problem.wrongName(name) }
    }
  }
}

// MARK: - A mirror's lists

extension ReleaseArtifactStore {
  private func listPath(_ artifact: ArtifactReference, _ mirror: Mirror) -> String {
    cache.list(artifact.checksums, release: artifact.release, mirror: mirror.shown)
  }

  /// The checksum from the cached list if that is whole and names the file, else from the mirror.
  private func mirroredSum(
    _ artifact: ArtifactReference, _ mirror: Mirror
  ) async throws -> String {
    let path = listPath(artifact, mirror)
    if let text = try? String(contentsOfFile: path, encoding: .utf8),
      let sum = (try? ChecksumList(text))?[artifact.file]
    {
      return sum
    }
    let source = try mirror.address(of: artifact.checksums, in: artifact.release)
    return try await freshSum(artifact, source, keptAs: path)
  }

  /// Fetches the list; it is kept only when it can be read.
  private func freshSum(
    _ artifact: ArtifactReference, _ source: RemoteFile, keptAs path: String
  ) async throws -> String {
    // Runs that fetch one list at once each write their own draft, and the last rename stands.
    let draft = "\(path).\(getpid()).\(UInt32.random(in: .min ... .max))"
    try cache.makeRoom(for: draft)
    defer { unlink(draft) }
    do {
      _ = try await Transfer.fetch(source.url, into: draft, silence: silence, limit: 1 << 20)
    } catch let failure as TransferFailure {
      throw Problem.transfer(failure, of: artifact.checksums, from: source, into: draft)
    }
    let list = try readList(draft, shown: source.shown)
    try await cache.adopt(draft, as: path)
    return try sum(of: artifact, in: list, shown: source.shown)
  }

  private func readList(_ path: String, shown: String) throws(Diagnostic) -> ChecksumList {
    let text = try? String(contentsOfFile: path, encoding: .utf8)
    do {
      return try ChecksumList(text ?? "")
    } catch {
      throw Problem.malformedList(shown, line: error.line)
    }
  }

  private func sum(
    of artifact: ArtifactReference, in list: ChecksumList, shown: String
  ) throws(Diagnostic) -> String {
    guard let sum = list[artifact.file] else {
      throw Problem.notListed(artifact, in: shown, files: list.files)
    }
    return sum
  }
}

// MARK: - A folder

extension ReleaseArtifactStore {
  private func folderSum(
    _ artifact: ArtifactReference, _ folder: String
  ) throws(Diagnostic) -> String {
    let path = try existing(artifact.checksums, of: artifact, in: folder)
    return try sum(of: artifact, in: readList(path, shown: path), shown: path)
  }

  /// The folder's own file; it is not copied, but it is verified.
  private func folderFile(
    _ artifact: ArtifactReference, _ folder: String, sum: String
  ) async throws -> String {
    let path = try existing(artifact.file, of: artifact, in: folder)
    guard let found = await blocking({ fileDigest(path) }) else {
      throw Diagnostic("\(path) cannot be read", remedy: "ls -l \(shellQuoted(path))")
    }
    guard found == sum else {
      throw Problem.wrongFolderFile(path, expected: sum, got: found)
    }
    return path
  }

  private func existing(
    _ name: String, of artifact: ArtifactReference, in folder: String
  ) throws(Diagnostic) -> String {
    let path = "\(folder)/\(artifact.release)/\(name)"
    guard FileManager.default.fileExists(atPath: path) else {
      throw Problem.missing(path, release: artifact.release)
    }
    return path
  }
}
