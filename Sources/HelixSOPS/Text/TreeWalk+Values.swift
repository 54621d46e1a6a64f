import HelixModel

/// What scalars mean, and which of them SOPS has no words for.
extension TreeWalk {
  private static let core = "tag:yaml.org,2002:"

  /// The value of a scalar.
  func value(of node: Int) -> SOPSValue {
    TreeValue(tree: tree, scalar: scalar).value(of: node)
  }

  /// A key's text; keys that are maps or lists have none.
  mutating func name(of key: Int) throws(TextFault) -> String {
    var source = key
    if tree.nodes[key].kind == .alias, let target = tree.extras[key]?.target { source = target }
    let node = tree.nodes[source]
    guard node.kind == .scalar else {
      throw TextFault("a key is a map or list, which SOPS has no words for", at: node.start)
    }
    let bytes = scalar.value(of: node, extras: tree.extras[source])
    if frames[frames.count - 1].alias == nil, format == .yaml { note(key: key, source, bytes) }
    return String(decoding: bytes, as: UTF8.self)
  }

  private mutating func note(key: Int, _ source: Int, _ bytes: [UInt8]) {
    if key != source {
      obstacle("an alias stands as a key", at: key, because: "SOPS writes keys as text")
    }
    let tag = tree.extras[source]?.meaning ?? "!"
    if tree.nodes[source].style == .plain, bytes == Array("<<".utf8), tag == "!" {
      obstacle(
        "a merge key cannot be encrypted", at: key,
        because: "SOPS writes it as a key of its own, and the merge is lost")
    } else if case .text = value(of: source) {
      note(tagOf: source)
    } else {
      obstacle("a key is not text", at: key, because: "SOPS takes keys only that are text")
    }
  }

  /// Notes tags that SOPS drops, and values that are not what their tag says.
  mutating func note(tagOf node: Int) {
    if holdsLongInteger(node) {
      return obstacle(
        "an integer has more digits than SOPS keeps", at: node,
        because: "beyond 9223372036854775807 it becomes a fraction, and loses digits")
    }
    if format == .json { return note(json: node) }
    if tree.nodes[node].kind == .scalar, TreeValue(tree: tree, scalar: scalar).isUnknown(node) {
      return obstacle(
        "a value is not of a type that SOPS has", at: node,
        because: "integers end at 9223372036854775807, and a value must be what its tag says")
    }
    guard let meaning = tree.extras[node]?.meaning, meaning != "!" else { return }
    if !meaning.hasPrefix(Self.core) {
      obstacle("a tag of its own cannot be encrypted", at: node, because: "SOPS drops such tags")
    }
  }

  /// Whether a number is written as an integer, and is read as a fraction.
  private func holdsLongInteger(_ node: Int) -> Bool {
    let place = tree.nodes[node]
    guard place.kind == .scalar, place.style == .plain, case .number = value(of: node) else {
      return false
    }
    let bytes = scalar.value(of: place, extras: tree.extras[node])
    let digits =
      bytes.first.map { $0 == 0x2B || $0 == 0x2D } == true ? bytes.dropFirst() : bytes[...]
    return digits.count > 18 && digits.allSatisfy { (48...57).contains($0) || $0 == 0x5F }
  }

  private mutating func note(json node: Int) {
    let place = tree.nodes[node]
    guard place.kind == .scalar else { return }
    if place.style == .plain, TreeValue(tree: tree, scalar: scalar).isUnknown(node) {
      obstacle(
        "a number is larger than any that SOPS has", at: node,
        because: "SOPS reads numbers as 64 bit integers or floating point numbers")
    } else if place.style == .double,
      !JSONString.decode(text, (place.start + 1)..<(place.end - 1)).isWhole
    {
      obstacle(
        "a string holds half of a character", at: node,
        because: "SOPS replaces it, and the file would not come back as it was")
    }
  }
}

/// What the scalars of a tree mean.
struct TreeValue {
  let tree: TextTree
  let scalar: YAMLScalar

  /// The value of a scalar or of an alias of one.
  func value(of node: Int) -> SOPSValue {
    let bytes = scalar.value(of: tree.nodes[node], extras: tree.extras[node])
    return typed(bytes, node) ?? .text(bytes)
  }

  /// Whether SOPS has no type for it.
  func isUnknown(_ node: Int) -> Bool {
    let plain = tree.nodes[node]
    // Only numbers and tagged values can be unknown; most values are neither.
    let isLong = plain.style == .plain && plain.end - plain.start > 18
    guard isLong || scalar.isJSON || tree.extras[node]?.tag != nil else { return false }
    return typed(scalar.value(of: plain, extras: tree.extras[node]), node) == nil
  }

  private func typed(_ bytes: [UInt8], _ node: Int) -> SOPSValue? {
    let isPlain = tree.nodes[node].style == .plain
    if scalar.isJSON { return isPlain ? json(bytes) : .text(bytes) }
    guard let meaning = tree.extras[node]?.meaning, meaning != "!" else {
      return isPlain ? YAMLResolver.resolve(bytes) : .text(bytes)
    }
    switch meaning {
    case "tag:yaml.org,2002:str": return .text(bytes)
    case "tag:yaml.org,2002:binary": return Base64Text.decode(bytes).map { .text($0) }
    case "tag:yaml.org,2002:null":
      return YAMLResolver.resolve(bytes) == .null ? .null : nil
    case "tag:yaml.org,2002:bool":
      guard case .boolean? = YAMLResolver.resolve(bytes) else { return nil }
    case "tag:yaml.org,2002:int":
      guard case .integer? = YAMLResolver.resolve(bytes) else { return nil }
    case "tag:yaml.org,2002:float":
      if case .integer(let whole)? = YAMLResolver.resolve(bytes) { return .number(Double(whole)) }
      guard case .number? = YAMLResolver.resolve(bytes) else { return nil }
    case "tag:yaml.org,2002:timestamp":
      guard case .time? = YAMLResolver.resolve(bytes) else { return nil }
    default: return .text(bytes)
    }
    return YAMLResolver.resolve(bytes)
  }
}

extension TreeValue {
  /// A word or number of JSON; every integer that fits is one, as upstream reads it since 3.13.2.
  private func json(_ bytes: [UInt8]) -> SOPSValue? {
    switch bytes.first {
    case UInt8(ascii: "t"): return .boolean(true)
    case UInt8(ascii: "f"): return .boolean(false)
    case UInt8(ascii: "n"): return .null
    default:
      let text = String(decoding: bytes, as: UTF8.self)
      if let integer = Int64(text) { return .integer(integer) }
      guard let number = Double(text), number.isFinite else { return nil }
      return .number(number)
    }
  }
}

/// Base 64 as `!!binary` has it: padded, with line breaks anywhere.
enum Base64Text {
  private static let letters = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func decode(_ text: [UInt8]) -> [UInt8]? {
    let body = text.filter { $0 != 0x0A && $0 != 0x0D }
    guard body.count.isMultiple(of: 4) else { return nil }
    let padding = body.suffix(2).count { $0 == UInt8(ascii: "=") }
    var result: [UInt8] = []
    var bits: UInt32 = 0
    for (index, byte) in body.dropLast(padding).enumerated() {
      guard let value = letters.firstIndex(of: byte) else { return nil }
      bits = bits << 6 | UInt32(value)
      if index % 4 == 3 {
        result += [UInt8(bits >> 16 & 0xFF), UInt8(bits >> 8 & 0xFF), UInt8(bits & 0xFF)]
        bits = 0
      }
    }
    if padding == 1 { result += [UInt8(bits >> 10 & 0xFF), UInt8(bits >> 2 & 0xFF)] }
    if padding == 2 { result.append(UInt8(bits >> 4 & 0xFF)) }
    return result
  }

  static func encode(_ bytes: [UInt8]) -> String {
    var result: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var bits: UInt32 = 0
      for byte in group { bits = bits << 8 | UInt32(byte) }
      bits <<= UInt32(8 * (3 - group.count))
      for place in 0..<4 {
        result.append(
          place <= group.count
            ? letters[Int(bits >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
