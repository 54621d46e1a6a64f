import HelixModel
import HelixRun
import HelixSSH

/// The way to an inventory's hosts, for the length of one command.
struct Reach {
  let shells: HostShells
  private let remote: any ShellProvider
  /// `--keep-connections 0` ends what earlier runs kept, beside what this one does.
  private let ending: Task<Void, Never>?

  /// Looks passwords up that the inventory names, and asks for others if the options say so.
  ///
  /// - Throws: a `Diagnostic` when one is unknown, or nobody can be asked for one.
  init(
    _ hosts: [Host], _ options: ConnectionOptions,
    secrets: @autoclosure () throws -> any SecretStore
  ) async throws {
    var known = hosts
    // Only for this: keys may be asked for, or a program be run to get them.
    if hosts.contains(where: \.namesPasswords) {
      let store = try secrets()
      known = try hosts.map { try $0.lookingUpPasswords(in: store) }
    }
    let hosts = try await options.givingPasswords(to: known)
    let log = ConnectionLog(level: options.logLevel)
    let hostKeys: HostKeyPolicy = options.acceptNewHostKeys ? .acceptNew : .strict
    let keep = try options.keepTime?.duration
    if let keep, keep > .zero {
      remote = KeptShellProvider(keep: keep, hostKeys: hostKeys, report: { log.take($0) })
    } else {
      remote = SSHShellProvider(hostKeys: hostKeys, report: { log.take($0) })
    }
    // They end by themselves in any case, so a fault here is no fault of the run.
    ending = keep == .zero ? Task { _ = try? await KeptConnections().end() } : nil
    shells = HostShells(hosts: hosts, remote: remote)
  }

  /// Ends all sessions.
  func close() async {
    await remote.closeAll()
    await ending?.value
  }
}

extension ConnectionOptions {
  /// The hosts, with the passwords that the user was asked for where the inventory has none.
  ///
  /// - Throws: a `Diagnostic` when nobody can be asked.
  func givingPasswords(
    to hosts: [Host], asking prompter: any Prompter = TerminalPrompter()
  ) async throws(Diagnostic) -> [Host] {
    let login = askPass ? try await answer(to: "login password: ", from: prompter) : nil
    let question = login == nil ? "sudo password: " : "sudo password (empty: the login's): "
    let ascent = askBecomePass ? try await answer(to: question, from: prompter) : nil
    return hosts.map { host in
      var host = host
      let own = host.connection
      host.connection.password = own.password ?? login.flatMap(\.unlessEmpty)
      host.connection.elevation.password =
        own.elevation.password ?? ascent.flatMap { $0.unlessEmpty ?? login?.unlessEmpty }
      return host
    }
  }
}

extension ConnectionOptions {
  private func answer(
    to question: String, from prompter: any Prompter
  ) async throws(Diagnostic) -> SecretValue {
    do {
      return try await prompter.ask(question)
    } catch {
      switch error {
      case .nobody:
        throw Diagnostic(
          "nobody can be asked for a password", reason: "there is no terminal",
          remedy: "run it in a terminal, or let the hosts do without a password")
      case .declined: throw Diagnostic("no password was given")
      }
    }
  }
}

extension SecretValue {
  fileprivate var unlessEmpty: SecretValue? { reveal().isEmpty ? nil : self }
}
