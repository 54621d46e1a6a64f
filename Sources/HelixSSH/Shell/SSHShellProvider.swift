package import HelixModel

/// Opens shells over SSH; each host has one connection, shared by all who ask for it.
package actor SSHShellProvider: ShellProvider {
  private let resolution: HostResolution
  private let report: @Sendable (SSHEvent) -> Void
  private let trust: Trust
  private let limiter = ConnectionLimiter()
  private let files = SharedFiles()
  private var links: [SSHSettings: HostLink] = [:]
  /// Links to hosts that others are reached through, one for all of them.
  private var gates: [SSHSettings: HostLink] = [:]

  /// - Parameters:
  ///   - hostKeys: What to do with host keys that no known_hosts file has.
  ///   - local: The person whose keys, agent and known hosts are used.
  ///   - prompter: Asks for the passphrases of keys.
  ///   - report: Told about connections, new host keys and every command sent; called on an event
  ///     loop, so it must return at once.
  package init(
    hostKeys: HostKeyPolicy = .strict, local: LocalUser = .current,
    prompter: any Prompter = TerminalPrompter(),
    report: @escaping @Sendable (SSHEvent) -> Void = { _ in }
  ) {
    resolution = HostResolution(local: local, policy: hostKeys)
    self.report = report
    trust = Trust(prompter: prompter)
  }

  package func shell(to host: Host) async throws -> any Shell {
    let shell = shell(with: try await resolution.settings(of: host))
    try await shell.open()
    return shell
  }

  package func closeAll() async {
    await retire(links.values)
    links = [:]
    // Nobody is behind them any more.
    await retire(gates.values)
    gates = [:]
  }

  private func retire(_ links: some Collection<HostLink>) async {
    await withTaskGroup(of: Void.self) { group in
      for link in links { group.addTask { await link.retire() } }
    }
  }

  /// A shell over the link with some settings, which need not work yet.
  func shell(with settings: SSHSettings) -> SSHShell {
    SSHShell(link(with: settings), files: files)
  }

  /// The link with some settings; whoever has the same settings shares it.
  func link(with settings: SSHSettings) -> HostLink {
    if let link = links[settings] { return link }
    let link = makeLink(settings)
    links[settings] = link
    return link
  }

  /// Ends a link that nobody wants any more, and the way to it where no other needs that.
  func forget(_ settings: SSHSettings) async {
    await links.removeValue(forKey: settings)?.retire()
    let needed = Set(links.keys.flatMap(\.gates))
    for gate in gates.keys where !needed.contains(gate) {
      await gates.removeValue(forKey: gate)?.retire()
    }
  }

  private func gate(_ settings: SSHSettings) -> HostLink {
    if let link = gates[settings] { return link }
    let link = makeLink(settings)
    gates[settings] = link
    return link
  }

  private func makeLink(_ settings: SSHSettings) -> HostLink {
    HostLink(
      settings, trust: trust, limiter: limiter,
      gates: { [weak self] in
        guard let self else { throw SSHError.closed }
        return await self.gate($0)
      }, report: report)
  }
}
