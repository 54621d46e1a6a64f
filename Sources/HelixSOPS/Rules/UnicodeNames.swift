/// What stands behind the names of `\p{…}` and `[[:…:]]`.
enum UnicodeNames {
  /// The general categories by their two letters; `Cn` has no name that every SOPS knows.
  private static let categories: [(name: String, category: Unicode.GeneralCategory)] = [
    ("Cc", .control), ("Cf", .format), ("Co", .privateUse), ("Cs", .surrogate),
    ("Ll", .lowercaseLetter), ("Lm", .modifierLetter), ("Lo", .otherLetter),
    ("Lt", .titlecaseLetter), ("Lu", .uppercaseLetter), ("Mc", .spacingMark),
    ("Me", .enclosingMark), ("Mn", .nonspacingMark), ("Nd", .decimalNumber),
    ("Nl", .letterNumber), ("No", .otherNumber), ("Pc", .connectorPunctuation),
    ("Pd", .dashPunctuation), ("Pe", .closePunctuation), ("Pf", .finalPunctuation),
    ("Pi", .initialPunctuation), ("Po", .otherPunctuation), ("Ps", .openPunctuation),
    ("Sc", .currencySymbol), ("Sk", .modifierSymbol), ("Sm", .mathSymbol),
    ("So", .otherSymbol), ("Zl", .lineSeparator), ("Zp", .paragraphSeparator),
    ("Zs", .spaceSeparator), ("", .unassigned),
  ]

  private static let bits: [Unicode.GeneralCategory: UInt32] = {
    var bits: [Unicode.GeneralCategory: UInt32] = [:]
    for (number, entry) in categories.enumerated() { bits[entry.category] = 1 << number }
    return bits
  }()

  private static let masks: [String: UInt32] = {
    var masks: [String: UInt32] = [:]
    for (number, entry) in categories.enumerated() where !entry.name.isEmpty {
      masks[entry.name] = 1 << number
      masks[String(entry.name.prefix(1)), default: 0] |= 1 << number
    }
    masks["C", default: 0] |= bits[.unassigned] ?? 0
    return masks
  }()

  /// Every name that a pattern may use in `\p{…}`.
  static var all: [String] { masks.keys + ["Any"] + UnicodeScripts.names }

  /// The scalars behind a name in `\p{…}`.
  static func members(named name: String) -> RE2Class.Part.Members? {
    if name == "Any" { return .everything }
    if let mask = masks[name] { return .categories(mask) }
    return UnicodeScripts.ranges(of: name).map { .ranges($0) }
  }

  /// The bit of the category that a scalar belongs to.
  static func mask(of scalar: UInt32) -> UInt32 {
    guard let scalar = Unicode.Scalar(scalar) else { return bits[.surrogate] ?? 0 }
    return bits[scalar.properties.generalCategory] ?? 0
  }

  /// The classes that `\d` and its like stand for, by their small letter.
  static let perlClasses: [Unicode.Scalar: [ClosedRange<UInt32>]] = [
    "d": ranges("09"), "s": [9...10, 12...13, 32...32], "w": ranges("09AZ__az"),
  ]

  /// The classes of `[[:name:]]`, all of them within ASCII.
  static let posixClasses: [String: [ClosedRange<UInt32>]] = [
    "alnum": ranges("09AZaz"), "alpha": ranges("AZaz"), "ascii": [0...127],
    "blank": [9...9, 32...32], "cntrl": [0...31, 127...127], "digit": ranges("09"),
    "graph": ranges("!~"), "lower": ranges("az"), "print": ranges(" ~"),
    "punct": ranges("!/:@[`{~"), "space": [9...13, 32...32], "upper": ranges("AZ"),
    "word": ranges("09AZ__az"), "xdigit": ranges("09AFaf"),
  ]

  /// Ranges from pairs of letters.
  private static func ranges(_ pairs: String) -> [ClosedRange<UInt32>] {
    let values = pairs.unicodeScalars.map(\.value)
    return stride(from: 0, to: values.count - 1, by: 2).map { values[$0]...values[$0 + 1] }
  }
}
