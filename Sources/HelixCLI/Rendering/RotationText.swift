import HelixModel
import HelixSOPS

/// What a rotation did, or would do, in words.
struct RotationText {
  let isDone: Bool

  func render(_ rotations: [(path: String, rotation: Rotation)]) -> String {
    let files = rotations.map { path, rotation in
      "\(path): \(isDone ? "has" : "would get") a new data key\n"
        + KeyChangeText.lines(rotation.change)
    }
    return files.joined() + advice(rotations.filter { !$0.rotation.change.removed.isEmpty })
  }

  /// What somebody who was taken out still knows.
  private func advice(_ rotations: [(path: String, rotation: Rotation)]) -> String {
    let places = rotations.flatMap { path, rotation in
      rotation.places.map { place in
        let document = place.document > 0 ? " (document \(place.document + 1))" : ""
        return "  \(path)\(document) \(place.steps.sopsPath)\n"
      }
    }
    guard !places.isEmpty else { return "" }
    return "\nWho was taken out knows these values; change them where they come from:\n"
      + places.joined()
  }
}

/// How the recipients of a file change, in words.
enum KeyChangeText {
  static func render(_ change: KeyChange, of path: String) -> String {
    guard !change.isEmpty else { return "\(path): its recipients are those of its rule\n" }
    return "\(path):\n" + lines(change)
  }

  static func lines(_ change: KeyChange) -> String {
    let added = change.added.map { "  + \($0.kind) \($0.name)\n" }
    let removed = change.removed.map { "  - \($0.kind) \($0.name)\n" }
    let regrouped = change.isRegrouped ? ["  ~ the key groups are those of the rule\n"] : []
    return (added + removed + regrouped).joined()
  }
}
