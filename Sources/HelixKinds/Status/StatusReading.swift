import HelixModel
import HelixPlan

/// Everything that hosts and API said, each thing read once; what a host said that makes no sense
/// counts as not said.
struct StatusReading: Sendable {
  /// What one host said.
  struct HostReading: Sendable {
    var clock: ClockReading?
    var state: NodeState?
    var binary: InstalledBinary?
    var vitals: HostVitals?
    var certificates: CertificateEnds?
    var metrics: EtcdMetrics?
    var voice: ClusterVoice?
    var lock: ServerLock?
  }

  let cluster: K3sCluster
  let shown: Set<HostName>
  private(set) var hosts: [HostName: HostReading] = [:]
  /// Why hosts could not be asked, or what they said could not be read.
  private(set) var silent: [HostName: Diagnostic] = [:]
  private(set) var unread: [Diagnostic] = []
  private(set) var survey: ClusterSurvey?
  /// Of the first server whose API says something.
  private(set) var voice: ClusterVoice?

  init(_ inquiry: StatusInquiry, _ observation: Observation) {
    cluster = inquiry.cluster
    shown = inquiry.shown
    var known = observation
    let asked = inquiry.questions
    for member in cluster.servers + cluster.agents where asked[member.host] != nil {
      if let silence = observation.silence(of: member.host) {
        silent[member.host] = silence.placed(at: member)
        continue
      }
      let isServer = cluster.servers.contains(member)
      let reading = read(member, observation, isServer: isServer)
      hosts[member.host] = reading
      if reading.state == nil, let problem = unread.last {
        silent[member.host] = problem
        known.hosts[member.host] = .unreachable(problem)
      }
    }
    survey = surveyed(known)
    let living = survey?.living.compactMap { hosts[$0.host]?.voice } ?? []
    let others = cluster.servers.compactMap { hosts[$0.host]?.voice }
    voice = (living + others).first { $0.conditions != nil }
  }

  private mutating func read(
    _ member: K3sCluster.Member, _ observation: Observation, isServer: Bool
  ) -> HostReading {
    let answers = Answers(member: member, observation: observation)
    return HostReading(
      clock: take(answers, ClockReading.fact), state: take(answers, NodeState.fact),
      binary: take(answers, InstalledBinary.fact) ?? nil, vitals: take(answers, HostVitals.fact),
      certificates: take(answers, CertificateEnds.fact),
      metrics: isServer ? take(answers, EtcdMetrics.fact) ?? nil : nil,
      voice: isServer ? take(answers, ClusterVoice.fact) : nil,
      lock: isServer ? take(answers, LockReading.fact) : nil)
  }

  private struct Answers {
    let member: K3sCluster.Member
    let observation: Observation
  }

  private mutating func take<Value>(_ answers: Answers, _ fact: Fact<Value>) -> Value? {
    let host = answers.member.host
    do throws(Diagnostic) {
      guard let answer = answers.observation.answer(fact.request.id, on: host) else {
        throw Diagnostic("\(host) was not asked for \(fact.request.id)")
      }
      return try fact.parse(answer)
    } catch {
      unread.append(error.placed(at: answers.member))
      return nil
    }
  }

  /// What all servers say together; a server whose answers make no sense spoils only its own.
  private mutating func surveyed(_ observation: Observation) -> ClusterSurvey? {
    var known = observation
    for _ in 0...cluster.servers.count {
      var sight = Sight(observation: known, fingerprints: NoFingerprints())
      do throws(Diagnostic) {
        return try ClusterSurvey.read(cluster, &sight)
      } catch {
        guard case .host(let host, _) = error.place else { return nil }
        known.hosts[host] = .unreachable(error)
        if !unread.contains(where: { $0.summary == error.summary }) { unread.append(error) }
      }
    }
    return nil
  }
}

extension Diagnostic {
  fileprivate func placed(at member: K3sCluster.Member) -> Diagnostic {
    var placed = self
    placed.place = place ?? .host(member.host, address: member.address)
    return placed
  }
}

/// What a status compares holds no secrets.
private struct NoFingerprints: Fingerprinter {
  let key = SecretValue("")

  func fingerprint(of text: TemplateText) throws(Diagnostic) -> String? { nil }

  func digest(of text: String) -> String { "" }
}
