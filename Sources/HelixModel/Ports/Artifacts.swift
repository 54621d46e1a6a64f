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

extension ArtifactReference {
  /// The k3s binary for a machine, as `uname -m` names it; nil where no release has one.
  ///
  /// File names and lists are those that k3s's own installer looks for (`setup_verify_arch` and
  /// `download_hash` of https://get.k3s.io): 32-bit ARM is `armhf` in one and `arm` in the other.
  package static func k3s(_ version: K3sVersion, machine: String) -> ArtifactReference? {
    let names: (file: String, list: String)? =
      switch machine {
      case "x86_64": ("k3s", "amd64")
      case "aarch64": ("k3s-arm64", "arm64")
      case "armv7l": ("k3s-armhf", "arm")
      case "s390x": ("k3s-s390x", "s390x")
      default: nil
      }
    guard let names else { return nil }
    return ArtifactReference(
      release: version.description, file: names.file, checksums: "sha256sum-\(names.list).txt")
  }
}

/// Gives release files that were verified against their checksum list, each downloaded once.
package protocol ArtifactStore: Sendable {
  /// The SHA-256 that the release's list gives, in lower-case hex.
  func checksum(of artifact: ArtifactReference) async throws -> String
  /// A local file with exactly that checksum.
  func file(of artifact: ArtifactReference) async throws -> String
}
