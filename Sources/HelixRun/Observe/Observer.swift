package import HelixModel
package import HelixPlan

/// Asks every host for its facts, all hosts at once, each with one question.
///
/// How many logins are under way at a time is the way to the hosts' own business.
package struct Observer: Sendable {
  private let shells: HostShells
  private let key: SecretValue
  private let timeout: Duration
  private let clock: any RunClock
  private let nonce: @Sendable () -> String
  private let events: any EventSink

  /// An observer that gives each host `timeout` for all its answers and frames them with a new
  /// `nonce`; `key` is the fingerprint key, as `Fingerprinter` holds it.
  package init(
    shells: HostShells, key: SecretValue, timeout: Duration = .seconds(120),
    clock: any RunClock = SystemClock(), nonce: @escaping @Sendable () -> String = randomNonce,
    events: any EventSink
  ) {
    self.shells = shells
    self.key = key
    self.timeout = timeout
    self.clock = clock
    self.nonce = nonce
    self.events = events
  }

  /// Every host's answers; a host that cannot be asked says why.
  ///
  /// - Throws: `CancellationError` only.
  package func observe(_ questions: [HostName: [FactRequest]]) async throws -> Observation {
    var observation = Observation()
    try await withThrowingTaskGroup(of: (HostName, Observation.HostAnswers).self) { group in
      for (host, requests) in questions.sorted(by: { $0.key < $1.key }) {
        group.addTask { (host, try await ask(requests, of: host)) }
      }
      for try await (host, answers) in group { observation.hosts[host] = answers }
    }
    return observation
  }
}

extension Observer {
  private func ask(
    _ requests: [FactRequest], of host: HostName
  ) async throws -> Observation.HostAnswers {
    let start = clock.now
    await events.report(.hostAsked(.init(host: host, facts: requests.count)))
    do {
      let answers = try await answers(to: requests, on: host)
      let seconds = (clock.now - start).seconds
      await events.report(.hostAnswered(.init(host: host, seconds: seconds)))
      return .answered(answers)
    } catch {
      try Task.checkCancellation()
      let diagnostic = silence(of: host, error)
      await events.report(.hostSilent(.init(host: host, diagnostic: diagnostic)))
      return .unreachable(diagnostic)
    }
  }

  private func answers(
    to requests: [FactRequest], on host: HostName
  ) async throws -> [FactID: FactAnswer] {
    let shell = try await shells.shell(to: host)
    let script = ObservationScript(requests, nonce: nonce())
    let output = try await shell.run(
      Command(
        "sh -s", input: .secret(script.text(key: key, now: clock.wallTime / 1000)),
        become: shells.become(on: host), effect: .question, timeout: timeout))
    do throws(Diagnostic) {
      return try script.answers(in: output.output)
    } catch {
      throw explained(error, by: output)
    }
  }

  /// What the shell itself complained about says more than that its answers break off.
  private func explained(_ diagnostic: Diagnostic, by output: CommandOutput) -> Diagnostic {
    let complaints = plainLines(output.errors)
    var explained = diagnostic
    explained.evidence = Diagnostic.Evidence(
      command: "sh -s, the facts on its standard input", status: output.status,
      lastLines: complaints)
    if let refusal = complaints.first(where: { $0.hasPrefix("sudo:") }) {
      explained.summary = "sudo does not let the login run commands as root"
      explained.reason = refusal
      explained.remedy = "let it use sudo, with --ask-become-pass for a password, or log in as root"
    }
    return explained
  }

  private func silence(of host: HostName, _ error: any Error) -> Diagnostic {
    Redactor(values: [("fingerprint key", key)]).cleaned(shells.silence(of: host, error))
  }
}
