package import HelixModel

/// Where a value stands in a file.
package struct SOPSPlace: Hashable, Sendable {
  /// Which document of a file with several, from nought.
  package var document: Int
  package var steps: [PathStep]
  package var location: SourceLocation
}

/// Why something cannot be done with a file.
package enum SOPSProblem: Error, Hashable, Sendable {
  /// The text is not of its format.
  case text(Diagnostic)
  /// There is nothing in it.
  case empty(file: String)
  case notEncrypted(file: String)
  case alreadyEncrypted(file: String)
  case metadata(MetadataProblem, file: String)
  /// The file's rule is a pattern that SOPS cannot read and ignores.
  case rule(RE2Problem, SelectionRule, file: String)
  case noDataKey(KeySearchProblem, file: String)
  case value(ValueProblem, SOPSPlace)
  case macMissing(file: String)
  /// It was encrypted with another data key or for another time.
  case macNotAuthentic(file: String)
  case macMismatch(file: String)
  /// Parts of a plain file that SOPS would not give back as they are.
  case obstacles([Diagnostic])
  /// The rule finds nothing to encrypt, so everything would stay in plain text.
  case nothingSelected(SelectionRule, file: String)
  case wrap(WrapProblem, file: String)
  /// The file does not have the place that was asked for.
  case noSuchPlace([PathStep], file: String)
  /// There are several values at the place, where one is needed.
  case notOneValue([PathStep], file: String)
  /// What was to be written does not read back as what it was made of.
  case notFaithful(file: String)
}

extension SOPSProblem {
  /// The exit status that upstream has for it.
  package var exitCode: Int32 {
    switch self {
    case .text, .notEncrypted, .metadata, .rule, .wrap: 1
    case .empty: 92
    case .alreadyEncrypted: 203
    case .noDataKey: 128
    case .value: 25
    case .macMissing, .macNotAuthentic, .macMismatch: 51
    case .obstacles, .nothingSelected: 23
    case .noSuchPlace, .notOneValue: 91
    case .notFaithful: 4
    }
  }
}
