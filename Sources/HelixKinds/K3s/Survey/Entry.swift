import HelixModel

/// How a node takes part in its cluster.
enum Entry: Sendable, Hashable {
  /// The one server that begins a new cluster.
  case initialise
  /// Not in the cluster yet.
  case join(JoinPoint)
  /// In the cluster already, by what its disk holds.
  case member(Tie)

  /// What the config file says of the way into the cluster.
  enum Tie: Sendable, Hashable {
    case begins
    case joins(url: String)
    /// Neither: a server with a datastore that knows no peers.
    case alone
  }

  var tie: Tie {
    switch self {
    case .initialise: .begins
    case .join(let point): .joins(url: point.url)
    case .member(let tie): tie
    }
  }

  var isMember: Bool { if case .member = self { true } else { false } }

  /// The identity that goes into the token file.
  var joinPoint: JoinPoint? { if case .join(let point) = self { point } else { nil } }
}

/// A server through which a node joins.
struct JoinPoint: Sendable, Hashable {
  enum Identity: Sendable, Hashable {
    case known(String)
    /// The cluster begins with this plan.
    case learned

    static let name = LearnedName("cluster-ca-hash")
  }

  var server: HostName
  var url: String
  var identity: Identity
}
