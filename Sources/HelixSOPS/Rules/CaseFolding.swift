/// Which scalars differ only in case, by Unicode's simple folding.
enum CaseFolding {
  /// Behind this no scalar has another case.
  private static let last: UInt32 = 0x1E943
  /// The dotted and the dotless i fold to themselves: what else they fold to is Turkish.
  private static let turkish: Set<UInt32> = [0x130, 0x131]

  /// Every scalar that has other forms, with all of them, itself included.
  private static let orbits: [UInt32: [UInt32]] = {
    var groups: [UInt32: [UInt32]] = [:]
    for value in 0x41...last {
      guard let scalar = Unicode.Scalar(value), !turkish.contains(value) else { continue }
      let root = root(of: scalar)
      if root != value { groups[root, default: [root]].append(value) }
    }
    var orbits: [UInt32: [UInt32]] = [:]
    for group in groups.values {
      for member in group { orbits[member] = group }
    }
    return orbits
  }()

  /// The small letter of the capital letter: the same for all forms.
  private static func root(of scalar: Unicode.Scalar) -> UInt32 {
    let upper = single(scalar.properties.uppercaseMapping) ?? scalar
    let lower = single(upper.properties.lowercaseMapping) ?? upper
    // Letters whose capital is two letters, such as ẞ and ß, meet in the small one.
    guard upper == scalar, lower == scalar else { return lower.value }
    return (single(scalar.properties.lowercaseMapping) ?? scalar).value
  }

  private static func single(_ text: String) -> Unicode.Scalar? {
    let scalars = text.unicodeScalars
    guard let first = scalars.first, scalars.dropFirst().isEmpty else { return nil }
    return first
  }

  /// A scalar and all that differ from it only in case.
  static func orbit(of scalar: UInt32) -> [UInt32] {
    guard scalar >= 0x41, scalar <= last else { return [scalar] }
    return orbits[scalar] ?? [scalar]
  }
}
