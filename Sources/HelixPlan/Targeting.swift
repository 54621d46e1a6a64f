package import HelixModel

extension DesiredState {
  /// Only the resources whose address matches one of the globs, and what those name as standing
  /// before them.
  ///
  /// - Throws: every glob that matches nothing, with the nearest address.
  package func targeting(_ globs: [String]) throws(Diagnostics) -> DesiredState {
    guard !globs.isEmpty else { return self }
    let known = Dictionary(
      resources.map { ($0.address, $0) }, uniquingKeysWith: { first, _ in first })
    let names = known.keys.map { ($0, $0.description) }
    var problems: [Diagnostic] = []
    var wanted: Set<Address> = []
    for text in globs {
      let glob = Glob(text)
      let found = names.filter { glob.matches($0.1) }.map(\.0)
      if found.isEmpty { problems.append(noMatch(text, among: names.map(\.1).sorted())) }
      wanted.formUnion(found)
    }
    guard problems.isEmpty else { throw Diagnostics(problems) }
    var waiting = Array(wanted)
    while let address = waiting.popLast() {
      let dependencies = known[address].map { $0.after + $0.mayAwait } ?? []
      for dependency in dependencies where wanted.insert(dependency).inserted {
        waiting.append(dependency)
      }
    }
    return keeping { wanted.contains($0.address) }
  }

  private func keeping(_ belongs: (any Resource) -> Bool) -> DesiredState {
    DesiredState(
      stages: stages.map { stage in
        Stage(
          title: stage.title,
          items: stage.items.map { Stage.Item(resources: $0.resources.filter(belongs)) })
      })
  }

  private func noMatch(_ glob: String, among names: [String]) -> Diagnostic {
    Diagnostic(
      "no resource matches --target \"\(glob)\"",
      reason: "addresses look like \(names.first ?? "host/kind:name")",
      remedy: suggestion(for: glob, among: names)
        ?? "plan without --target, and copy an address from there")
  }
}
