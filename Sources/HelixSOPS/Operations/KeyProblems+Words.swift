import HelixAge
import HelixModel

extension MetadataProblem {
  func diagnostic(in file: String) -> Diagnostic {
    let place = SourceLocation.start(of: file)
    return switch self {
    case .notFields:
      Diagnostic("the sops block is not a list of fields", at: place)
    case .field(let name):
      Diagnostic(
        "the sops block's \(name) is missing or makes no sense",
        remedy: "take the block from a time before it was changed", at: place)
    case .severalRules(let names):
      Diagnostic(
        "the sops block has more than one rule: \(names.joined(separator: ", "))",
        reason: "which values are encrypted would then be anybody's guess",
        remedy: "take the block from a time before it was changed", at: place)
    case .noKeys:
      Diagnostic(
        "the sops block names nobody who could open the file",
        remedy: "take the block from a time before it was changed", at: place)
    }
  }
}

extension KeySearchProblem {
  func diagnostic(in file: String) -> Diagnostic {
    let lines = trials.enumerated().flatMap { number, group in
      group.map { trial in
        let prefix = trials.count > 1 ? "group \(number + 1), " : ""
        return "\(prefix)\(trial.key.kind) \(trial.key.shortName): \(trial.outcome.words)"
      }
    }
    let summary =
      trials.count > 1
      ? "\(found) of the \(needed) key groups that the file needs can be opened here"
      : "no key at hand opens the file"
    return Diagnostic(
      summary, reason: lines.joined(separator: "; "),
      remedy: "bring the identity of one of these recipients, for example with SOPS_AGE_KEY_FILE",
      at: .start(of: file))
  }
}

extension MasterKey {
  /// The name, shortened where it is too long for a line.
  var shortName: String {
    name.count > 100 ? "\(name.prefix(24))…\(name.suffix(8))" : name
  }
}

extension KeyTrial.Outcome {
  var words: String {
    switch self {
    case .opened: "opened"
    case .notNeeded: "not tried"
    case .noIdentity: "no identity at hand is its"
    case .age(let problem): problem.reason
    case .noProgram: "gpg is not asked"
    case .pgp(let problem): problem.words
    case .remote: "this program does not ask clouds and vaults"
    case .empty: "the file holds no key for it"
    case .noDataKey: "what it opens is no data key"
    }
  }
}

extension PGPProblem {
  var words: String {
    switch self {
    case .cannotStart(let program): "\(program) cannot be started"
    case .failed(let status, let lines):
      "gpg ended with \(status)" + (lines.isEmpty ? "" : ": " + lines.joined(separator: " / "))
    case .notFingerprint: "it is not a fingerprint of 16 or more hexadecimal digits"
    case .tooLong: "the message is too long to hold a data key"
    }
  }
}

extension WrapProblem {
  func diagnostic(in file: String) -> Diagnostic {
    let place = SourceLocation.start(of: file)
    func cannot(_ key: MasterKey, _ reason: String, _ remedy: String) -> Diagnostic {
      Diagnostic(
        "the data key cannot be wrapped for \(key.kind) \(key.shortName)", reason: reason,
        remedy: remedy, at: place)
    }
    return switch self {
    case .age(let key, let problem): cannot(key, problem.reason, "mend or remove the recipient")
    case .pgp(let key, let problem):
      cannot(key, problem.words, "import the public key with gpg --import")
    case .noProgram(let key): cannot(key, "there is no gpg to ask", "install gpg")
    case .remote(let key):
      cannot(
        key, "only the cloud or vault that keeps it could do that",
        "do this with sops, or remove the key from the rule and from the file")
    case .noKeys:
      Diagnostic(
        "nobody is named whom the file could be encrypted for",
        reason: "a file, and each of its key groups, needs at least one key",
        remedy: "name a recipient with --age or in .sops.yaml", at: place)
    case .threshold(let threshold, let groups):
      Diagnostic(
        "a threshold of \(threshold) makes no sense with \(groups) key groups",
        remedy: "set shamir_threshold to at least 2 and at most the number of groups", at: place)
    }
  }
}
