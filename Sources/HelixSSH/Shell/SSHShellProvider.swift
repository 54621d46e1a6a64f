package import HelixModel

/// Opens shells over SSH; each host has one connection, shared by all who ask for it.
package actor SSHShellProvider: ShellProvider {
  private let local: LocalUser
  private let policy: HostKeyPolicy
  private let report: @Sendable (SSHEvent) -> Void
  private let trust: Trust
  private let configs = ConfigFiles()
  private let limiter = ConnectionLimiter()
  private let files = SharedFiles()
  private var links: [HostName: (connection: Connection, link: HostLink)] = [:]
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
    policy = hostKeys
    self.local = local
    self.report = report
    trust = Trust(prompter: prompter)
  }

  package func shell(to host: Host) async throws -> any Shell {
    let link = try await link(to: host)
    do {
      _ = try await link.liveSession()
    } catch let error as SSHError {
      throw error.diagnostic(link.settings)
    }
    return SSHShell(link, files: files)
  }

  package func closeAll() async {
    await retire(links.values.map(\.link))
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

  private func link(to host: Host) async throws -> HostLink {
    if let known = links[host.name], known.connection == host.connection { return known.link }
    let (local, policy, configs) = (local, policy, configs)
    // Configuration files are read here, the first time.
    let result = await blocking { () -> Result<SSHSettings, Diagnostics> in
      Result { () throws(Diagnostics) in
        try SSHSettings(host, local: local, policy: policy, files: configs)
      }
    }
    return adopt(try result.get(), of: host)
  }

  private func adopt(_ settings: SSHSettings, of host: Host) -> HostLink {
    if let known = links[host.name] {
      if known.link.settings == settings {
        links[host.name] = (host.connection, known.link)
        return known.link
      }
      Task { await known.link.retire() }
    }
    let link = makeLink(settings)
    links[host.name] = (host.connection, link)
    return link
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
