package import HelixModel

/// The groups of an inventory as Ansible walks them.
package struct GroupTree: Sendable {
  /// In the order in which the files name them, `all` and `ungrouped` first.
  package let names: [String]
  private let groups: [String: HelixModel.Group]

  package init(_ groups: [HelixModel.Group]) {
    names = groups.map(\.name)
    self.groups = Dictionary(groups.map { ($0.name, $0) }) { first, _ in first }
  }

  /// The hosts of a group and its descendants, each once: the group's own come first, then those
  /// of its children, level by level.
  package func hosts(of name: String) -> [HostName] {
    var seen: Set<HostName> = []
    return descendants(of: name).flatMap { groups[$0]?.hosts ?? [] }
      .filter { seen.insert($0).inserted }
  }

  /// The group itself and everything below it, level by level.
  package func descendants(of name: String) -> [String] {
    guard groups[name] != nil else { return [] }
    var ordered = [name]
    var seen: Set<String> = [name]
    var next = 0
    while next < ordered.count {
      for child in groups[ordered[next]]?.children ?? [] where seen.insert(child).inserted {
        ordered.append(child)
      }
      next += 1
    }
    return ordered
  }
}
