/// What a text may ask of memory and stack before it is refused.
///
/// A text made of nothing but the smallest of values would take many times its size; what people
/// keep secrets in takes a few times its size, and is never refused.
enum TextLimit {
  /// Levels of maps and lists; far more than any file that people keep secrets in.
  static let depth = 200

  /// How many bytes reading a text of some size may take.
  static func memory(for size: Int) -> Int { 14 << 20 + 9 * size }

  /// About what one of each takes, with what an array that grows holds in reserve; as measured.
  static let node = 100
  static let extras = 480
  static let comment = 130
  static let item = 300
  static let line = 480
  static let section = 1000

  /// How many obstacles are told of; nobody reads more.
  static let obstacles = 100

  static let tooDeep = "maps and lists are nested more than \(depth) levels deep"
  static let tooMany = "there are too many values for a text of this size"
}

extension TextTree {
  /// About what the tree takes in memory.
  var memory: Int {
    (nodes.count + documents.count) * TextLimit.node + extras.count * TextLimit.extras
      + comments.count * TextLimit.comment
  }
}
