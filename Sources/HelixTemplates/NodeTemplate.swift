package import HelixModel

/// A node whose texts may be templates, taken apart once.
package struct NodeTemplate: Sendable {
  indirect enum Form: Sendable {
    case constant
    case template(Template)
    case list([NodeTemplate])
    case mapping([(Mapping.Entry, NodeTemplate)])
  }

  /// The node as written.
  package let node: Node
  let form: Form

  /// Whether it renders to the node itself, for every host.
  package var isConstant: Bool { if case .constant = form { true } else { false } }

  /// The parts of a list with templates in it; nil for anything else.
  package var elements: [NodeTemplate]? { if case .list(let list) = form { list } else { nil } }

  /// Takes every text of a node apart; keys of mappings are never templates.
  ///
  /// With `sources`, messages point into scalars, see `TextOrigin`.
  ///
  /// - Throws: all mistakes of all its templates.
  package init(_ node: Node, sources: (any SourceReader)?) throws(Diagnostics) {
    var problems: [Diagnostic] = []
    let template = Self.template(node, sources, &problems)
    guard problems.isEmpty else { throw Diagnostics(problems) }
    self = template
  }

  private init(_ node: Node, _ form: Form) {
    self.node = node
    self.form = form
  }

  private static func template(
    _ node: Node, _ sources: (any SourceReader)?, _ problems: inout [Diagnostic]
  ) -> NodeTemplate {
    switch node.value {
    case .text(let text) where mayBeTemplate(text):
      do {
        let template = try Template(text, origin: .scalar(node.location, sources))
        return NodeTemplate(node, .template(template))
      } catch {
        problems += error.all
      }
    case .list(let nodes):
      let elements = nodes.map { template($0, sources, &problems) }
      if !elements.allSatisfy(\.isConstant) { return NodeTemplate(node, .list(elements)) }
    case .mapping(let mapping):
      let entries = mapping.entries.map { ($0, template($0.value, sources, &problems)) }
      if !entries.allSatisfy(\.1.isConstant) { return NodeTemplate(node, .mapping(entries)) }
    default: break
    }
    return NodeTemplate(node, .constant)
  }

  /// Whether a text has anything that a template would change.
  package static func mayBeTemplate(_ text: String) -> Bool {
    var previous: UInt8 = 0
    for byte in text.utf8 {
      if previous == UInt8(ascii: "{"),
        byte == UInt8(ascii: "{") || byte == UInt8(ascii: "%") || byte == UInt8(ascii: "#")
      {
        return true
      }
      previous = byte
    }
    return false
  }
}
