/// A set of Unicode scalars, as a pattern's brackets or one of its classes write it.
struct RE2Class: Hashable, Sendable {
  /// A named class inside the brackets.
  struct Part: Hashable, Sendable {
    enum Members: Hashable, Sendable {
      case ranges([ClosedRange<UInt32>])
      /// General categories, a bit each.
      case categories(UInt32)
      case everything
    }

    var members: Members
    var isNegated: Bool
  }

  /// Single characters and ranges, in order and apart from each other.
  private let ranges: [ClosedRange<UInt32>]
  private let parts: [Part]
  private let isNegated: Bool
  private let foldsCase: Bool
  /// The answers for ASCII, a bit each, because most texts are.
  private var lowHalf: UInt64 = 0
  private var highHalf: UInt64 = 0

  init(
    ranges: [ClosedRange<UInt32>], parts: [Part] = [], isNegated: Bool = false, foldsCase: Bool
  ) {
    self.ranges = Self.merged(ranges)
    self.parts = parts
    self.isNegated = isNegated
    self.foldsCase = foldsCase
    for scalar in UInt32(0)..<128 where computed(scalar) {
      if scalar < 64 { lowHalf |= 1 << scalar } else { highHalf |= 1 << (scalar - 64) }
    }
  }

  func contains(_ scalar: UInt32) -> Bool {
    guard scalar < 128 else { return computed(scalar) }
    return scalar < 64 ? lowHalf >> scalar & 1 == 1 : highHalf >> (scalar - 64) & 1 == 1
  }

  private func computed(_ scalar: UInt32) -> Bool {
    let forms = foldsCase ? CaseFolding.orbit(of: scalar) : [scalar]
    let isIn =
      forms.contains { Self.isIn(ranges, $0) }
      || parts.contains { part in
        part.isNegated != forms.contains { Self.isIn(part.members, $0) }
      }
    return isIn != isNegated
  }

  private static func isIn(_ members: Part.Members, _ scalar: UInt32) -> Bool {
    switch members {
    case .ranges(let ranges): isIn(ranges, scalar)
    case .categories(let mask): UnicodeNames.mask(of: scalar) & mask != 0
    case .everything: true
    }
  }

  private static func isIn(_ ranges: [ClosedRange<UInt32>], _ scalar: UInt32) -> Bool {
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].contains(scalar) { return true }
      if ranges[middle].lowerBound > scalar { high = middle } else { low = middle + 1 }
    }
    return false
  }

  private static func merged(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
    var result: [ClosedRange<UInt32>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = result.last, range.lowerBound <= last.upperBound {
        result[result.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        result.append(range)
      }
    }
    return result
  }
}
