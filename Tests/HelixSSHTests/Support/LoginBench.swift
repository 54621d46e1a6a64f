import HelixModel
import TestSupport

@testable import HelixSSH

/// Logs in to a server of the test's own, with settings and answers of the test's own.
struct LoginBench {
  let server: SSHServer
  let trust: Trust
  private let limiter = ConnectionLimiter()

  init(_ server: SSHServer, prompter: any Prompter = ScriptedPrompter([])) {
    self.server = server
    trust = Trust(prompter: prompter)
  }

  /// Settings that name no key, agent or password.
  func settings(
    knownHosts: String? = nil, _ change: (inout SSHSettings) -> Void = { _ in }
  ) throws -> SSHSettings {
    let host = try server.host(knownHosts: knownHosts)
    var settings = try SSHSettings(host, local: server.local, policy: .strict)
    settings.identityFiles = []
    settings.defaultIdentityFiles = []
    change(&settings)
    return settings
  }

  /// Lets the server accept the public half of a key, alone.
  func authorize(_ key: String) throws {
    try server.folder.write(
      server.folder.text(of: "\(key.split(separator: "/").last ?? "").pub"), to: "authorized_keys")
  }

  /// Logs in and runs a command; its output.
  @discardableResult
  func logIn(
    _ settings: SSHSettings, report: @escaping @Sendable (SSHEvent) -> Void = { _ in }
  ) async throws -> String {
    let link = HostLink(settings, trust: trust, limiter: limiter, report: report)
    do {
      let request = RemoteRequest(command: "echo in", limit: .seconds(60))
      let output = try await link.run(request).output.text
      await link.close()
      return output
    } catch {
      await link.close()
      throw error
    }
  }

  /// Logs in with one key file and nothing else.
  func logIn(key: String) async throws -> String {
    try await logIn(settings { $0.identityFiles = [key] })
  }

  /// Logs in by whichever transport can: the output, and why the system's `ssh` took over.
  func logInAnyhow(_ settings: SSHSettings) async throws -> (output: String?, reason: String?) {
    let events = EventLog()
    let output = try? await logIn(settings, report: events.add)
    for case .secondTransport(_, let reason) in events.all { return (output, reason) }
    return (output, nil)
  }

  /// What a login that must fail fails with.
  func refusal(_ settings: SSHSettings) async throws -> SSHError? {
    do {
      _ = try await logIn(settings)
      return nil
    } catch let error as SSHError {
      return error
    }
  }
}

/// Runs what blocks, as starting programs does, away from the few threads that all tests share.
func aside<Value: Sendable>(
  _ work: @escaping @Sendable () throws -> Value
) async throws -> Value {
  try await blocking { Result { try work() } }.get()
}

/// Answers questions from a list, and remembers them.
final class ScriptedPrompter: Prompter {
  private let answers: Lock<[String]>
  private let asked = Lock<[String]>([])
  private let delay: Duration

  init(_ answers: [String], delay: Duration = .zero) {
    self.answers = Lock(answers)
    self.delay = delay
  }

  var questions: [String] { asked.withLock { $0 } }

  func ask(_ question: String) async throws(PromptFailure) -> SecretValue {
    asked.withLock { $0.append(question) }
    if delay > .zero { try? await Task.sleep(for: delay) }
    if Task.isCancelled { throw .declined }
    let answer = answers.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    guard let answer else { throw .nobody }
    return SecretValue(answer)
  }
}
