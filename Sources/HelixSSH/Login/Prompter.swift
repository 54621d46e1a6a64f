package import HelixModel

/// Asks the person at this machine for something secret.
package protocol Prompter: Sendable {
  /// What was typed in answer to a question; whoever asks at the same time waits for their turn.
  ///
  /// - Parameter question: One line, shown as it is.
  /// - Returns: The answer without its line's end.
  /// - Throws: A `PromptFailure` when there is no answer. Cancelling the task ends the question.
  func ask(_ question: String) async throws(PromptFailure) -> SecretValue
}

/// Answers no question.
struct NoPrompter: Prompter {
  func ask(_ question: String) async throws(PromptFailure) -> SecretValue { throw .nobody }
}

/// Why there is no answer to a question.
package enum PromptFailure: Error, Hashable, Sendable {
  /// There is neither a terminal nor a program to ask with.
  case nobody
  /// The person, or the end of the run, ended the question.
  case declined
}
