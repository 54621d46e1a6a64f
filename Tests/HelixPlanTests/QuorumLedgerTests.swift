import HelixModel
import HelixPlan
import Testing

@Suite("the votes of etcd are counted before one is spent")
struct QuorumLedgerTests {
  private func host(_ number: Int) -> HostName { HostName("m\(number)") }

  private func claim(_ number: Int) -> QuorumLedger.Claim {
    .init(.voter(host(number)), subject: host(number))
  }

  private func held(
    _ number: Int, _ standing: QuorumLedger.Held.Standing = .running
  ) -> QuorumLedger.Held { .init(claim(number), standing) }

  /// What `count` servers say of which some vote, some are down, and some cannot be asked.
  private func words(
    _ count: Int, down: Set<Int> = [], silent: Set<Int> = [], absent: Set<Int> = [],
    learner: Int? = nil
  ) -> [HostName: QuorumWord] {
    var list: [String: Bool] = [:]
    for number in 1...count where !absent.contains(number) && number != learner {
      list["m\(number)"] = !down.contains(number) && !silent.contains(number)
    }
    var words: [HostName: QuorumWord] = [:]
    for number in 1...count where !silent.contains(number) {
      let isUp = !down.contains(number) && !absent.contains(number)
      words[host(number)] = QuorumWord(
        etcd: absent.contains(number) ? .absent : isUp ? .healthy : .unhealthy,
        isLearner: number == learner, isReady: isUp, voters: isUp ? list : nil)
    }
    return words
  }

  private func ledger(
    _ count: Int, _ words: [HostName: QuorumWord], at moments: [Duration] = [.zero]
  ) -> QuorumLedger {
    var ledger = QuorumLedger(
      seats: (1...count).map { .init(host: host($0), node: "m\($0)") })
    for moment in moments { ledger.take(words, at: moment) }
    return ledger
  }

  private func isGranted(_ decision: QuorumLedger.Decision) -> Bool { decision == .granted }

  @Test(
    "as many voters may be away as a majority can spare, whether by claims or by themselves",
    arguments: [(3, 1), (4, 1), (5, 2), (6, 2), (7, 3)])
  func arithmetic(voters: Int, spare: Int) {
    for down in 0...spare {
      for claimed in 0...spare {
        let ledger = ledger(voters, words(voters, down: Set(1..<(1 + down))))
        let held = (0..<claimed).map { self.held(voters - $0) }
        let decision = ledger.decide(claim(voters - claimed), held: held)
        #expect(isGranted(decision) == (down + claimed < spare), "\(down) down, \(claimed) claimed")
      }
    }
  }

  @Test("a refusal tells the arithmetic")
  func words() {
    let ledger = ledger(5, words(5, down: [4]))
    #expect(
      ledger.decide(claim(1), held: [held(2)])
        == .refused(
          "of 5 voters 4 are well, not m4; m2 is in work; without m1 2 would be left, and a majority is 3"
        ))
  }

  @Test("one or two voters are restarted alone, and only while the other is well")
  func fewVoters() {
    #expect(isGranted(ledger(1, words(1)).decide(claim(1), held: [])))
    #expect(isGranted(ledger(1, words(1, down: [1])).decide(claim(1), held: [])))
    #expect(isGranted(ledger(2, words(2)).decide(claim(1), held: [])))
    #expect(!isGranted(ledger(2, words(2)).decide(claim(1), held: [held(2)])))
    #expect(!isGranted(ledger(2, words(2, down: [2])).decide(claim(1), held: [])))
    #expect(isGranted(ledger(2, words(2, down: [2])).decide(claim(2), held: [])))
  }

  @Test("a voter that has said for a while that it is not well may be mended, whatever is left")
  func mending() {
    let lost = words(3, down: [1, 2, 3])
    #expect(!isGranted(ledger(3, lost).decide(claim(1), held: [])))
    let later = ledger(3, lost, at: [.zero, .seconds(16), .seconds(31)])
    #expect(isGranted(later.decide(claim(1), held: [])))
    #expect(!isGranted(later.decide(claim(1), held: [held(2)])))
    #expect(later.obstacle(to: claim(1)) == nil)
    let silent = ledger(
      3, words(3, down: [2, 3], silent: [1]), at: [.zero, .seconds(16), .seconds(31)])
    #expect(!isGranted(silent.decide(claim(1), held: [])))
  }

  @Test("members change alone, and only while all others are well and nobody is a learner")
  func membership() {
    let join = QuorumLedger.Claim(.membership, subject: host(4))
    func joins(_ words: [HostName: QuorumWord], held: [QuorumLedger.Held] = []) -> Bool {
      isGranted(ledger(4, words).decide(join, held: held))
    }
    #expect(joins(words(4, absent: [4])))
    #expect(!joins(words(4, absent: [4]), held: [held(1)]))
    #expect(!joins(words(4, down: [1], absent: [4])))
    #expect(!joins(words(4, absent: [4], learner: 3)))
    #expect(joins(words(4, down: [4])))
    #expect(joins(words(4, silent: [4])))
    #expect(!isGranted(ledger(4, words(4)).decide(claim(1), held: [.init(join)])))
  }

  @Test("where no cluster is yet, members come one at a time")
  func beginning() {
    let begin = QuorumLedger.Claim(.membership, subject: host(1))
    let none = words(3, absent: [1, 2, 3])
    #expect(isGranted(ledger(3, none).decide(begin, held: [])))
    let other = QuorumLedger.Held(.init(.membership, subject: host(2)))
    #expect(!isGranted(ledger(3, none).decide(begin, held: [other])))
    let asleep = words(3, down: [2, 3], absent: [1])
    #expect(
      ledger(3, asleep).decide(begin, held: [])
        == .refused("no server answers for the cluster, so its votes cannot be counted"))
  }

  @Test("what a failed step stopped counts until it has been well for a while")
  func doubt() {
    var ledger = ledger(3, words(3), at: [.zero, .seconds(30), .seconds(60)])
    ledger.doubt(host(2))
    ledger.take(words(3), at: .seconds(61))
    #expect(!isGranted(ledger.decide(claim(1), held: [held(2, .failed)])))
    ledger.take(words(3), at: .seconds(77))
    ledger.take(words(3), at: .seconds(92))
    #expect(isGranted(ledger.decide(claim(1), held: [held(2, .failed)])))
    #expect(!isGranted(ledger.decide(claim(1), held: [held(2, .adrift)])))
    #expect(ledger.isHopeless(claim(1), held: [held(2, .adrift)]))
  }

  @Test("what is not well may be mended in a plan, and a silent server may not")
  func obstacles() {
    let ledger = ledger(5, words(5, down: [4, 5]))
    #expect(ledger.obstacle(to: claim(1)) != nil)
    #expect(ledger.obstacle(to: claim(4)) == nil)
    let silent = self.ledger(3, words(3, down: [2, 3], silent: [1]))
    #expect(silent.obstacle(to: claim(1)) != nil)
    #expect(silent.obstacle(to: claim(2)) == nil)
  }

  @Test("where no API lists the voters, every server may be one but for learners and newcomers")
  func unlisted() {
    var said = words(3, down: [3])
    for host in said.keys { said[host]?.voters = nil }
    let ledger = ledger(3, said, at: [.zero, .seconds(30), .seconds(60)])
    #expect(ledger.votes.voters == ["m1", "m2", "m3"])
    #expect(!isGranted(ledger.decide(claim(1), held: [])))
    var asleep = said
    for host in asleep.keys { asleep[host]?.isReady = false }
    #expect(
      !isGranted(
        self.ledger(3, asleep, at: [.zero, .seconds(30), .seconds(60)]).decide(claim(1), held: [])))
    var silent = said
    silent[host(3)] = nil
    #expect(
      !isGranted(
        self.ledger(3, silent, at: [.zero, .seconds(30), .seconds(60)]).decide(claim(1), held: [])))
    var newcomer = said
    newcomer[host(3)]?.etcd = .absent
    #expect(self.ledger(3, newcomer).votes.voters == ["m1", "m2"])
  }

  @Test("etcd's own listener being elsewhere is no lost vote while the API is ready")
  func listenerElsewhere() {
    var said = words(3)
    for host in said.keys { said[host]?.etcd = .unhealthy }
    let moments: [Duration] = [.zero, .seconds(30), .seconds(60)]
    #expect(isGranted(ledger(3, said, at: moments).decide(claim(1), held: [])))
    #expect(!isGranted(ledger(3, said, at: moments).decide(claim(1), held: [held(2)])))
    said[host(3)] = words(3, down: [3])[host(3)]
    #expect(!isGranted(ledger(3, said, at: moments).decide(claim(1), held: [])))
    #expect(isGranted(ledger(3, said, at: moments).decide(claim(3), held: [])))
  }

  @Test("a voter that a job of the cluster's own may restart is not counted as well")
  func upgradeJob() {
    var said = words(3)
    said[host(1)]?.upgrading = ["m2", "w1"]
    let ledger = ledger(3, said, at: [.zero, .seconds(30), .seconds(60)])
    #expect(ledger.votes.unwell == ["m2"])
    guard case .refused(let words) = ledger.decide(claim(1), held: []) else {
      Issue.record("it may restart m1")
      return
    }
    #expect(words.contains("m2, which an upgrade job may restart"))
    // That server is up: bringing it back would mend nothing.
    #expect(ledger.remedy.hasPrefix("see with helix-infra upgrade status"))
    #expect(self.ledger(3, self.words(3, down: [2])).remedy.hasPrefix("bring the servers"))
    #expect(ledger.obstacle(to: claim(1)) != nil)
    #expect(isGranted(ledger.decide(claim(2), held: [])))
    var five = self.words(5)
    five[host(4)]?.upgrading = ["m4"]
    #expect(isGranted(self.ledger(5, five).decide(claim(1), held: [])))
  }

  @Test("readings that are far apart are moments, and say nothing of the time between")
  func sparseReadings() {
    let asleep = words(3, down: [1, 2, 3])
    for moments in [[0, 59], [0, 75, 150], [0, 10, 80]] as [[Int]] {
      let ledger = ledger(3, asleep, at: moments.map { .seconds($0) })
      #expect(!isGranted(ledger.decide(claim(1), held: [])), "\(moments)")
    }
    let steady = ledger(3, asleep, at: [.zero, .seconds(30), .seconds(60)])
    #expect(isGranted(steady.decide(claim(1), held: [])))
  }

  @Test("an answer that broke off is no word")
  func brokenOff() {
    let text = "etcd healthy\nready\nvoters\nvoter m1 True\nvoter m2 Unknown\n"
    #expect(QuorumWord(text) == nil)
    #expect(
      QuorumWord(text + "whole\n")
        == QuorumWord(
          etcd: .healthy, isLearner: false, isReady: true, voters: ["m1": true, "m2": false]))
  }
}
