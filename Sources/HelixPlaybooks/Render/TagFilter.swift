/// Decides as Ansible does which tasks `--tags` and `--skip-tags` leave.
struct TagFilter {
  private static let untagged: Set<String> = ["untagged"]

  private let only: Set<String>
  private let skip: Set<String>

  init(only: [String], skip: [String]) {
    let wanted = Set(only.flatMap(Coercion.separated))
    self.only = wanted.isEmpty ? ["all"] : wanted
    self.skip = Set(skip.flatMap(Coercion.separated))
  }

  /// Whether something with these tags runs.
  func selects(_ tags: Set<String>) -> Bool {
    let tags = tags.isEmpty ? Self.untagged : tags
    return isWanted(tags) && !isSkipped(tags)
  }

  private func isWanted(_ tags: Set<String>) -> Bool {
    if tags.contains("always") || !tags.isDisjoint(with: only) { return true }
    guard !tags.contains("never") else { return false }
    return only.contains("all") || only.contains("tagged") && tags != Self.untagged
  }

  private func isSkipped(_ tags: Set<String>) -> Bool {
    if skip.contains("all") { return !tags.contains("always") || skip.contains("always") }
    return !tags.isDisjoint(with: skip) || skip.contains("tagged") && tags != Self.untagged
  }
}
