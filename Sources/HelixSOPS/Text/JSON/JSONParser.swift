/// Reads JSON strictly into nodes, without recursion.
struct JSONParser {
  private let text: [UInt8]
  private let size: Int
  private var position = 0
  private var tree = TextTree()
  private var open: [Int] = []
  private let limit: Int

  private init(_ bytes: [UInt8]) {
    size = bytes.count
    text = bytes + [0, 0, 0, 0]
    limit = TextLimit.memory(for: bytes.count)
  }

  /// The one document of the text, and the text with zeros behind it.
  static func parse(_ bytes: [UInt8]) throws(TextFault) -> (tree: TextTree, padded: [UInt8]) {
    guard UTF8Step.isValid(bytes) else { throw TextFault("the bytes are not UTF-8", at: 0) }
    var parser = JSONParser(bytes)
    try parser.parse()
    return (parser.tree, parser.text)
  }

  private mutating func parse() throws(TextFault) {
    tree.documents = [TextTree.Document(root: 0, start: 0, end: size)]
    skipBlanks()
    try value()
    while let container = open.last {
      guard tree.memory <= limit else { throw TextFault(TextLimit.tooMany, at: position) }
      try member(of: container)
    }
    skipBlanks()
    guard position == size else { throw TextFault("something follows the document", at: position) }
  }

  private mutating func member(of container: Int) throws(TextFault) {
    let isMap = tree.nodes[container].kind == .map
    let isFirst = tree.nodes.count == container + 1
    let closing = isMap ? UInt8(ascii: "}") : UInt8(ascii: "]")
    skipBlanks()
    if text[position] == closing {
      position += 1
      tree.nodes[container].end = position
      tree.nodes[container].next = tree.nodes.count
      open.removeLast()
      return
    }
    if !isFirst {
      guard text[position] == UInt8(ascii: ",") else {
        throw TextFault("a \",\" or the end of a map or list is expected", at: position)
      }
      position += 1
      skipBlanks()
    }
    if isMap {
      guard text[position] == UInt8(ascii: "\"") else {
        throw TextFault("a key in double quotes is expected", at: position)
      }
      try string()
      skipBlanks()
      guard text[position] == UInt8(ascii: ":") else {
        throw TextFault("a \":\" is expected", at: position)
      }
      position += 1
      skipBlanks()
    }
    try value()
  }

  private mutating func value() throws(TextFault) {
    switch text[position] {
    case UInt8(ascii: "{"): try start(.map)
    case UInt8(ascii: "["): try start(.list)
    case UInt8(ascii: "\""): try string()
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
    default:
      for word in ["true", "false", "null"] where text[position...].starts(with: word.utf8) {
        add(.plain, position..<(position + word.utf8.count))
        return
      }
      throw TextFault("a value is expected", at: position)
    }
  }

  private mutating func start(_ kind: TextNode.Kind) throws(TextFault) {
    guard open.count < TextLimit.depth else { throw TextFault(TextLimit.tooDeep, at: position) }
    open.append(tree.nodes.count)
    add(.flow, position..<(position + 1), kind: kind)
  }

  private mutating func add(
    _ style: TextNode.Style, _ range: Range<Int>, kind: TextNode.Kind = .scalar
  ) {
    tree.nodes.append(
      TextNode(
        kind: kind, style: style, isInFlow: true, start: range.lowerBound, end: range.upperBound,
        next: tree.nodes.count + 1, column: 0, parentIndent: 0))
    position = range.upperBound
  }

  private mutating func string() throws(TextFault) {
    let start = position
    var index = position + 1
    while text[index] != UInt8(ascii: "\"") {
      if text[index] == UInt8(ascii: "\\") {
        guard let length = JSONString.escapeLength(text, at: index) else {
          throw TextFault("there is no such escape", at: index)
        }
        index += length
      } else {
        guard text[index] >= 0x20 else {
          throw TextFault(
            index >= size
              ? "the quotes that open here are never closed"
              : "there is a control character in quotes", at: index >= size ? start : index)
        }
        index += 1
      }
    }
    add(.double, start..<(index + 1))
  }

  private mutating func number() throws(TextFault) {
    let start = position
    var index = position
    func digits() -> Int { text[index...].prefix { $0 >= 0x30 && $0 <= 0x39 }.count }
    if text[index] == UInt8(ascii: "-") { index += 1 }
    let whole = digits()
    guard whole > 0, whole == 1 || text[index] != UInt8(ascii: "0") else {
      throw TextFault("this is no number", at: start)
    }
    index += whole
    if text[index] == UInt8(ascii: ".") {
      index += 1
      let fraction = digits()
      guard fraction > 0 else { throw TextFault("this is no number", at: start) }
      index += fraction
    }
    if text[index] | 0x20 == UInt8(ascii: "e") {
      index += 1
      if text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") { index += 1 }
      let exponent = digits()
      guard exponent > 0 else { throw TextFault("this is no number", at: start) }
      index += exponent
    }
    add(.plain, start..<index)
  }

  private mutating func skipBlanks() {
    while position < size,
      text[position] == 0x20 || text[position] == 0x0A || text[position] == 0x0D
        || text[position] == 0x09
    { position += 1 }
  }
}
