internal import HelixModel

/// What an expression is worth while it is being worked out.
enum Operand {
  case value(Value)
  /// A list or mapping as written; what is taken out of it may still be a template.
  case written(Node, any Namespace, name: String)
  case namespace(any Namespace)
  case undefined(Missing)
}

/// Something that is not there; no message is made until it is clear that one is needed.
struct Missing {
  enum Sought {
    case variable(String)
    case key(String)
    case position(Int, count: Int)
    /// A method of Python's.
    case method(String)
    case member(String, of: String)
  }

  var sought: Sought
  var span: Span
  /// The template that asked.
  var source: TemplateSource
  /// Names that would have been there.
  var known: () -> [String]

  var diagnostic: Diagnostic { source.diagnostic(complaint, at: span) }

  private var complaint: Complaint {
    switch sought {
    case .variable(let name):
      Complaint(
        "no variable is named \"\(name)\"",
        remedy: nearestName(to: name, among: known()).map { "did you mean \"\($0)\"?" }
          ?? "define it, or write \(name) | default(…)")
    case .key(let name):
      Complaint(
        "there is no \"\(name)\" in this value",
        remedy: suggestion(for: name, among: known()) ?? "add it, or write … | default(…)")
    case .position(let position, let count):
      Complaint(
        "there is no element \(position) in this list",
        reason: count == 1 ? "it has one element" : "it has \(count) elements, counted from 0",
        remedy: "choose another, or write … | default(…)")
    case .method(let name):
      Complaint(
        "\".\(name)\" is a method in Jinja2, not a key",
        reason: "this version of helix-infra knows filters, but no functions, lookups or methods",
        remedy: "write ['\(name)'] for a key of that name")
    case .member(let name, let type):
      Complaint(
        "\(type) has no \"\(name)\"", remedy: "take it from a mapping, or write … | default(…)")
    }
  }
}
