import HelixModel
import HelixPlan
import Testing

@Suite("a plan that could never get its votes is refused")
struct QuorumForecastTests {
  /// The votes of servers of which some are down.
  private static func votes(_ count: Int, down: Set<Int>) -> QuorumLedger {
    let hosts = (1...count).map { HostName("m\($0)") }
    var ledger = QuorumLedger(seats: hosts.map { .init(host: $0, node: $0.rawValue) })
    var list: [String: Bool] = [:]
    for number in 1...count { list["m\(number)"] = !down.contains(number) }
    var words: [HostName: QuorumWord] = [:]
    for number in 1...count {
      let isUp = !down.contains(number)
      words[hosts[number - 1]] = QuorumWord(
        etcd: isUp ? .healthy : .unhealthy, isLearner: false, isReady: isUp,
        voters: isUp ? list : nil)
    }
    ledger.take(words, at: .zero)
    return ledger
  }

  /// A change of one step on a server, of whatever kind.
  private func change(
    _ text: String, spends: Budget? = nil, brings: HostName? = nil, behind: [String] = [],
    leadsTo: [String] = [], votes: QuorumLedger?
  ) -> Told {
    let address = Told.address(text)
    var step = Told.step(address)
    (step.spends, step.brings) = (spends, brings)
    let work = Work(
      .update, reason: "differs", behind: behind.map(Told.address),
      leadsTo: leadsTo.map(Told.address), steps: [step])
    return Told(address: address, seen: votes) { _ in .change(work) }
  }

  private func restart(_ number: Int, behind: [String] = [], _ votes: QuorumLedger) -> Told {
    let host = HostName("m\(number)")
    return change(
      "m\(number)/restart", spends: .voter(host), brings: host, behind: behind, votes: votes)
  }

  private func standings(_ plan: Plan) -> [String] {
    plan.changes.map { change in
      switch change.standing {
      case .planned: "\(change.address): \(change.action.rawValue)"
      case .heldBack(let why): "\(change.address): held back, \(why.reason ?? "")"
      case .refused(let why): "\(change.address): refused, \(why.reason ?? "")"
      }
    }
  }

  @Test(
    "whatever kind it is that spends a vote which is never there, it is refused with the arithmetic"
  )
  func anyKind() throws {
    let votes = Self.votes(3, down: [3])
    let made = try plan([
      [
        [restart(1, votes), .new("m1/file", after: ["m1/restart"]), .new("m2/file")],
        [
          change("m2/join", spends: .membership, brings: "m2", votes: votes)
        ],
      ]
    ])
    let tally = "of 3 voters 2 are well, not m3; "
    #expect(
      standings(made) == [
        "m1/restart: refused, \(tally)without m1 1 would be left, and a majority is 2",
        "m1/file: held back, it waits for m1/restart: restarting k3s on m1 would stop the cluster",
        "m2/file: create",
        "m2/join: refused, \(tally)etcd's members change only while all voters are well",
      ])
    #expect(waits(made) == ["m2/file#make"])
    #expect(made.refusals.count == 2)
    #expect(made.refusals.first?.summary == "restarting k3s on m1 would stop the cluster")
  }

  @Test("a voter that a step brings back before or beside counts, one that comes after does not")
  func bringing() throws {
    let votes = Self.votes(3, down: [3])
    let start = change("m3/start", brings: "m3", votes: votes)
    #expect(try plan([[[start, restart(1, votes)]]]).refusals.isEmpty)
    #expect(try plan([[[restart(1, votes), start]]]).refusals.isEmpty)
    #expect(try plan([[[start]], [[restart(1, votes)]]]).refusals.isEmpty)
    #expect(try plan([[[restart(1, votes)]], [[start]]]).refusals.count == 1)
  }

  @Test("mending goes first and makes the others' restarts possible")
  func mendingFirst() throws {
    let votes = Self.votes(5, down: [4, 5])
    let mended = ["m4/restart", "m5/restart"]
    let made = try plan([
      [
        [
          restart(1, behind: mended, votes), restart(2, behind: mended + ["m1/restart"], votes),
          restart(4, votes), restart(5, behind: ["m4/restart"], votes),
        ]
      ]
    ])
    #expect(made.refusals.isEmpty)
    #expect(
      waits(made) == [
        "m4/restart#make", "m5/restart#make < m4/restart#make",
        "m1/restart#make < m4/restart#make m5/restart#make",
        "m2/restart#make < m1/restart#make m4/restart#make m5/restart#make",
      ])
    #expect(made.changes.map(\.address.description).first == "m1/restart")
  }

  @Test("whose turn comes first stands in nobody's way when it is refused, held back or not there")
  func refusedTurns() throws {
    let votes = Self.votes(3, down: [3])
    let made = try plan([
      [[restart(1, votes), restart(3, behind: ["m1/restart", "m2/restart"], votes)]]
    ])
    #expect(made.refusals.map(\.summary) == ["restarting k3s on m1 would stop the cluster"])
    #expect(waits(made) == ["m3/restart#make"])
  }

  @Test("what leads to a refused step is not begun either")
  func leading() throws {
    let votes = Self.votes(3, down: [3])
    let file = change("m1/file", leadsTo: ["m1/restart"], votes: votes)
    let made = try plan([[[file, restart(1, votes)], [.new("m1/other")]]])
    #expect(made.graph.steps.isEmpty)
    #expect(
      standings(made).first
        == "m1/file: held back, it leads to m1/restart: restarting k3s on m1 would stop the cluster"
    )
    let well = Self.votes(3, down: [])
    let fine = change("m1/file", leadsTo: ["m1/restart"], votes: well)
    #expect(try plan([[[fine, restart(1, well)]]]).graph.steps.count == 2)
  }

  @Test("one and two voters are restarted alone, and a second that is down is mended first")
  func fewVoters() throws {
    let single = Self.votes(1, down: [])
    #expect(try plan([[[restart(1, single)]]]).refusals.isEmpty)
    let two = Self.votes(2, down: [2])
    #expect(try plan([[[restart(1, two)]]]).refusals.count == 1)
    #expect(try plan([[[restart(1, two), restart(2, two)]]]).refusals.isEmpty)
  }

  @Test("a member that was taken out counts no more, and one that joins counts")
  func members() throws {
    let votes = Self.votes(3, down: [3])
    let forget = change("m3/forget", spends: .membership, votes: votes)
    let join = change("m3/join", spends: .membership, brings: "m3", votes: votes)
    #expect(try plan([[[restart(1, votes), forget, join]]]).refusals.isEmpty)
  }

  @Test("what spends a vote where nobody tells of the votes comes into no plan")
  func uncounted() throws {
    let forgetful = change("m1/restart", spends: .voter("m1"), brings: "m1", votes: nil)
    let made = try plan([[[forgetful], [.new("m1/other")]]])
    #expect(made.graph.steps.isEmpty)
    #expect(
      made.refusals.map(\.summary) == [
        "nobody could count the votes that this may cost: \(Told.step(forgetful.address).title)"
      ])
    let told = Self.votes(3, down: [])
    let counted = try plan([[[restart(2, told)], [forgetful]]])
    #expect(counted.refusals.isEmpty)
    #expect(counted.quorum?.seats.map(\.node) == ["m1", "m2", "m3"])
  }
}
