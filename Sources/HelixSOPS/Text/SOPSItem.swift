package import HelixModel

/// One step from a document's root to a leaf.
package enum PathStep: Hashable, Sendable {
  case key(String)
  case index(Int)
}

/// A value or comment of a document, in the order in which SOPS walks it.
package struct SOPSItem: Sendable {
  /// Which document of a file with several.
  package var document: Int
  /// Where it stands, list indices included.
  package var place: [PathStep]
  /// What it is now: plain text, or the text of its ciphertext.
  package var value: SOPSValue
  /// The comments that comment rules look at: those before it and before what holds it.
  package var comments: [[UInt8]]
  /// For a comment, the containers that may hold it, nearest first, where readers differ.
  package var containers: [[PathStep]]
  package var location: SourceLocation

  /// The keys from the root, without list indices: what selection rules and the cipher look at.
  package var keys: [String] {
    place.compactMap { if case .key(let key) = $0 { key } else { nil } }
  }
}

/// What a leaf is to become.
package enum Replacement: Hashable, Sendable {
  /// Ciphertext; the quotes around a value stay.
  case ciphertext(String)
  /// A value spelled as the format spells it, so that reading gives the same value and type.
  case value(SOPSValue)
}
