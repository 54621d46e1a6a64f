/// How values are written in JSON.
enum JSONSpelling {
  /// The text of a value; nil when JSON has none.
  static func spell(_ value: SOPSValue) -> [UInt8]? {
    switch value {
    case .text(let text): UTF8Step.isValid(text) ? JSONString.quoted(text) : nil
    case .integer(let number): Array(String(number).utf8)
    case .number(let number): number.isFinite ? Array(number.plainDecimal.utf8) : nil
    case .boolean(let flag): Array((flag ? "true" : "false").utf8)
    case .time(let time): JSONString.quoted(Array(time.utf8))
    case .null: Array("null".utf8)
    case .comment: nil
    }
  }
}
