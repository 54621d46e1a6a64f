import HelixModel

/// Asks the person at the terminal of the run that a login is for.
struct KeptPrompter: Prompter {
  private weak let client: KeptClient?

  init(_ client: KeptClient) { self.client = client }

  func ask(_ question: String) async throws(PromptFailure) -> SecretValue {
    switch await client?.ask(question) ?? .declined {
    case .given(let answer): return answer
    case .declined: throw .declined
    case .nobody: throw .nobody
    }
  }
}

/// What came of a question to the person at the terminal, as it travels.
enum KeeperAnswer: Hashable, Sendable {
  case given(SecretValue)
  case declined
  case nobody

  /// Asks, wherever that is.
  init(of question: String, from prompter: any Prompter) async {
    do throws(PromptFailure) {
      self = .given(try await prompter.ask(question))
    } catch .nobody {
      self = .nobody
    } catch {
      self = .declined
    }
  }
}

extension KeeperAnswer: WireValue {
  static var blank: KeeperAnswer { .declined }
  mutating func travel(by wire: inout Wire) {
    var (kind, secret) = parts
    wire.carry(&kind)
    wire.carry(&secret)
    switch kind {
    case 0: self = .given(secret)
    case 1: self = .declined
    case 2: self = .nobody
    default: wire.refuse()
    }
  }

  private var parts: (kind: Int, secret: SecretValue) {
    switch self {
    case .given(let secret): (0, secret)
    case .declined: (1, .blank)
    case .nobody: (2, .blank)
    }
  }
}
