internal import HelixModel

extension Shape {
  /// The JSON Schema (2020-12) of a document of this shape.
  package func schema(title: String) -> String {
    var top = keywords
    top.insert(("$schema", .text("https://json-schema.org/draft/2020-12/schema")), at: 0)
    top.append(("title", .text(title)))
    return JSONText.write(object(top))
  }

  private var keywords: [(String, Value)] {
    switch self {
    case .text: [("type", list(["string", "number", "boolean"]))]
    case .word(let words): [("enum", list(words))]
    case .integer(let range):
      [("type", .text("integer")), ("minimum", .integer(range.lowerBound))]
        + (range.upperBound == .max ? [] : [("maximum", .integer(range.upperBound))])
    case .bool: [("type", .text("boolean"))]
    case .duration:
      [("type", list(["string", "integer"])), ("pattern", .text("^([0-9]+[hms])+$"))]
    case .secret:
      Shape.fields([.required("secret", .text(example: "name"), "The secret's name.")]).keywords
    case .list(let inner): [("type", .text("array")), ("items", object(inner.keywords))]
    case .fields(let fields): fieldKeywords(fields)
    case .named(let inner):
      [("type", .text("object")), ("additionalProperties", object(inner.keywords))]
    case .open: [("type", .text("object"))]
    case .either(let first, let second):
      [("anyOf", .list([node(object(first.keywords)), node(object(second.keywords))]))]
    }
  }

  private func fieldKeywords(_ fields: [Field]) -> [(String, Value)] {
    let properties = fields.map { field in
      (field.key, object(field.shape.keywords + [("description", Value.text(field.meaning))]))
    }
    let required = fields.filter(\.isRequired).map(\.key)
    return [
      ("type", .text("object")), ("properties", object(properties)),
      ("additionalProperties", .bool(false)),
    ] + (required.isEmpty ? [] : [("required", list(required))])
  }

  private func object(_ keywords: [(String, Value)]) -> Value {
    .mapping(
      Mapping(
        keywords.map { .init(key: $0.0, keyLocation: Self.nowhere, value: node($0.1)) }))
  }

  private func list(_ words: [String]) -> Value { .list(words.map { node(.text($0)) }) }

  private func node(_ value: Value) -> Node { Node(value, at: Self.nowhere) }

  private static let nowhere = SourceLocation(file: "", line: 1, column: 1)
}
