import Foundation
import HelixModel
import HelixPlan
import TestSupport
import Testing

@testable import HelixKinds

/// A fixture folder: what a task asks for, what the host answers, and the plan that comes of it.
struct HostCase: CustomTestStringConvertible, Sendable {
  static let host: HostName = "node-1"

  /// The kind's folder.
  let kind: String
  let folder: URL

  var testDescription: String { "\(kind)/\(folder.lastPathComponent)" }

  static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures")

  static let all: [HostCase] = Catalogue.modules.map(folderName).flatMap(cases)

  static func cases(of kind: String) -> [HostCase] {
    let root = fixtures.appending(path: kind)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
    return names.sorted().map { HostCase(kind: kind, folder: root.appending(path: $0)) }
  }

  /// `KernelModuleKind` has its fixtures in `kernel-module`.
  static func folderName(of type: any ModuleKind.Type) -> String {
    var name = ""
    for letter in "\(type)".replacing("Kind", with: "") {
      if letter.isUppercase, !name.isEmpty { name += "-" }
      name += letter.lowercased()
    }
    return name
  }

  /// `desired.json` is one module's name and its arguments, as the playbook room hands them on.
  func demand() throws -> TaskDemand {
    let data = try Data(contentsOf: folder.appending(path: "desired.json"))
    let call = try #require(JSONDecoder().decode([String: JSONValue].self, from: data).first)
    return demandOf(call.key, try #require(call.value.node.mapping))
  }

  /// What the host answers: of each fact's file the first line is the status, the rest the output.
  func observation(of resource: any Resource) throws -> Observation {
    var answers: [FactID: FactAnswer] = [:]
    for question in resource.questions {
      let name = question.request.id.rawValue.prefix { $0 != ":" }
      let data = try Data(contentsOf: folder.appending(path: "facts/\(name).txt"))
      let lineEnd = try #require(data.firstIndex(of: UInt8(ascii: "\n")))
      let status = try #require(Int(String(decoding: data[..<lineEnd], as: UTF8.self)))
      let output = String(decoding: data[data.index(after: lineEnd)...], as: UTF8.self)
      answers[question.request.id] = FactAnswer(status: status, output: output)
    }
    return Observation(hosts: [Self.host: .answered(answers)])
  }
}

/// A task on the fixtures' host.
func demandOf(_ module: String, _ arguments: Mapping) -> TaskDemand {
  TaskDemand(
    module: module, arguments: arguments, host: HostCase.host, title: "a task", become: .root,
    location: SourceLocation(file: "playbooks/site.yaml", line: 3, column: 7))
}

/// The plan for one resource alone.
func planOf(
  _ resource: any Resource, _ observation: Observation,
  fingerprints: any Fingerprinter = TrueDigests()
) throws -> Plan {
  let stage = Stage(title: "fixture", items: [Stage.Item(resources: [resource])])
  return try Planner.plan(
    DesiredState(stages: [stage]), observation: observation, fingerprints: fingerprints)
}

/// A value in JSON, as the arguments of a fixture are written.
enum JSONValue: Decodable {
  case scalar(Value)
  case list([JSONValue])
  case mapping([String: JSONValue])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let truth = try? container.decode(Bool.self) {
      self = .scalar(.bool(truth))
    } else if let number = try? container.decode(Int.self) {
      self = .scalar(.integer(number))
    } else if let text = try? container.decode(String.self) {
      self = .scalar(.text(text))
    } else if let list = try? container.decode([JSONValue].self) {
      self = .list(list)
    } else {
      self = .mapping(try container.decode([String: JSONValue].self))
    }
  }

  var node: Node {
    let here = SourceLocation(file: "playbooks/site.yaml", line: 4, column: 9)
    return switch self {
    case .scalar(let value): Node(value, at: here)
    case .list(let values): Node(.list(values.map(\.node)), at: here)
    case .mapping(let values) where values["secret in"] != nil:
      Node(.hidden(secretText(values["secret in"])), at: here)
    case .mapping(let values):
      Node(
        .mapping(
          Mapping(
            values.sorted { $0.key < $1.key }.map { key, value in
              Mapping.Entry(key: key, keyLocation: here, value: value.node)
            })), at: here)
    }
  }
}

extension JSONValue {
  /// `{"secret in": ["text", {"secret": "name"}]}`: a text of which parts are secret.
  private func secretText(_ parts: JSONValue?) -> TemplateText {
    guard case .list(let parts)? = parts else { return "" }
    return TemplateText(
      parts: parts.map { part in
        let node = part.node
        let name = node.mapping?["secret"]?.text.map { SecretName($0) }
        return name.map { .secret($0) } ?? .literal(node.text ?? "")
      })
  }
}

/// SHA-256 by the same program that the hosts use, so that fixtures can be taken from real answers.
struct TrueDigests: Fingerprinter {
  let key = SecretValue("key")

  /// What a fixture can have written by hand.
  func fingerprint(of text: TemplateText) throws(Diagnostic) -> String? {
    text.plain ?? "of \(text.shown.split(separator: "\n").joined(separator: "·"))"
  }

  func digest(of text: String) -> String {
    do {
      return String(try run("sha256sum", [], input: text).output.prefix(64))
    } catch {
      Issue.record(error)
      return ""
    }
  }
}
