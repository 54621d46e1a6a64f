/// A host's name as the inventory writes it.
package struct HostName: Hashable, Sendable, Codable, RawRepresentable {
  package let rawValue: String

  package init(rawValue: String) { self.rawValue = rawValue }
  package init(_ name: String) { rawValue = name }

  package init(from decoder: any Decoder) throws {
    rawValue = try decoder.singleValueContainer().decode(String.self)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rawValue)
  }

  /// The machine helix-infra itself runs on, asked through a local shell.
  package static let controller = HostName("localhost")
}

extension HostName: Comparable, CustomStringConvertible, ExpressibleByStringLiteral {
  package init(stringLiteral value: String) { rawValue = value }
  package static func < (left: HostName, right: HostName) -> Bool {
    left.rawValue < right.rawValue
  }
  package var description: String { rawValue }
}

/// The name of one resource: `master-1/file:/etc/hosts`, `cluster/kubeconfig`.
package struct Address: Hashable, Sendable {
  /// Whom the resource belongs to.
  package enum Scope: Hashable, Sendable {
    case host(HostName)
    case cluster
    /// A cloud or another provider, by its word: `linode`, `aws`.
    case provider(String)
  }

  package let scope: Scope
  /// The kind's word, as the catalogue has it.
  package let kind: String
  /// What tells it from others of its kind in the scope; empty where there can be only one.
  package let name: String

  package init(_ scope: Scope, kind: String, name: String = "") {
    self.scope = scope
    self.kind = kind
    self.name = name
  }

  package init(host: HostName, kind: String, name: String = "") {
    self.init(.host(host), kind: kind, name: name)
  }

  /// The host the resource lives on, if it lives on one.
  package var host: HostName? {
    if case .host(let host) = scope { host } else { nil }
  }

  private var scopeWord: String {
    switch scope {
    case .host(let host): host.rawValue
    case .cluster: "cluster"
    case .provider(let word): word
    }
  }
}

extension Address: CustomStringConvertible, Comparable {
  package var description: String {
    name.isEmpty ? "\(scopeWord)/\(kind)" : "\(scopeWord)/\(kind):\(name)"
  }

  package static func < (left: Address, right: Address) -> Bool {
    (left.scopeWord, left.kind, left.name) < (right.scopeWord, right.kind, right.name)
  }
}

extension Address: Codable {
  private enum Key: CodingKey { case host, cluster, provider, kind, name }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    if let host = try container.decodeIfPresent(HostName.self, forKey: .host) {
      scope = .host(host)
    } else if let word = try container.decodeIfPresent(String.self, forKey: .provider) {
      scope = .provider(word)
    } else {
      scope = .cluster
    }
    kind = try container.decode(String.self, forKey: .kind)
    name = try container.decodeIfPresent(String.self, forKey: .name) ?? ""
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    switch scope {
    case .host(let host): try container.encode(host, forKey: .host)
    case .provider(let word): try container.encode(word, forKey: .provider)
    case .cluster: break
    }
    try container.encode(kind, forKey: .kind)
    if !name.isEmpty { try container.encode(name, forKey: .name) }
  }
}
