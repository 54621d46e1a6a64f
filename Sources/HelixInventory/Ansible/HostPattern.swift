package import HelixModel

/// Which hosts a play, a `--limit` or a line of cluster.yaml means, in Ansible's pattern language.
///
/// `all`, `*`, names, globs, `~regex`, `group[0]`, `group[1:3]`, `group[-1]`, joined by `:` or
/// `,`; `&x` keeps only what is also in x, `!x` takes x away. As in Ansible, plain parts count
/// first, then `&`, then `!`, wherever they stand. Unlike Ansible, a name that matches nothing is
/// an error: a misspelt `!x` would otherwise select the very hosts that it should spare.
package struct HostPattern: Sendable, Hashable {
  enum Sign: Sendable, Hashable { case plain, intersection, exclusion }

  enum Subscript: Sendable, Hashable {
    case index(Int)
    /// Both ends belong to it; nil reaches to the last.
    case range(Int, Int?)
  }

  /// One part of a pattern.
  struct Term: Sendable, Hashable {
    var sign: Sign
    /// A name, a glob, or `~` and a regular expression.
    var expression: String
    var part: Subscript?
    var location: SourceLocation
  }

  /// The pattern as written.
  package let text: Located<String>
  let terms: [Term]

  /// Reads a pattern.
  ///
  /// - Throws: a diagnostic when it is empty, a part is, a subscript or an expression is malformed.
  package init(_ text: Located<String>) throws(Diagnostic) {
    self.text = text
    terms = try HostPatternParser(text).terms()
  }

  /// The hosts the pattern selects, each once, in Ansible's order.
  ///
  /// - Throws: a diagnostic when a name is unknown, or a subscript reaches past the last host.
  package func select(from inventory: Inventory) throws(Diagnostic) -> [HostName] {
    var selected: [HostName] = []
    let lookup = HostLookup(inventory)
    if !terms.contains(where: { $0.sign == .plain }) {
      selected = lookup.hosts(ofGroup: "all")
    }
    for sign in [Sign.plain, .intersection, .exclusion] {
      for term in terms where term.sign == sign {
        let matched = try lookup.hosts(for: term)
        let set = Set(matched)
        switch sign {
        case .plain:
          let known = Set(selected)
          selected += matched.filter { !known.contains($0) }
        case .intersection: selected.removeAll { !set.contains($0) }
        case .exclusion: selected.removeAll { set.contains($0) }
        }
      }
    }
    return selected
  }
}

/// Answers single terms from an inventory.
private struct HostLookup {
  /// The names that mean the controller when the inventory has no such host.
  private static let controllerNames: Set<String> = ["localhost", "127.0.0.1", "::1"]

  private let names: [HostName]
  private let known: Set<HostName>
  private let tree: GroupTree

  init(_ inventory: Inventory) {
    names = inventory.hosts.map(\.name)
    known = Set(names)
    tree = GroupTree(inventory.groups)
  }

  func hosts(ofGroup name: String) -> [HostName] { tree.hosts(of: name) }

  func hosts(for term: HostPattern.Term) throws(Diagnostic) -> [HostName] {
    if term.part == nil, known.contains(HostName(term.expression)) {
      return [HostName(term.expression)]
    }
    let matched = try matches(term)
    guard let part = term.part else { return matched }
    return try apply(part, to: matched, of: term)
  }

  private func matches(_ term: HostPattern.Term) throws(Diagnostic) -> [HostName] {
    let expression = term.expression
    let test = try Self.test(for: term)
    let groups = tree.names.filter(test)
    var matched = groups.flatMap { tree.hosts(of: $0) }
    // A plain word that names a group never means a host as well.
    let isPattern = expression.hasPrefix("~") || Glob.isPattern(expression)
    if groups.isEmpty || isPattern || expression.contains(".") {
      matched += names.filter { test($0.rawValue) }
    }
    if matched.isEmpty, groups.isEmpty {
      guard expression != "all", expression != "*" else { return [] }
      guard Self.controllerNames.contains(expression) else { throw unknown(term) }
      return [.controller]
    }
    var seen: Set<HostName> = []
    return matched.filter { seen.insert($0).inserted }
  }

  private static func test(
    for term: HostPattern.Term
  ) throws(Diagnostic) -> (String) -> Bool {
    guard term.expression.hasPrefix("~") else {
      let glob = Glob(term.expression)
      return { glob.matches($0) }
    }
    let regex = try HostPatternParser.regex(term.expression.dropFirst(), at: term.location)
    return { (try? regex.prefixMatch(in: $0)) != nil }
  }

  private func apply(
    _ part: HostPattern.Subscript, to hosts: [HostName], of term: HostPattern.Term
  ) throws(Diagnostic) -> [HostName] {
    switch part {
    case .index(let index):
      let position = index < 0 ? hosts.count + index : index
      guard hosts.indices.contains(position) else {
        throw Diagnostic(
          "\"\(term.expression)\" has no host [\(index)]",
          reason: hosts.count == 1
            ? "it has one host" : "it has \(hosts.count) hosts, counted from 0",
          remedy: "choose a number that it has", at: term.location)
      }
      return [hosts[position]]
    case .range(let first, let last):
      let end = min(last ?? hosts.count - 1, hosts.count - 1)
      return first <= end ? Array(hosts[first...end]) : []
    }
  }

  private func unknown(_ term: HostPattern.Term) -> Diagnostic {
    let expression = term.expression
    if expression.hasPrefix("~") || Glob.isPattern(expression) {
      return Diagnostic(
        "no host or group matches \"\(expression)\"",
        remedy: "\"helix-infra inventory --graph\" shows what there is", at: term.location)
    }
    let candidates = names.map(\.rawValue) + tree.names
    return Diagnostic(
      "no host or group is named \"\(expression)\"",
      remedy: suggestion(for: expression, among: Set(candidates).sorted())
        ?? "\"helix-infra inventory --graph\" shows what there is",
      at: term.location)
  }
}

extension HostPattern {
  /// Several patterns as one, as the list form of `hosts:` has them; nil for none.
  ///
  /// - Throws: a diagnostic when one of them is malformed.
  package init?(joining patterns: [Located<String>]) throws(Diagnostic) {
    guard let first = patterns.first else { return nil }
    var terms: [Term] = []
    for pattern in patterns { terms += try HostPattern(pattern).terms }
    self.init(
      text: Located(patterns.map(\.value).joined(separator: ","), at: first.location),
      terms: terms)
  }

  private init(text: Located<String>, terms: [Term]) {
    self.text = text
    self.terms = terms
  }
}
