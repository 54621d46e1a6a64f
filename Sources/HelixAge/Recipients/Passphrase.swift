import Crypto
import CryptoExtras
import Foundation
package import HelixModel

/// A passphrase, made costly by scrypt; it is a file's only recipient.
package struct PassphraseRecipient: AgeRecipient {
  static let stanzaType = "scrypt"
  /// Costs a second and 256 MiB.
  package static let usualLogN = 18
  /// More would cost an attacker's victim minutes and gigabytes.
  static let mostLogN = 22
  private static let label = Array("age-encryption.org/v1/scrypt".utf8)

  private let passphrase: SecretValue
  private let logN: Int
  package let labels: Set<String>

  /// - Throws: an `AgeProblem` for an empty passphrase or a cost that nobody would read.
  package init(_ passphrase: SecretValue, logN: Int = usualLogN) throws(AgeProblem) {
    guard !passphrase.reveal().isEmpty else { throw .key("the passphrase is empty") }
    guard (1...Self.mostLogN).contains(logN) else { throw .key("the cost is out of range") }
    (self.passphrase, self.logN) = (passphrase, logN)
    // Like no other recipient's, so that none can stand beside it.
    labels = ["passphrase \(UInt64.random(in: .min ... .max))"]
  }

  package var text: String { "" }

  package func wrap(_ fileKey: AgeFileKey) throws(AgeProblem) -> AgeStanza {
    var salt = [UInt8](repeating: 0, count: 16)
    salt.withUnsafeMutableBytes { AgeFileKey.fill($0) }
    guard let key = Self.key(passphrase, salt: salt, logN: logN) else {
      throw .key("there is not enough memory for the passphrase")
    }
    return AgeStanza(
      type: Self.stanzaType, arguments: [StrictBase64.text(salt), "\(logN)"],
      body: try fileKey.sealed(under: key))
  }

  fileprivate static func key(
    _ passphrase: SecretValue, salt: [UInt8], logN: Int
  ) -> SymmetricKey? {
    try? KDF.Scrypt.deriveKey(
      from: passphrase.reveal(), salt: label + salt, outputByteCount: 32, rounds: 1 << logN,
      blockSize: 8, parallelism: 1)
  }
}

/// Opens files that were encrypted with a passphrase.
package struct PassphraseIdentity: AgeIdentity {
  private let passphrase: @Sendable () -> SecretValue?

  package init(_ passphrase: SecretValue) { self.init { passphrase } }

  /// An identity that asks for the passphrase once a file wants one.
  package init(asking passphrase: @escaping @Sendable () -> SecretValue?) {
    self.passphrase = passphrase
  }

  package var recipients: [String] { [] }

  package func unwrap(_ stanzas: [AgeStanza]) throws(AgeProblem) -> AgeFileKey? {
    for stanza in stanzas where stanza.type == PassphraseRecipient.stanzaType {
      if let key = try unwrap(stanza) { return key }
    }
    return nil
  }

  private func unwrap(_ stanza: AgeStanza) throws(AgeProblem) -> AgeFileKey? {
    guard stanza.arguments.count == 2, let salt = StrictBase64.decode(stanza.arguments[0]),
      salt.count == 16, stanza.body.count == AgeFileKey.sealedSize,
      let logN = Self.cost(stanza.arguments[1])
    else { throw .header("its passphrase recipient is malformed") }
    guard logN <= PassphraseRecipient.mostLogN else {
      throw .header("its passphrase would take too long to check")
    }
    guard let passphrase = passphrase(), !passphrase.reveal().isEmpty else { return nil }
    guard let key = PassphraseRecipient.key(passphrase, salt: salt, logN: logN) else {
      throw .header("there is not enough memory to check its passphrase")
    }
    return AgeFileKey(opening: stanza.body, under: key)
  }

  /// A number without a sign and without zeros before it.
  private static func cost(_ text: String) -> Int? {
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), !text.hasPrefix("0") else {
      return nil
    }
    return Int(text)
  }
}

extension PassphraseIdentity: CustomStringConvertible, CustomReflectable {
  package var description: String { "‹passphrase›" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}
