package import HelixModel

extension SOPSProblem {
  /// The problem in words; it tells files, places and keys, never values.
  package var diagnostics: [Diagnostic] {
    switch self {
    case .text(let diagnostic): [diagnostic]
    case .obstacles(let diagnostics): diagnostics
    default: [diagnostic]
    }
  }

  private var diagnostic: Diagnostic {
    switch self {
    case .value(let problem, let place): problem.diagnostic(at: place)
    case .noDataKey(let problem, let file): problem.diagnostic(in: file)
    case .metadata(let problem, let file): problem.diagnostic(in: file)
    case .wrap(let problem, let file): problem.diagnostic(in: file)
    case .rule(let problem, let rule, let file):
      problem.diagnostic(
        in: rule.fieldName, danger: rule.dangerOfBadPattern, at: .start(of: file))
    case .macMissing, .macNotAuthentic, .macMismatch: macDiagnostic
    default: fileDiagnostic
    }
  }

  private var macDiagnostic: Diagnostic {
    switch self {
    case .macMissing(let file):
      Diagnostic(
        "the file has no MAC", reason: "nothing then tells whether values were taken out or added",
        remedy: "take the file from a time before it was edited by hand", at: .start(of: file))
    case .macNotAuthentic(let file):
      Diagnostic(
        "the file's MAC was not made with its data key and its lastmodified",
        reason: "lastmodified or mac was changed by hand or by a merge",
        remedy: "take the whole file from one side of the merge, and edit it with secrets edit",
        at: .start(of: file))
    default:
      Diagnostic(
        "the values are not those that the file's MAC was made of",
        reason: "a value was changed, taken out, added or moved without SOPS",
        remedy: "take the file from a time before that, and edit it with secrets edit",
        at: .start(of: fileName))
    }
  }

  private var fileDiagnostic: Diagnostic {
    let place = SourceLocation.start(of: fileName)
    return switch self {
    case .empty:
      Diagnostic("the file is empty", reason: "there is nothing to encrypt", at: place)
    case .notEncrypted:
      Diagnostic(
        "the file is not encrypted with SOPS", reason: "it has no sops block",
        remedy: "encrypt it with secrets encrypt", at: place)
    case .alreadyEncrypted:
      Diagnostic(
        "the file is encrypted already", reason: "it has a sops block",
        remedy: "change it with secrets edit or secrets set", at: place)
    case .nothingSelected(let rule, _):
      Diagnostic(
        "nothing in the file would be encrypted",
        reason: "\(rule.fieldName) \"\(rule.text)\" finds no value that is not empty",
        remedy: "mend the rule, or leave the file as plain text", at: place)
    case .noSuchPlace(let steps, _):
      Diagnostic(
        "the file has no \(steps.sopsPath)", remedy: "write the path as [\"key\"][0]", at: place)
    case .notOneValue(let steps, _):
      Diagnostic(
        "\(steps.sopsPath) holds several values", reason: "only a single one can be set",
        remedy: "write the path of one value", at: place)
    default:
      Diagnostic(
        "what would be written does not read back as it should",
        reason:
          "the file's text has a form that cannot be changed in place, so nothing was written",
        at: place)
    }
  }

  private var fileName: String {
    switch self {
    case .text(let diagnostic): diagnostic.location?.file ?? ""
    case .obstacles(let diagnostics): diagnostics.first?.location?.file ?? ""
    case .value(_, let place): place.location.file
    case .empty(let file), .notEncrypted(let file), .alreadyEncrypted(let file),
      .metadata(_, let file), .rule(_, _, let file), .noDataKey(_, let file),
      .macMissing(let file), .macNotAuthentic(let file), .macMismatch(let file),
      .nothingSelected(_, let file), .wrap(_, let file), .noSuchPlace(_, let file),
      .notOneValue(_, let file), .notFaithful(let file):
      file
    }
  }
}

extension SourceLocation {
  /// A file as a whole.
  static func start(of file: String) -> SourceLocation {
    SourceLocation(file: file, line: 1, column: 1)
  }
}

extension ValueProblem {
  func diagnostic(at place: SOPSPlace) -> Diagnostic {
    let path = place.steps.sopsPath
    let (reason, remedy): (String, String) =
      switch self {
      case .notEncrypted, .notText:
        (
          "the file's rule says it is encrypted, and it stands there in plain text",
          "take it out and add it with secrets set; who has seen the file has seen the value"
        )
      case .notAuthentic:
        (
          "it was changed, or moved here from another key or another file",
          "take the value from a time before that, or set it anew with secrets set"
        )
      case .unknownType(let type):
        ("it says it is of type \"\(type)\", which is unknown", "open it with a newer version")
      case .wrongContent(let type):
        ("it decrypts, but to nothing of its type \(type)", "set it anew with secrets set")
      }
    return Diagnostic(
      "the value at \(path) cannot be decrypted", reason: reason, remedy: remedy,
      at: place.location)
  }
}
