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

  /// In which month releases came out, as year times twelve plus month.
  ///
  /// Those of one month come out together over all minors.
  private static let months: [(year: Int, month: Int, releases: [String])] = [
    (2024, 5, ["v1.29.5+k3s1", "v1.30.0+k3s1", "v1.30.1+k3s1"]),
    (2024, 7, ["v1.27.16+k3s1", "v1.29.6+k3s2", "v1.29.7+k3s1"]),
    (2024, 8, ["v1.29.8+k3s1"]), (2024, 9, ["v1.29.9+k3s1", "v1.30.5+k3s1"]),
    (2024, 10, ["v1.28.15+k3s1", "v1.29.10+k3s1", "v1.30.6+k3s1"]),
    (2024, 12, ["v1.29.11+k3s1", "v1.29.12+k3s1", "v1.30.7+k3s1", "v1.30.8+k3s1"]),
    (2025, 1, ["v1.29.13+k3s1", "v1.30.9+k3s1"]), (2025, 2, ["v1.29.14+k3s1", "v1.30.10+k3s1"]),
    (2025, 3, ["v1.29.15+k3s1", "v1.30.11+k3s1"]), (2025, 5, ["v1.30.12+k3s1", "v1.30.13+k3s1"]),
    (2025, 6, ["v1.30.14+k3s1"]), (2025, 7, ["v1.30.14+k3s2"]), (2025, 11, ["v1.31.14+k3s1"]),
  ]

  private static func month(of release: K3sVersion) -> Int? {
    let tag = release.description
    return months.first { $0.releases.contains(tag) }.map { $0.year * 12 + $0.month }
  }

  /// Whether a release came out clearly before another, where both are known.
  ///
  /// What counts is when they were built; a release of the first days of a month was not built in it.
  static func isOlderInTime(_ release: K3sVersion, than running: K3sVersion) -> Bool {
    guard let month = month(of: release), let other = self.month(of: running) else { return false }
    return other - month >= 2
  }
}
