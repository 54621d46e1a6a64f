internal import HelixInventory
package import HelixModel

/// What the command line adds to the playbooks.
package struct PlaybookOptions: Sendable {
  /// `--limit`: a host pattern that narrows every play.
  package var limit: Located<String>?
  /// `--tags`; empty means all.
  package var tags: [String]
  /// `--skip-tags`; empty means none.
  package var skipTags: [String]
  /// `-e`: they win over every other variable.
  package var extraVariables: Mapping

  package init(
    limit: Located<String>? = nil, tags: [String] = [], skipTags: [String] = [],
    extraVariables: Mapping = Mapping()
  ) {
    self.limit = limit
    self.tags = tags
    self.skipTags = skipTags
    self.extraVariables = extraVariables
  }
}

/// Turns playbooks into what they demand: plays of tasks and roles, every template filled in.
package struct PlaybookReader: Sendable {
  private let inventory: Inventory
  private let catalogue: ModuleCatalogue
  private let sources: any SourceReader
  private let options: PlaybookOptions

  package init(
    inventory: Inventory, catalogue: ModuleCatalogue, sources: any SourceReader,
    options: PlaybookOptions = PlaybookOptions()
  ) {
    self.inventory = inventory
    self.catalogue = catalogue
    self.sources = sources
    self.options = options
  }

  /// The plays of playbooks, in order, on the hosts and with the tags that the options leave.
  ///
  /// - Throws: all independent mistakes, those in plays that tags leave out as well.
  package func read(_ paths: [String]) throws(Diagnostics) -> [PlayDemand] {
    let problems = Problems()
    let reading = Reading(
      catalogue: catalogue, sources: SourceFiles(sources), problems: problems)
    var loader = PlaybookLoader(reading)
    let plays = paths.flatMap { loader.plays(of: $0) }
    let estate = Estate(inventory, extraVariables: options.extraVariables)
    let selection = selection(problems)
    let renderer = PlayRenderer(reading: reading, estate: estate, selection: selection)
    let demands = plays.compactMap { renderer.demand(of: $0) }
    try problems.throwIfAny()
    return demands
  }

  private func selection(_ problems: Problems) -> Selection {
    let tags = TagFilter(only: options.tags, skip: options.skipTags)
    var hosts: Set<HostName>?
    if let limit = options.limit {
      hosts = problems.catching { () throws(Diagnostic) in
        Set(try HostPattern(limit).select(from: inventory))
      }
    }
    return Selection(inventory: inventory, limit: hosts, tags: tags)
  }
}

/// What every stage of one reading shares.
struct Reading {
  let catalogue: ModuleCatalogue
  let sources: SourceFiles
  let problems: Problems
}

/// Which hosts and tasks the options leave.
struct Selection {
  let inventory: Inventory
  /// Nil: every host.
  let limit: Set<HostName>?
  let tags: TagFilter

  /// The hosts of a play.
  func hosts(of pattern: HostPattern) throws(Diagnostic) -> [HostName] {
    let hosts = try pattern.select(from: inventory)
    guard let limit else { return hosts }
    return hosts.filter(limit.contains)
  }
}
