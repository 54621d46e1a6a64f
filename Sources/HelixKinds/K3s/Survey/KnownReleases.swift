import HelixModel

/// Releases that a fix can name without asking anybody (docs.k3s.io/release-notes).
enum KnownReleases {
  /// The last release of minors that get no more of them.
  private static let last = [
    "v1.27.16+k3s1", "v1.28.15+k3s1", "v1.29.15+k3s1", "v1.30.14+k3s2", "v1.31.14+k3s1",
  ].compactMap { K3sVersion($0) }

  /// The last release of a minor; nil for a minor that still gets some, or an old one.
  static func last(ofMinor minor: Int, major: Int = 1) -> K3sVersion? {
    last.first { $0.major == major && $0.minor == minor }
  }

  /// How a fix names a release of a minor.
  static func words(forMinor minor: Int, major: Int = 1) -> String {
    last(ofMinor: minor, major: major)?.description ?? "the newest v\(major).\(minor) release"
  }
}
