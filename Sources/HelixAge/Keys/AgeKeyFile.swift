package import HelixModel

extension AgeKeys {
  /// The identities in a key file: one in each line, and lines that start with `#`.
  ///
  /// - Throws: a `Diagnostic` that tells lines and quotes nothing of them.
  package func identities(
    in text: SecretValue, path: String
  ) throws(Diagnostic) -> [any AgeIdentity] {
    var identities: [any AgeIdentity] = []
    for (number, line) in lines(of: text.reveal()) {
      do {
        identities.append(try identity(String(decoding: line, as: UTF8.self)))
      } catch {
        throw Diagnostic(
          "this line is no identity", reason: error.reason,
          remedy: "a key file has one AGE-SECRET-KEY-… in a line, without blanks around it",
          at: SourceLocation(file: path, line: number, column: 1))
      }
    }
    guard !identities.isEmpty else {
      throw Diagnostic(
        "the key file holds no identity", remedy: "make one with helix-infra secrets keygen",
        at: SourceLocation(file: path, line: 1, column: 1))
    }
    return identities
  }

  /// The recipients in a file of them: one in each line, and lines that start with `#`.
  ///
  /// - Throws: a `Diagnostic` that tells the line.
  package func recipients(
    in text: [UInt8], path: String
  ) throws(Diagnostic) -> [any AgeRecipient] {
    var recipients: [any AgeRecipient] = []
    for (number, line) in lines(of: text) {
      do {
        recipients.append(try recipient(String(decoding: line, as: UTF8.self)))
      } catch {
        throw Diagnostic(
          "this line is no recipient", reason: error.reason,
          at: SourceLocation(file: path, line: number, column: 1))
      }
    }
    return recipients
  }

  /// The lines that say something, with their numbers; they may end as on Windows.
  private func lines(of text: [UInt8]) -> [(Int, ArraySlice<UInt8>)] {
    let lines = text.split(separator: 0x0a, omittingEmptySubsequences: false)
    return lines.enumerated().compactMap { number, line in
      let line = line.last == 0x0d ? line.dropLast() : line
      return line.isEmpty || line.first == UInt8(ascii: "#") ? nil : (number + 1, line)
    }
  }
}
