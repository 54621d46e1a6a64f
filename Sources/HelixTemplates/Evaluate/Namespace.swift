package import HelixModel

/// Something that templates look names up in: the variables in force, or all hosts.
package protocol Namespace: Sendable {
  /// Tells it from other namespaces that have the same names, such as another host's variables.
  var identity: String { get }
  /// What a name stands for; nil when it stands for nothing.
  func member(_ name: String) -> Member?
  /// Every name, for messages that suggest the nearest.
  var memberNames: [String] { get }
}

/// What a name in a namespace stands for.
package enum Member: Sendable {
  /// A finished value, used as it is.
  case value(Value)
  /// A value as the user wrote it: texts in it may be templates, filled in from the same
  /// namespace when they are asked for.
  case written(Node)
  case namespace(any Namespace)
  /// A name that others know and we cannot answer; not even `default` may hide that.
  case refused(reason: String, remedy: String)
}

/// Variables as a file declares them.
package struct Variables: Namespace {
  package let identity: String
  private let mapping: Mapping

  package init(_ mapping: Mapping, identity: String = "") {
    self.mapping = mapping
    self.identity = identity
  }

  package func member(_ name: String) -> Member? { mapping[name].map(Member.written) }

  package var memberNames: [String] { mapping.keys }
}
