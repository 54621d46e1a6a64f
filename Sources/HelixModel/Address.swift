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

  private var scopeWord: String { scope.word }
}

extension Address.Scope {
  /// How an address begins.
  package var word: String {
    switch self {
    case .host(let host): host.rawValue
    case .cluster: Address.clusterWord
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

extension Address: TextCoded {
  package static let noun = "an address"

  /// Words that stand for a provider rather than a host; no host may be called so.
  package static let providerWords: Set<String> = ["aws", "linode"]
  /// The word that stands for the cluster rather than a host.
  package static let clusterWord = "cluster"

  package init?(_ text: String) {
    guard let slash = text.firstIndex(of: "/"), slash != text.startIndex else { return nil }
    let word = String(text[..<slash])
    let rest = text[text.index(after: slash)...]
    let halves = rest.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard let kind = halves.first, !kind.isEmpty else { return nil }
    let scope: Scope =
      if word == Self.clusterWord {
        .cluster
      } else if Self.providerWords.contains(word) {
        .provider(word)
      } else {
        .host(HostName(word))
      }
    self.init(scope, kind: String(kind), name: halves.count == 2 ? String(halves[1]) : "")
  }
}
