package import HelixModel

extension AgeProblem {
  /// What is wrong, in the middle of a sentence.
  package var reason: String {
    switch self {
    case .armor(let reason), .header(let reason), .payload(let reason), .key(let reason): reason
    case .noMatch: "no identity at hand is one of its recipients'"
    case .hmac: "its header is not the one that was written with its key"
    }
  }

  /// What people read about a file that cannot be opened or made.
  package func diagnostic(at place: Diagnostic.Place? = nil) -> Diagnostic {
    switch self {
    case .armor:
      Diagnostic("the file is no age file in armor", reason: reason, at: place)
    case .header:
      Diagnostic("the header of the age file is malformed", reason: reason, at: place)
    case .noMatch:
      Diagnostic(
        "no identity opens the age file", reason: reason,
        remedy: "name the key file of one of its recipients", at: place)
    case .hmac:
      Diagnostic(
        "the header of the age file was changed", reason: reason,
        remedy: "fetch the file anew; somebody may have tampered with it", at: place)
    case .payload:
      Diagnostic(
        "the content of the age file is damaged", reason: reason,
        remedy: "fetch the file anew, and throw away what came of it", at: place)
    case .key:
      Diagnostic("the key is of no use here", reason: reason, at: place)
    }
  }
}
