import HelixModel
import HelixPlan

/// Servers as a simulation sees them: which vote, which are up, and who took down the others.
struct SimulatedCluster {
  struct Server {
    let seat: QuorumGuard.Seat
    var isVoter: Bool
    var isLearner = false
    /// Whether its k3s runs.
    var isUp: Bool
    /// Whether it went down by something of ours.
    var isDownByUs = false
    /// Whether it went down when its turn came among all voters.
    var isDownInTurn = false
    /// Whether the host cannot be asked: it is gone, or boots.
    var isSilent = false
    /// When it last went down by itself, and when it last came up.
    var diedAt = -1
    var cameUpAt = -1

    init(seat: QuorumGuard.Seat, isVoter: Bool, isUp: Bool) {
      self.seat = seat
      self.isVoter = isVoter
      self.isUp = isUp
    }
  }

  private(set) var servers: [Server]
  private var leader: Int?
  /// Until then nobody leads, and everybody says that etcd is not healthy.
  private var electionEnds = 0
  /// The fewest voters that were ever up, and of how many.
  private(set) var fewest: (up: Int, of: Int)?

  init(_ setup: SimulationSetup) {
    servers = (setup.quorum?.seats ?? []).enumerated().map { number, seat in
      let isVoter = setup.voters.contains(number)
      return Server(
        seat: seat, isVoter: isVoter, isUp: isVoter && !setup.ghosts.contains(number))
    }
    leader = servers.firstIndex { $0.isUp && $0.isVoter }
    note()
  }

  var voters: Int { servers.count { $0.isVoter } }
  var majority: Int { voters / 2 + 1 }
  var up: Int { servers.count { $0.isVoter && $0.isUp } }
  var downByUs: Int { servers.count { $0.isVoter && !$0.isUp && $0.isDownByUs } }
  /// How many voters may be down by our doing: as many as a majority can spare, and where none can
  /// be spared, the one whose outage the plan announced.
  var allowance: Int { voters <= 2 ? 1 : voters - majority }

  private mutating func note() {
    let (up, voters) = (up, voters)
    guard voters > 0, up - voters < (fewest.map { $0.up - $0.of } ?? 1) else { return }
    fewest = (up, voters)
  }
}

extension SimulatedCluster {
  mutating func stop(_ number: Int, byUs: Bool, at now: Int, election: Int) {
    guard servers[number].isUp else { return }
    servers[number].isUp = false
    servers[number].isDownByUs = byUs
    if !byUs { servers[number].diedAt = now }
    if leader == number {
      leader = servers.firstIndex { $0.isUp && $0.isVoter }
      electionEnds = now + election
    }
    note()
  }

  /// Its host went down by itself, whoever had taken down the voter before.
  mutating func goDown(_ number: Int) {
    servers[number].isDownByUs = false
    servers[number].isDownInTurn = false
  }

  mutating func noteTurn(_ number: Int) {
    servers[number].isDownInTurn = !servers[number].isUp && servers[number].isDownByUs
  }

  mutating func start(_ number: Int, at now: Int) {
    guard servers[number].isVoter || servers[number].isLearner else { return }
    servers[number].cameUpAt = now
    servers[number].isUp = true
    servers[number].isDownByUs = false
    servers[number].isDownInTurn = false
    leader = leader ?? number
  }

  mutating func beginLearning(_ number: Int) {
    guard !servers[number].isVoter else { return }
    servers[number].isLearner = true
    servers[number].isUp = true
  }

  mutating func beginVoting(_ number: Int) {
    servers[number].isLearner = false
    servers[number].isVoter = true
    servers[number].isUp = true
    leader = leader ?? number
    note()
  }

  mutating func takeOut(_ number: Int) {
    servers[number].isVoter = false
    servers[number].isLearner = false
    servers[number].isUp = false
    servers[number].isDownByUs = false
    if leader == number { leader = servers.firstIndex { $0.isUp && $0.isVoter } }
  }

  mutating func silence(_ number: Int, _ isSilent: Bool) { servers[number].isSilent = isSilent }

  /// What every server that can be asked says of the votes.
  func words(at now: Int) -> [HostName: QuorumWord] {
    let hasQuorum = voters > 0 && up >= majority && now >= electionEnds
    var list: [String: Bool]?
    if hasQuorum {
      list = [:]
      for server in servers where server.isVoter { list?[server.seat.node] = server.isUp }
    }
    var words: [HostName: QuorumWord] = [:]
    for server in servers where !server.isSilent {
      let isMember = server.isVoter || server.isLearner
      let isWell = hasQuorum && server.isUp && server.isVoter
      words[server.seat.host] = QuorumWord(
        etcd: !isMember ? .absent : isWell ? .healthy : .unhealthy,
        isLearner: server.isLearner && server.isUp, isReady: isWell, voters: isWell ? list : nil)
    }
    return words
  }

  var hasSilent: Bool { servers.contains { $0.isSilent } }
}
