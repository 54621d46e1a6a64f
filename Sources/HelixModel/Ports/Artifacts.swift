/// One file of a release.
package struct ArtifactReference: Hashable, Sendable, Codable {
  /// The release tag, `v1.29.1+k3s2`.
  package var release: String
  /// The asset's name in the release: `k3s`, `k3s-arm64`.
  package var file: String
  /// The release's checksum list that names it: `sha256sum-amd64.txt`.
  package var checksums: String

  package init(release: String, file: String, checksums: String) {
    self.release = release
    self.file = file
    self.checksums = checksums
  }
}

/// Gives release files that were verified against their checksum list, each downloaded once.
package protocol ArtifactStore: Sendable {
  /// The SHA-256 that the release's list gives, in lower-case hex.
  func checksum(of artifact: ArtifactReference) async throws -> String
  /// A local file with exactly that checksum.
  func file(of artifact: ArtifactReference) async throws -> String
}
