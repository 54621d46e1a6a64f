import HelixModel

@testable import HelixSSH

/// What ours makes of a call of ssh, in the words of `ssh -G`.
struct Understanding {
  private(set) var values: [String: [String]] = [:]

  private static let place = SourceLocation(file: "hosts.yaml", line: 1, column: 1)
  /// What ssh says when nothing is configured, and all algorithms that it knows.
  private static let usual = try? SSHClient.understands(["-F", "none", "h"])
  private static let known = ["kexalgorithms", "ciphers", "macs", "hostkeyalgorithms"].reduce(
    into: [String: [String]]()
  ) { $0[$1] = try? SSHClient.algorithms($1 == "hostkeyalgorithms" ? "HostKeyAlgorithms" : $1) }

  /// Nil when ours refuses the call.
  init?(_ words: [String]) throws {
    guard let destination = words.last else { return nil }
    let arguments = words.dropLast().map { Located($0, at: Self.place) }
    let host = Host(
      name: "h1", connection: Connection(address: destination, sshArguments: arguments),
      groups: [], variables: Mapping(), location: Self.place)
    let resolver = SettingsResolver(local: SSHClient.local, policy: .strict, files: ConfigFiles())
    do {
      let call = try SSHCall(host, SSHClient.local)
      let (options, address) = try resolver.resolve(call)
      let settings = try resolver.direct("h1", address, options, call)
      if case .jump(let route) = options.proxy {
        try resolver.checkRoute(route, from: settings, [destination])
      }
      fill(settings, options)
    } catch is Diagnostics {
      return nil
    } catch is Diagnostic {
      return nil
    }
  }

  private mutating func fill(_ settings: SSHSettings, _ options: SSHOptions) {
    values["hostname"] = [settings.address]
    values["port"] = [String(settings.port)]
    values["user"] = [settings.user]
    values["addressfamily"] = [settings.family.rawValue]
    values["identitiesonly"] = [settings.identitiesOnly ? "yes" : "no"]
    values["hostkeyalias"] = settings.hostKeyAlias.map { [$0] } ?? []
    values["connectionattempts"] = [String(settings.connectionAttempts)]
    values["connecttimeout"] = [Self.seconds(options.connectTimeout) ?? "none"]
    values["serveraliveinterval"] = [Self.seconds(options.aliveInterval) ?? "0"]
    values["serveralivecountmax"] = [String(options.aliveCount ?? 3)]
    values["preferredauthentications"] = options.preferredMethods.map { [$0] } ?? []
    values["passwordauthentication"] = [options.passwordLogin == false ? "no" : "yes"]
    values["kbdinteractiveauthentication"] = [options.keyboardLogin == false ? "no" : "yes"]
    let checking: [SSHOptions.Checking: String] = [
      .yes: "true", .no: "false", .ask: "ask", .acceptNew: "accept-new",
    ]
    values["stricthostkeychecking"] = [checking[options.checking ?? .ask] ?? ""]
    fillFiles(settings, options)
    fillProxy(options)
    fillAlgorithms(options)
  }

  private mutating func fillFiles(_ settings: SSHSettings, _ options: SSHOptions) {
    let files = options.identityFiles.map(\.path.value)
    values["identityfile"] = files.isEmpty ? Self.usual?["identityfile"] : files
    values["certificatefile"] = options.certificateFiles.map(\.value)
    values["userknownhostsfile"] = [Self.list(settings.userKnownHosts)]
    values["globalknownhostsfile"] = [Self.list(settings.globalKnownHosts)]
    guard let agent = options.identityAgent?.value else { return }
    // ssh prints special words and names of variables as they stand.
    values["identityagent"] =
      agent.hasPrefix("$") && !agent.hasPrefix("${") || ["none", "SSH_AUTH_SOCK"].contains(agent)
      ? [agent] : settings.agentSocket.map { [$0] } ?? []
  }

  private mutating func fillProxy(_ options: SSHOptions) {
    values["proxycommand"] = []
    values["proxyjump"] = []
    switch options.proxy {
    case .command(let command): values["proxycommand"] = [command.value]
    case .jump(let route):
      let hop = route.value
      let isNumber = hop.host.contains(":") || hop.host.allSatisfy { "0123456789.".contains($0) }
      let login = hop.user.map { "\($0)@" } ?? ""
      let host = isNumber ? "[\(hop.host)]" : hop.host
      let port = hop.port.map { ":\($0)" } ?? ""
      values["proxyjump"] = [(hop.before.map { "\($0)," } ?? "") + login + host + port]
    case .some(.none), .noJump, nil: break
    }
  }

  private mutating func fillAlgorithms(_ options: SSHOptions) {
    let lists = [
      "kexalgorithms": options.algorithms.keyExchange, "ciphers": options.algorithms.cipher,
      "macs": options.algorithms.mac, "hostkeyalgorithms": options.algorithms.hostKey,
    ]
    for (keyword, list) in lists {
      let usual = Self.usual?[keyword]?.first?.split(separator: ",").map(String.init) ?? []
      let chosen = list?.applied(to: usual, known: Self.known[keyword] ?? []) ?? usual
      values[keyword] = [chosen.joined(separator: ",")]
    }
  }

  private static func seconds(_ duration: Duration?) -> String? {
    duration.map { String($0.components.seconds) }
  }

  private static func list(_ paths: [String]) -> String {
    paths.isEmpty ? "none" : paths.joined(separator: " ")
  }
}
