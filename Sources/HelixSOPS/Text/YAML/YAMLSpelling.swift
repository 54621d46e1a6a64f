/// How values are written in YAML so that reading gives the same value and type.
enum YAMLSpelling {
  /// What a value becomes.
  enum Spelled: Equatable {
    case inline([UInt8])
    /// A block of text: its header and its lines, not yet indented.
    case block(header: [UInt8], lines: [ArraySlice<UInt8>])
  }

  /// Where a value is to stand.
  struct Position {
    var style: TextNode.Style
    var isInFlow: Bool
    /// How far lines of a block are indented, and the block that it stands in; nil where no block
    /// may stand.
    var contentIndent: Int?
    var parentIndent = 0
  }

  static func spell(_ value: SOPSValue, at position: Position) -> Spelled {
    switch value {
    case .text(let text): return spell(text, at: position)
    case .integer(let number): return .inline(Array(String(number).utf8))
    case .number(let number): return .inline(Array(Self.number(number).utf8))
    case .boolean(let flag): return .inline(Array((flag ? "true" : "false").utf8))
    case .null: return .inline(Array("null".utf8))
    case .time(let time):
      let bytes = Array(time.utf8)
      return GoTime.parse(bytes) == time ? .inline(bytes) : spell(bytes, at: position)
    case .comment(let text): return .inline(Array("#".utf8) + text)
    }
  }

  /// A number that stays one when it is read again.
  static func number(_ number: Double) -> String {
    if number.isNaN { return ".nan" }
    if number.isInfinite { return number < 0 ? "-.inf" : ".inf" }
    return number.description
  }

  private static func spell(_ text: [UInt8], at position: Position) -> Spelled {
    guard UTF8Step.isValid(text) else {
      return .inline(Array("!!binary \"\(Base64Text.encode(text))\"".utf8))
    }
    switch position.style {
    case .double: return .inline(JSONString.quoted(text))
    case .single where isPrintable(text): return .inline(singleQuoted(text))
    case .single: return .inline(JSONString.quoted(text))
    default: break
    }
    if isPlain(text, isInFlow: position.isInFlow) { return .inline(text) }
    if text.contains(0x0A), let block = block(text, at: position) { return block }
    let prefersSingle =
      (text.contains(UInt8(ascii: "\"")) || text.contains(UInt8(ascii: "\\")))
      && !text.contains(UInt8(ascii: "'")) && isPrintable(text)
    return .inline(prefersSingle ? singleQuoted(text) : JSONString.quoted(text))
  }

  private static func singleQuoted(_ text: [UInt8]) -> [UInt8] {
    let quote = UInt8(ascii: "'")
    return [quote] + text.flatMap { $0 == quote ? [quote, quote] : [$0] } + [quote]
  }

  // MARK: What may stand where

  /// Whether text is one line of characters that YAML takes as they are.
  private static func isPrintable(_ text: [UInt8]) -> Bool {
    String(decoding: text, as: UTF8.self).unicodeScalars.allSatisfy {
      switch $0.value {
      case 0x85, 0x2028, 0x2029, 0xFEFF, 0x0A, 0x0D, 0x09: false
      default: YAMLCharacters.isAllowed($0.value)
      }
    }
  }

  /// Whether text may stand without quotes and is read as text, by readers of YAML 1.1 too.
  static func isPlain(_ text: [UInt8], isInFlow: Bool) -> Bool {
    guard let first = text.first, let last = text.last else { return false }
    guard case .text? = YAMLResolver.resolve(text), !isOldWord(text), isPrintable(text) else {
      return false
    }
    let blank = UInt8(ascii: " ")
    guard first != blank, last != blank, last != UInt8(ascii: ":") else { return false }
    guard !Array(",[]{}#&*!|>'\"%@`=<~".utf8).contains(first) else { return false }
    if Array("-?:.".utf8).contains(first) {
      guard !isInFlow, startsWord(text.dropFirst().first) else { return false }
    }
    for (index, byte) in text.enumerated() {
      let next = index + 1 < text.count ? text[index + 1] : blank
      switch byte {
      case UInt8(ascii: ":") where next == blank || isInFlow && !startsWord(next): return false
      case UInt8(ascii: "#") where index > 0 && text[index - 1] == blank: return false
      case UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"),
        UInt8(ascii: "}"), UInt8(ascii: "?"):
        if isInFlow { return false }
      default: break
      }
    }
    return true
  }

  private static func startsWord(_ byte: UInt8?) -> Bool {
    guard let byte else { return false }
    return byte == UInt8(ascii: "/") || byte == UInt8(ascii: "_") || byte >= 0x80
      || Character(Unicode.Scalar(byte)).isLetter
  }

  /// Words and numbers that YAML 1.1 has and go-yaml reads as text; it quotes them as well.
  private static func isOldWord(_ text: [UInt8]) -> Bool {
    guard text.count <= 40, let first = text.first else { return false }
    if let digit = Character(Unicode.Scalar(first)).wholeNumberValue ?? sign(first) {
      // Base 60, as in 12:30:45.
      return digit >= 0 && text.contains(UInt8(ascii: ":"))
        && text.dropFirst().allSatisfy {
          $0 >= 0x30 && $0 <= 0x39 || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "_")
            || $0 == UInt8(ascii: ".")
        }
    }
    guard text.count <= 3 else { return false }
    return ["y", "n", "yes", "no", "on", "off"].contains(
      String(decoding: text, as: UTF8.self).lowercased())
  }

  private static func sign(_ byte: UInt8) -> Int? {
    byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") ? 0 : nil
  }

  // MARK: Blocks

  /// Text of several lines as a literal block; nil where a block would not be read as it was.
  private static func block(_ text: [UInt8], at position: Position) -> Spelled? {
    guard let indent = position.contentIndent, !position.isInFlow else { return nil }
    let lines = text.split(separator: 0x0A, omittingEmptySubsequences: false)
    // More than one empty line at the end would swallow or need what stands behind the block.
    guard text.first != 0x0A, !text.suffix(2).elementsEqual([0x0A, 0x0A]) else { return nil }
    for line in lines {
      guard line.last != UInt8(ascii: " "), line.last != 0x09,
        isPrintable(line.filter { $0 != 0x09 })
      else { return nil }
    }
    var header = Array("|".utf8)
    if let first = lines.first?.first, first == UInt8(ascii: " ") || first == 0x09 {
      let relative = indent - max(position.parentIndent, 0)
      guard (1...9).contains(relative) else { return nil }
      header += Array(String(relative).utf8)
    }
    if text.last != 0x0A { header.append(UInt8(ascii: "-")) }
    return .block(header: header, lines: text.last == 0x0A ? lines.dropLast() : lines)
  }
}
