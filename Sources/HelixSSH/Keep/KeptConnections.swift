/// What the keepers of a user hold, for those who want to see or end it.
package struct KeptConnections: Sendable {
  private static let greetingLimit = Duration.seconds(10)

  private let folder: String

  /// The keepers of whoever runs this.
  package init() { self.init(folder: KeeperPlace.standardFolder) }

  init(folder: String) { self.folder = folder }

  /// All sessions, by host.
  ///
  /// - Throws: a `Diagnostic` when the folder cannot be trusted.
  package func list() async throws -> [KeptConnection] {
    var all: [KeptConnection] = []
    for keeper in try await keepers() {
      if case .links(let links)? = try? await keeper.request(.list).reply { all += links }
      keeper.close()
    }
    return all.sorted { ($0.host, $0.target) < ($1.host, $1.target) }
  }

  /// Ends all keepers and their sessions; how many there were.
  ///
  /// - Throws: a `Diagnostic` when the folder cannot be trusted.
  @discardableResult
  package func end() async throws -> Int {
    let keepers = try await keepers()
    for keeper in keepers {
      // A keeper that ends answers by hanging up.
      _ = try? await keeper.request(.stop)
      keeper.close()
    }
    return keepers.count
  }

  private func keepers() async throws -> [KeeperConnection] {
    let places = KeeperPlace.all(in: folder)
    if !places.isEmpty { try KeeperPlace.check(folder) }
    var keepers: [KeeperConnection] = []
    for place in places {
      guard let descriptor = try await place.connect() else { continue }
      let keeper = KeeperConnection(
        descriptor: descriptor, report: { _ in }, prompter: TerminalPrompter())
      let version = await keeper.greet(keep: .zero, limit: Self.greetingLimit)
      if version != nil { keepers.append(keeper) }
    }
    return keepers
  }
}
