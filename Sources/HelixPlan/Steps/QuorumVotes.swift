import HelixModel

extension QuorumLedger {
  /// What the servers' words add up to.
  package struct Votes: Hashable, Sendable {
    /// Node names, sorted.
    package fileprivate(set) var voters: [String] = []
    /// Voters whose etcd is healthy and whose API is ready.
    package fileprivate(set) var well: Set<String> = []
    /// Voters whose etcd or API says that it reads through the majority.
    package fileprivate(set) var voting: Set<String> = []
    package fileprivate(set) var learners: [String] = []
    /// Servers that hold data of etcd, or cannot tell.
    fileprivate(set) var holders: [String] = []
    /// Servers that said nothing.
    fileprivate(set) var silent: [String] = []
    /// Voters that a job of the cluster's own may stop at any moment; they are not counted as well.
    fileprivate(set) var upgrading: Set<String> = []
    /// Whether any server's API told who votes.
    fileprivate(set) var isListed = false

    package var majority: Int { voters.count / 2 + 1 }
    package var unwell: [String] { voters.filter { !well.contains($0) } }

    init() {}

    init(_ words: [HostName: QuorumWord], seats: [QuorumGuard.Seat]) {
      var listed: [String: Bool] = [:]
      for seat in seats {
        guard let list = words[seat.host]?.voters else { continue }
        isListed = true
        listed.merge(list) { $0 && $1 }
      }
      var names = Set(listed.keys)
      for seat in seats {
        listed[seat.node] = nil
        guard let word = words[seat.host] else {
          holders.append(seat.node)
          silent.append(seat.node)
          continue
        }
        if word.etcd != .absent { holders.append(seat.node) }
        if word.isLearner { learners.append(seat.node) }
        // An API is ready only while its etcd reads through the majority: then the vote is there,
        // though etcd's own listener does not say so.
        guard word.etcd == .healthy || word.etcd == .unhealthy && word.isReady, !word.isLearner
        else { continue }
        names.insert(seat.node)
        voting.insert(seat.node)
        if word.isReady, word.etcd == .healthy { well.insert(seat.node) }
      }
      // Of a voter that is not declared, its node is all that is known.
      for (name, isReady) in listed where isReady {
        voting.insert(name)
        well.insert(name)
      }
      // Where nobody can tell who votes, everybody may who has not said otherwise.
      if !isListed { names.formUnion(Set(holders).subtracting(learners)) }
      voters = names.sorted()
      for word in words.values { upgrading.formUnion(word.upgrading) }
      upgrading.formIntersection(names)
      well.subtract(upgrading)
    }
  }
}

extension QuorumLedger.Votes {
  /// Counts a server as a voter that may not be well.
  mutating func doubt(_ node: String) {
    guard !voters.isEmpty, !voters.contains(node) else { return }
    voters = (voters + [node]).sorted()
  }

  /// Counts servers as voters that are well, whatever they say now.
  mutating func count(_ nodes: [String]) {
    voters = Set(voters + nodes).sorted()
    well.formUnion(nodes)
    voting.formUnion(nodes)
    upgrading.subtract(nodes)
    learners.removeAll { nodes.contains($0) }
    isListed = true
  }

  /// Forgets a member that was taken out.
  mutating func remove(_ node: String) {
    voters.removeAll { $0 == node }
    well.remove(node)
    upgrading.remove(node)
    voting.remove(node)
    learners.removeAll { $0 == node }
    holders.removeAll { $0 == node }
    silent.removeAll { $0 == node }
  }
}
