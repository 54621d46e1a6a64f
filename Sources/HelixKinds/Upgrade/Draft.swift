import HelixModel

/// A Kubernetes object in the making, written as Swift literals; keys keep their order.
indirect enum Draft: Sendable {
  case text(String)
  case number(Int)
  case truth(Bool)
  case list([Draft])
  case fields([(String, Draft)])
  /// What somebody wrote in a file, as it stands there.
  case node(Node)
  /// A key with nothing to say, which is left out.
  case absent

  /// The value with every part at one place.
  func node(at location: SourceLocation) -> Node {
    switch self {
    case .text(let text): Node(.text(text), at: location)
    case .number(let number): Node(.integer(number), at: location)
    case .truth(let truth): Node(.bool(truth), at: location)
    case .list(let elements): Node(.list(elements.map { $0.node(at: location) }), at: location)
    case .fields: Node(.mapping(mapping(at: location)), at: location)
    case .node(let node): node
    case .absent: Node(.null, at: location)
    }
  }

  /// The fields that say something.
  func mapping(at location: SourceLocation) -> Mapping {
    guard case .fields(let fields) = self else { return Mapping() }
    var mapping = Mapping()
    for (key, value) in fields {
      if case .absent = value { continue }
      mapping.set(.init(key: key, keyLocation: location, value: value.node(at: location)))
    }
    return mapping
  }
}

extension Draft: ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
  ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  init(stringLiteral text: String) { self = .text(text) }
  init(integerLiteral number: Int) { self = .number(number) }
  init(booleanLiteral truth: Bool) { self = .truth(truth) }
  init(arrayLiteral elements: Draft...) { self = .list(elements) }
  init(dictionaryLiteral fields: (String, Draft)...) { self = .fields(fields) }
}

extension Draft {
  /// The object that a draft describes.
  func object(
    _ apiVersion: String, _ kind: String, _ name: String, in namespace: String? = nil,
    labels: Draft = .absent, annotations: Draft = .absent, at location: SourceLocation
  ) -> ManifestObject {
    let head: [(String, Draft)] = [
      ("apiVersion", .text(apiVersion)), ("kind", .text(kind)),
      (
        "metadata",
        [
          "name": .text(name), "namespace": namespace.map(Draft.text) ?? .absent,
          "labels": labels, "annotations": annotations,
        ]
      ),
    ]
    let rest = if case .fields(let fields) = self { fields } else { [(String, Draft)]() }
    return ManifestObject(
      apiVersion: apiVersion, kind: kind, namespace: namespace, name: name,
      body: Draft.fields(head + rest).mapping(at: location), location: location)
  }
}
