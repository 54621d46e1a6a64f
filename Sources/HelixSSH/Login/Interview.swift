private import CLibSSH2
import HelixModel

/// A server's questions in keyboard-interactive: the password is given where it is asked for, once.
///
/// Called by libssh2 in the middle of its own work, on the session's loop.
final class Interview: Sendable {
  private struct State {
    var hasAnswered = false
    var refusal: String?
    var isExpired = false
  }

  private let password: SecretValue
  private let state = Lock(State())

  init(password: SecretValue) { self.password = password }

  /// Why a question was left without its answer; nil when there was none.
  var refusal: String? { state.withLock { $0.refusal } }

  /// The password was good, and the server wants a new one.
  var isExpired: Bool { state.withLock { $0.isExpired } }

  /// The password if a question asks for it; else remembers the question.
  func answer(_ question: String, isShown: Bool) -> SecretValue? {
    state.withLock { state in
      let isPassword = !isShown && Self.asksForPassword(question)
      if isPassword, !state.hasAnswered {
        state.hasAnswered = true
        return password
      }
      if state.hasAnswered, Self.asksForNewPassword(question) { state.isExpired = true }
      if state.refusal == nil {
        state.refusal =
          isPassword ? "it asks for the password again" : "it asks \"\(question)\", not a password"
      }
      return nil
    }
  }

  /// Codes, and the new password that an expired one makes necessary, are nobody's to guess.
  private static func asksForPassword(_ question: String) -> Bool {
    let words = question.lowercased()
    return words.contains("pass") && !asksForNewPassword(words)
      && !["code", "one-time", "verification"].contains(where: words.contains)
  }

  /// Asked after the password itself, as PAM does when that one has expired.
  private static func asksForNewPassword(_ question: String) -> Bool {
    let words = question.lowercased()
    return ["new ", "current "].contains(where: words.contains) && words.contains("pass")
  }
}

// MARK: - libssh2's call

extension Interview {
  /// By the address of the session's own context: the one thing in the call that is ours to know.
  private static let running = Lock<[UnsafeMutableRawPointer: Interview]>([:])

  /// Lets the server ask; returns libssh2's code.
  func run(_ session: OpaquePointer, user: String) -> Int32 {
    let place = UnsafeMutableRawPointer(libssh2_session_abstract(session))
    guard let place else { return LIBSSH2_ERROR_BAD_USE }
    Self.running.withLock { $0[place] = self }
    defer { Self.running.withLock { $0[place] = nil } }
    return libssh2_userauth_keyboard_interactive_ex(
      session, user, UInt32(user.utf8.count), Self.callback)
  }

  private static let callback:
    @convention(c) (
      UnsafePointer<CChar>?, Int32, UnsafePointer<CChar>?, Int32, Int32,
      UnsafePointer<LIBSSH2_USERAUTH_KBDINT_PROMPT>?,
      UnsafeMutablePointer<LIBSSH2_USERAUTH_KBDINT_RESPONSE>?,
      UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> Void = { _, _, _, _, count, prompts, responses, context in
      guard let prompts, let responses, let context,
        let interview = running.withLock({ $0[UnsafeMutableRawPointer(context)] })
      else { return }
      for number in 0..<Int(count) {
        let prompt = prompts[number]
        let text = UnsafeRawBufferPointer(start: prompt.text, count: Int(prompt.length))
        guard let answer = interview.answer(printable(text), isShown: prompt.echo != 0) else {
          continue
        }
        let bytes = answer.reveal()
        // libssh2 frees it.
        responses[number].text = UnsafeMutableRawPointer(helix_copy(bytes, bytes.count))?
          .assumingMemoryBound(to: CChar.self)
        responses[number].length = UInt32(bytes.count)
      }
    }
}
