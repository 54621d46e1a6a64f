import HelixPlan
import HelixRun

/// A step graph in Graphviz's language.
enum GraphText {
  static func render(_ graph: StepGraph) -> String {
    var lines = ["digraph plan {", "  rankdir = LR;", "  node [shape = box];"]
    for step in graph.steps {
      let undo = step.undo.map { "\nif it fails: \($0.words)" }.joined()
      let label = "\(step.id.address)\n\(step.title)\(undo)"
      lines.append("  \(quoted(step.id.description)) [label = \(quoted(label))];")
      for id in step.after {
        lines.append("  \(quoted(id.description)) -> \(quoted(step.id.description));")
      }
      for id in step.follows {
        lines.append(
          "  \(quoted(id.description)) -> \(quoted(step.id.description)) [style = dashed];")
      }
    }
    return lines.joined(separator: "\n") + "\n}\n"
  }

  private static func quoted(_ text: String) -> String {
    let escaped = text.map { character in
      switch character {
      case "\"": "\\\""
      case "\\": "\\\\"
      case "\n": "\\n"
      default: String(character)
      }
    }
    return "\"\(escaped.joined())\""
  }
}
