import Foundation
import HelixModel

/// Identities behind a passphrase, which is asked for once a file may need them, and only once.
// @unchecked: 'opened' is only touched under 'lock', which also keeps two from asking at once.
final class LockedIdentity: AgeIdentity, @unchecked Sendable {
  /// What trying a passphrase came to.
  enum Attempt {
    case identities([any AgeIdentity])
    case wrongPassphrase
    case problem(AgeProblem)
  }

  /// How often somebody may mistype a passphrase.
  private static let tries = 3

  private let purpose: String
  private let known: [String]
  private let isWanted: @Sendable ([AgeStanza]) -> Bool
  private let unlock: @Sendable (SecretValue) -> Attempt
  private let passphrase: AgePassphrase
  private let lock = NSLock()
  private var opened: Result<[any AgeIdentity], AgeProblem>?

  /// - Parameters:
  ///   - purpose: what the passphrase is for, such as the name of a file
  ///   - known: the recipients, as far as they are known before it is unlocked
  ///   - passphrase: asks for it
  ///   - isWanted: whether the identities could open a file
  ///   - unlock: tries a passphrase
  init(
    purpose: String, known: [String], passphrase: @escaping AgePassphrase,
    isWanted: @escaping @Sendable ([AgeStanza]) -> Bool = { _ in true },
    unlock: @escaping @Sendable (SecretValue) -> Attempt
  ) {
    (self.purpose, self.known, self.passphrase) = (purpose, known, passphrase)
    (self.isWanted, self.unlock) = (isWanted, unlock)
  }

  var asks: Bool { true }

  var recipients: [String] {
    lock.lock()
    defer { lock.unlock() }
    guard case .success(let identities) = opened else { return known }
    return identities.flatMap(\.recipients)
  }

  func unwrap(_ stanzas: [AgeStanza]) throws(AgeProblem) -> AgeFileKey? {
    guard isWanted(stanzas) else { return nil }
    for identity in try identities().get() {
      if let key = try identity.unwrap(stanzas) { return key }
    }
    return nil
  }

  private func identities() -> Result<[any AgeIdentity], AgeProblem> {
    lock.lock()
    defer { lock.unlock() }
    if let opened { return opened }
    let result = open()
    opened = result
    return result
  }

  private func open() -> Result<[any AgeIdentity], AgeProblem> {
    var last: SecretValue?
    for _ in 0..<Self.tries {
      guard let answer = passphrase(purpose) else {
        return .failure(.key("nobody told the passphrase of \(purpose)"))
      }
      // What always gives the same answer need not be tried again.
      if answer == last { break }
      switch unlock(answer) {
      case .identities(let identities): return .success(identities)
      case .problem(let problem): return .failure(problem)
      case .wrongPassphrase: last = answer
      }
    }
    return .failure(.key("the passphrase of \(purpose) is wrong"))
  }
}

extension LockedIdentity: CustomStringConvertible, CustomReflectable {
  var description: String { "‹locked identity: \(purpose)›" }
  var customMirror: Mirror { Mirror(self, children: []) }
}
