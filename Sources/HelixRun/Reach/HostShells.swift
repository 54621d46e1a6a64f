package import HelixModel

/// Finds the shell of a host by its name: the controller's own, or one over the network.
package struct HostShells: Sendable {
  private let hosts: [HostName: Host]
  private let remote: any ShellProvider
  private let local: any Shell

  package init(hosts: [Host], remote: any ShellProvider, local: any Shell = LocalShell()) {
    self.hosts = Dictionary(hosts.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.remote = remote
    self.local = local
  }

  /// - Throws: a `Diagnostic` when the inventory has no such host or it cannot be reached.
  package func shell(to name: HostName) async throws -> any Shell {
    if let host = hosts[name] { return try await remote.shell(to: host) }
    guard name == .controller else { throw unknown(name) }
    return local
  }

  /// How the project's scripts run on a host: as root, but on the operator's own machine as the
  /// operator, who never asked for root there.
  func become(on name: HostName) -> Become {
    isController(name) ? .never : .root
  }

  /// Where messages about a host point.
  func place(of name: HostName) -> Diagnostic.Place {
    .host(name, address: hosts[name]?.connection.address)
  }

  /// Why a host had no answer, placed at the host.
  func silence(of name: HostName, _ error: any Error) -> Diagnostic {
    var diagnostic =
      error as? Diagnostic ?? (error as? Diagnostics)?.all.first
      ?? Diagnostic("\(name) could not be asked", reason: "\(error)")
    diagnostic.place = diagnostic.place ?? place(of: name)
    return diagnostic
  }

  /// A host that an inventory calls `localhost` is a host like any other.
  private func isController(_ name: HostName) -> Bool {
    name == .controller && hosts[name] == nil
  }

  private func unknown(_ name: HostName) -> Diagnostic {
    Diagnostic(
      "no host named \"\(name)\"",
      reason: "the plan speaks of it, and the inventory does not",
      remedy: suggestion(for: name.rawValue, among: hosts.keys.map(\.rawValue).sorted()),
      at: .host(name, address: nil))
  }
}
