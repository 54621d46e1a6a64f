/// The smallest piece of an expression that means something.
struct Token: Sendable {
  enum Form: Hashable, Sendable {
    case name(String)
    case text(String)
    case integer(Int)
    case number(Double)
    /// An operator or a bracket, as written.
    case symbol(String)
    /// `}}`: the expression is over.
    case end
  }

  var form: Form
  var span: Span

  /// How messages quote it.
  var shown: String {
    switch form {
    case .name(let name): "\"\(name)\""
    case .text: "a text"
    case .integer, .number: "a number"
    case .symbol(let symbol): "\"\(symbol)\""
    case .end: "the end of the expression"
    }
  }
}
