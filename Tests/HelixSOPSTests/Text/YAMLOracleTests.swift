import Foundation
import Testing
import Yams

@testable import HelixSOPS

/// The reader of YAML is our own, for the sake of exact bytes; libyaml says whether it is right.
@Suite("YAML is read as libyaml reads it")
struct YAMLOracleTests {
  @Test("made-up documents have the same maps, lists and text", arguments: 0..<30)
  func generated(block: Int) throws {
    for number in 0..<60 {
      let text = YAMLMaker.make(seed: UInt64(block * 1000 + number))
      compare(text, "seed \(block * 1000 + number)")
    }
  }

  @Test("documents with a byte changed are refused or read alike", arguments: 0..<20)
  func mutated(block: Int) throws {
    var random = SeededNumbers(UInt64(7_000 + block))
    let alphabet = Array(" \n\t:-#'\"[]{},&*!|>?%@`~ab1\\.\r=".utf8)
    for number in 0..<100 {
      var bytes = Array(YAMLMaker.make(seed: UInt64(50_000 + block * 100 + number)).utf8)
      for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
        let place = bytes.indices.randomElement(using: &random) ?? 0
        guard bytes[place] < 0x80 else { continue }
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes.remove(at: place)
        case 1: bytes[place] = alphabet.randomElement(using: &random) ?? 0x20
        default: bytes.insert(alphabet.randomElement(using: &random) ?? 0x20, at: place)
        }
      }
      compare(String(decoding: bytes, as: UTF8.self), "block \(block) number \(number)")
    }
  }

  @Test(
    "published files", .enabled(if: PublishedFiles.isPresent, "../shared/data is missing"))
  func published() {
    for part in ["files", "plain", "negative"] {
      for file in PublishedFiles.files(in: part) where file.format == .yaml {
        compare(String(decoding: file.bytes, as: UTF8.self), file.name)
      }
    }
  }

  private func compare(_ text: String, _ name: String) {
    var roots: [Yams.Node]?
    var problem = ""
    do {
      roots = try Array(Yams.Parser(yaml: text).roots())
    } catch {
      problem = "\(error)"
    }
    do throws(TextFault) {
      let (tree, padded) = try YAMLParser.parse(Array(text.utf8))
      guard let roots else {
        // Yams's own additions to libyaml, and what SOPS takes no part in.
        if problem.contains("duplicat") { return }
        Issue.record("\(name): read, but libyaml says \(problem)\n\(text.debugDescription)")
        return
      }
      let oracle = roots.map(Self.outline).joined(separator: "\n---\n")
      let ours = tree.documents.map { Outline(tree: tree, text: padded).outline($0.root) }
        .joined(separator: "\n---\n")
      if oracle != ours {
        Issue.record("\(name):\n\(ours)\nbut libyaml:\n\(oracle)\n\(text.debugDescription)")
      }
    } catch {
      guard roots != nil else { return }
      Issue.record("\(name): \(error.reason) at \(error.offset)\n\(text.debugDescription)")
    }
  }

  private static func outline(_ node: Yams.Node) -> String {
    switch node {
    case .scalar(let scalar):
      let style: String =
        switch scalar.style {
        case .singleQuoted: "single"
        case .doubleQuoted: "double"
        case .literal: "literal"
        case .folded: "folded"
        default: "plain"
        }
      return "\(style) \(scalar.string.debugDescription)"
    case .mapping(let mapping):
      return "{"
        + mapping.map { outline($0.key) + ": " + outline($0.value) }
        .joined(separator: "; ") + "}"
    case .sequence(let sequence):
      return "[" + sequence.map(outline).joined(separator: "; ") + "]"
    case .alias: return "alias"
    }
  }

  private struct Outline {
    var tree: TextTree
    var text: [UInt8]

    func outline(_ index: Int) -> String {
      let node = tree.nodes[index]
      switch node.kind {
      case .scalar:
        let value = YAMLScalar(text: text).value(of: node, extras: tree.extras[index])
        return "\(node.style) \(String(decoding: value, as: UTF8.self).debugDescription)"
      case .alias: return outline(tree.extras[index]?.target ?? 0)
      case .list: return "[" + children(index).map(outline).joined(separator: "; ") + "]"
      case .map:
        let nodes = children(index)
        let members = stride(from: 0, to: nodes.count, by: 2).map {
          outline(nodes[$0]) + ": " + outline(nodes[$0 + 1])
        }
        return "{" + members.joined(separator: "; ") + "}"
      }
    }

    private func children(_ index: Int) -> [Int] {
      var result: [Int] = []
      var child = index + 1
      while child < tree.nodes[index].next {
        result.append(child)
        child = tree.nodes[child].next
      }
      return result
    }
  }
}

extension Yams.Parser {
  /// All documents; those that are empty are scalars too.
  fileprivate func roots() throws -> [Yams.Node] {
    var result: [Yams.Node] = []
    while let root = try nextRoot() { result.append(root) }
    return result
  }
}
