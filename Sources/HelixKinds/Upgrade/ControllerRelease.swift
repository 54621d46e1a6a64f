import HelixModel

/// A release of the system-upgrade-controller, and what it knows.
struct ControllerRelease: Sendable, Hashable, Comparable {
  let minor: Int
  let patch: Int

  /// Those whose manifests and types were read (github.com/rancher/system-upgrade-controller).
  static let known: [ControllerRelease] = [
    (13, 4), (14, 0), (14, 1), (14, 2), (15, 0), (15, 1), (15, 2), (15, 3), (16, 0), (16, 1),
    (16, 2), (16, 3), (17, 0), (18, 0), (19, 0), (19, 1), (19, 2), (20, 1),
  ].map { ControllerRelease(minor: $0.0, patch: $0.1) }

  init(minor: Int, patch: Int) {
    self.minor = minor
    self.patch = patch
  }

  /// Reads `v0.MINOR.PATCH`; nil for anything else, candidates included.
  init?(_ tag: String) {
    let numbers = tag.dropFirst(1).split(separator: ".", omittingEmptySubsequences: false)
    guard tag.hasPrefix("v0."), numbers.count == 3, let minor = Int(numbers[1]),
      let patch = Int(numbers[2]), "v0.\(minor).\(patch)" == tag
    else { return nil }
    self.init(minor: minor, patch: patch)
  }

  var tag: String { "v0.\(minor).\(patch)" }

  static func < (left: ControllerRelease, right: ControllerRelease) -> Bool {
    (left.minor, left.patch) < (right.minor, right.patch)
  }

  private func isAtLeast(_ minor: Int, _ patch: Int = 0) -> Bool {
    self >= ControllerRelease(minor: minor, patch: patch)
  }

  var hasWindow: Bool { isAtLeast(15) }
  /// Whether several copies agree on one that works; it then writes events too.
  var electsLeader: Bool { isAtLeast(15) }
  /// Before, a drain's timeout is a count of nanoseconds and nothing else can be read: a text would
  /// stop the controller for every UpgradePlan.
  var takesDurationText: Bool { isAtLeast(16, 3) }
  /// The kubectl that cordons and drains, as the release names it.
  var kubectlImage: String { isAtLeast(14) ? "rancher/kubectl:v1.30.3" : "rancher/kubectl:v1.25.4" }

  /// The release that a tag names.
  ///
  /// - Throws: the nearest known, when this one is not.
  static func find(_ tag: Located<String>) throws(Diagnostic) -> ControllerRelease {
    let release = ControllerRelease(tag.value)
    if let release, known.contains(release) { return release }
    let nearest = release.flatMap { wanted in known.last { $0 < wanted } } ?? known.first
    throw Diagnostic(
      "no manifests are known of system-upgrade-controller \"\(tag.value)\"",
      reason: "what it may do and reads differs between releases",
      remedy: "write \(nearest?.tag ?? "v0.13.4"), or name a folder of its manifests:"
        + " upgrade.controller.manifests", at: tag.location)
  }
}
