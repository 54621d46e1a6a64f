package import HelixModel

/// What a step takes from etcd's majority while it runs.
package enum Budget: Hashable, Sendable {
  /// It may stop the voter on a host: one unit.
  case voter(HostName)
  /// It adds a member to etcd or takes one out: alone among all steps that spend.
  case membership
}

extension Budget: TextCoded {
  package static let noun = "a budget"

  private static let voterPrefix = "voter:"

  package init?(_ text: String) {
    switch text {
    case "membership": self = .membership
    default:
      guard text.hasPrefix(Self.voterPrefix) else { return nil }
      self = .voter(HostName(String(text.dropFirst(Self.voterPrefix.count))))
    }
  }

  package var description: String {
    switch self {
    case .voter(let host): Self.voterPrefix + host.rawValue
    case .membership: "membership"
    }
  }
}
