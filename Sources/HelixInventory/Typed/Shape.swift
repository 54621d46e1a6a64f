/// What a typed document may hold: the one description that checks it and gives its JSON Schema.
package indirect enum Shape: Sendable {
  /// Any scalar, taken as it was written; `example` is what messages show.
  case text(example: String)
  /// One of a few words.
  case word([String])
  case integer(ClosedRange<Int>)
  case bool
  /// Seconds, as `300`, `90s`, `5m` or `1h30m`.
  case duration
  /// `{ secret: NAME }`: the name of a secret, never its value.
  case secret
  case list(of: Shape)
  /// A mapping with just these keys.
  case fields([Field])
  /// A mapping from free names to things of one shape.
  case named(Shape)
  /// A mapping whose keys another table knows.
  case open
  /// The first that fits counts; the last is the one that mistakes are judged by.
  case either(Shape, Shape)

  /// One key of a mapping.
  package struct Field: Sendable {
    package var key: String
    package var shape: Shape
    package var isRequired: Bool
    /// One sentence for the schema's reader.
    package var meaning: String

    package static func required(_ key: String, _ shape: Shape, _ meaning: String) -> Field {
      Field(key: key, shape: shape, isRequired: true, meaning: meaning)
    }

    package static func optional(_ key: String, _ shape: Shape, _ meaning: String) -> Field {
      Field(key: key, shape: shape, isRequired: false, meaning: meaning)
    }
  }

  /// How messages name what should have stood there.
  var wanted: String {
    switch self {
    case .text(let example): "text such as \(example)"
    case .word(let words): "one of " + words.joined(separator: ", ")
    case .integer(let range) where range.upperBound == .max: "a number from \(range.lowerBound)"
    case .integer(let range): "a number from \(range.lowerBound) to \(range.upperBound)"
    case .bool: "true or false"
    case .duration: "a duration such as 300s or 5m"
    case .secret: "the name of a secret, { secret: NAME }"
    case .list: "a list"
    case .fields, .named, .open: "a mapping"
    case .either(let first, let second): "\(first.wanted), or \(second.wanted)"
    }
  }
}
