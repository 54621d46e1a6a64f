/// A k3s release tag such as `v1.29.1+k3s2`, ordered as k3s orders its releases.
///
/// Semantic versioning ignores what stands after `+`; k3s does not: `+k3s2` follows `+k3s1`
/// (facts of the k3s release page).
package struct K3sVersion: Hashable, Sendable {
  package let major: Int
  package let minor: Int
  package let patch: Int
  /// The candidate number of `-rcN`; nil for a final release.
  package let candidate: Int?
  package let build: Int

  package init(major: Int, minor: Int, patch: Int, candidate: Int? = nil, build: Int) {
    self.major = major
    self.minor = minor
    self.patch = patch
    self.candidate = candidate
    self.build = build
  }

  /// Reads a whole tag; nil for anything that is not one.
  package init?(_ tag: some StringProtocol) {
    guard tag.first == "v" else { return nil }
    let halves = tag.dropFirst().split(separator: "+", omittingEmptySubsequences: false)
    guard halves.count == 2, halves[1].hasPrefix("k3s"),
      let build = decimal(halves[1].dropFirst(3))
    else { return nil }
    let front = halves[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    let numbers = front[0].split(separator: ".", omittingEmptySubsequences: false).map(decimal)
    guard numbers.count == 3, let major = numbers[0], let minor = numbers[1],
      let patch = numbers[2]
    else { return nil }
    var candidate: Int?
    if front.count == 2 {
      guard front[1].hasPrefix("rc"), let number = decimal(front[1].dropFirst(2)) else {
        return nil
      }
      candidate = number
    }
    self.init(major: major, minor: minor, patch: patch, candidate: candidate, build: build)
  }
}

/// A non-negative decimal number without sign or spaces.
private func decimal(_ text: some StringProtocol) -> Int? {
  text.allSatisfy { ("0"..."9").contains($0) } ? Int(text) : nil
}

extension K3sVersion: Comparable {
  package static func < (left: K3sVersion, right: K3sVersion) -> Bool {
    (left.major, left.minor, left.patch, left.candidate ?? .max, left.build)
      < (right.major, right.minor, right.patch, right.candidate ?? .max, right.build)
  }
}

extension K3sVersion: CustomStringConvertible {
  package var description: String {
    let candidateText = candidate.map { "-rc\($0)" } ?? ""
    return "v\(major).\(minor).\(patch)\(candidateText)+k3s\(build)"
  }
}
