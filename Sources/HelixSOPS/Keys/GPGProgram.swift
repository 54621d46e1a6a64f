/// The `gpg` of this machine, with its keyring and its agent.
package struct GPGProgram: PGPProgram {
  /// No message that holds a data key comes near to it, and a pipe takes it whole.
  private static let longest = 65_536

  private let program: String
  private let environment: [String: String]

  /// - Parameter environment: What `gpg` sees; `SOPS_GPG_EXEC` names another program, as upstream
  ///   has it, and `GNUPGHOME` another folder of keys.
  package init(environment: [String: String]) {
    let other = environment["SOPS_GPG_EXEC"] ?? ""
    program = other.hasPrefix("/") ? other : "gpg"
    self.environment = environment
  }

  package func encrypt(
    _ bytes: [UInt8], for fingerprint: String
  ) throws(PGPProblem) -> String {
    let digits = fingerprint.filter { !$0.isWhitespace }
    // An exclamation mark means exactly this subkey.
    let bare = digits.hasSuffix("!") ? digits.dropLast() : digits[...]
    guard (16...64).contains(bare.count), bare.allSatisfy(\.isHexDigit) else {
      throw .notFingerprint(fingerprint)
    }
    // Who is in the rule is trusted by being there, so no web of trust is asked.
    let message = try run(
      [
        "--batch", "--yes", "--no-default-recipient", "--no-encrypt-to", "--trust-model", "always",
        "--armor", "--recipient", digits, "--encrypt",
      ], bytes)
    var text = String(decoding: message, as: UTF8.self)
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }

  package func decrypt(_ message: String) throws(PGPProblem) -> [UInt8] {
    try run(["--batch", "--quiet", "--decrypt"], Array(message.utf8))
  }

  private func run(_ arguments: [String], _ input: [UInt8]) throws(PGPProblem) -> [UInt8] {
    guard input.count <= Self.longest else { throw .tooLong }
    let lines = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    guard
      var ran = PipedProgram.run(
        [program] + arguments, environment: lines, input: input, limit: Self.longest)
    else { throw .cannotStart(program: program) }
    guard ran.status == 0 else {
      ran.output.wipe()
      let said = String(decoding: ran.errors, as: UTF8.self).split(separator: "\n")
      throw .failed(status: ran.status, lastLines: said.suffix(4).map(String.init))
    }
    return ran.output
  }
}
