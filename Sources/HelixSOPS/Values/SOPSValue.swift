/// A leaf of a document, with the type that SOPS gives it.
package enum SOPSValue: Hashable, Sendable {
  /// UTF-8 text; in a binary file any bytes.
  case text([UInt8])
  case integer(Int64)
  case number(Double)
  case boolean(Bool)
  /// RFC 3339 with nanoseconds, trailing zeros dropped.
  case time(String)
  /// Neither encrypted nor counted.
  case null
  /// What stands behind the comment's mark, the leading blank included.
  case comment([UInt8])
}
