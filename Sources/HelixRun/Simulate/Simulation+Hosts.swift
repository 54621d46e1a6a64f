import HelixModel
import HelixPlan

// MARK: - What steps do

extension Simulation {
  /// Lays out what a step that begins now will do, and how it will end.
  mutating func play(_ position: Int) {
    let step = setup.graph.steps[position]
    let effect = setup.effects[position]
    if let host = step.host, lostHosts.contains(host) {
      return finish(position, .adrift, after: random.number(5000...30_000))
    }
    let length = random.number(effect == .none ? 500...60_000 : 10_000...240_000)
    switch fates[position] {
    case .fail: fail(position, effect, length, isBroken: false)
    case .broken: fail(position, effect, length, isBroken: true)
    case .disconnect: disconnect(position, length)
    default:
      affect(position, length)
      finish(position, .done, after: length)
    }
  }

  private mutating func finish(_ position: Int, _ end: SimulatedTime.End, after length: Int) {
    running[position] = queue.add(.ends(position, number: queue.count + 1, end), at: now + length)
  }

  /// What a step does when all goes well.
  private mutating func affect(_ position: Int, _ length: Int) {
    switch setup.effects[position] {
    case .none: break
    case .starts(let server): happen(.starts(server), after: random.number(0...length))
    case .stops(let server):
      let stop = random.number(0...length / 2)
      happen(.stops(server, byUs: true), after: stop)
      happen(.starts(server), after: random.number(stop...length))
    case .adds(let server):
      happen(.learns(server), after: length / 5)
      happen(.votes(server), after: random.number(length / 4...length))
    case .takesOut(let server):
      let stop = random.number(0...length / 2)
      happen(.stops(server, byUs: true), after: stop)
      happen(.leaves(server), after: random.number(stop...length))
    }
  }

  /// What a step does that fails, and that leaves its server down if it is broken.
  private mutating func fail(
    _ position: Int, _ effect: SimulationSetup.Effect, _ length: Int, isBroken: Bool
  ) {
    let end = random.number(0...length)
    switch effect {
    case .none: break
    case .starts(let server):
      if !isBroken, random.once(in: 2) { happen(.starts(server), after: end) }
    case .stops(let server):
      // A restart that was only ordered stops the voter shortly after the step has failed.
      if !isBroken, random.once(in: 3) { break }
      let stop = random.number(0...end + 8000)
      happen(.stops(server, byUs: true), after: stop)
      if !isBroken { happen(.starts(server), after: stop + random.number(0...60_000)) }
    case .adds(let server):
      if random.once(in: 2) { happen(.learns(server), after: random.number(0...end)) }
      if random.once(in: 2) { happen(.votes(server), after: end + random.number(0...30_000)) }
      if isBroken { happen(.stops(server, byUs: true), after: end + 30_000) }
    case .takesOut(let server):
      if random.once(in: 2) { happen(.stops(server, byUs: true), after: random.number(0...end)) }
      if random.once(in: 2) { happen(.leaves(server), after: end) }
    }
    finish(position, .failed, after: end)
  }

  /// To undo what stops a voter is to stop it once more; it stays failed, whatever comes of it.
  mutating func playUndo(_ position: Int) {
    let length = random.number(1000...120_000)
    if case .stops(let server) = setup.effects[position], !isLost(server) {
      let stop = random.number(0...length)
      happen(.stops(server, byUs: true), after: stop)
      if !random.once(in: 4) { happen(.starts(server), after: random.number(stop...length)) }
    }
    finish(position, failures[position] ?? .failed, after: length)
  }

  /// A step that goes on unseen: it is found again as it ended, or given up while it still goes on.
  private mutating func disconnect(_ position: Int, _ length: Int) {
    if random.once(in: 2) {
      affect(position, length)
      finish(position, .done, after: length + random.number(0...120_000))
    } else {
      affect(position, length * 4)
      finish(position, .adrift, after: random.number(0...length))
    }
    tell("the connection is lost during it")
  }

  private mutating func happen(_ event: SimulatedTime.HostEvent, after delay: Int) {
    queue.add(.host(event), at: now + delay)
  }
}

// MARK: - What happens to hosts

extension Simulation {
  mutating func take(_ event: SimulatedTime.HostEvent) {
    switch event {
    case .stops(let server, let byUs):
      guard cluster.servers.indices.contains(server), cluster.servers[server].isUp else { return }
      cluster.stop(server, byUs: byUs, at: now, election: random.number(500...3000))
      tell("etcd on \(name(server)) is down: \(standing)")
      if byUs, cluster.servers[server].isVoter { checkAllowance(server) }
    case .starts(let server):
      guard !isLost(server), !cluster.servers[server].isUp else { return }
      cluster.start(server, at: now)
      tell("etcd on \(name(server)) is back: \(standing)")
    case .learns(let server):
      guard !isLost(server) else { return }
      cluster.beginLearning(server)
    case .votes(let server):
      guard !isLost(server), !cluster.servers[server].isVoter,
        cluster.up >= cluster.majority
          || cluster.voters == 0
      else { return }
      cluster.beginVoting(server)
      tell("\(name(server)) votes: \(standing)")
    case .leaves(let server):
      guard cluster.servers[server].isVoter, cluster.up >= cluster.majority else { return }
      cluster.takeOut(server)
      tell("\(name(server)) is no member any more: \(standing)")
    case .silent(let server, let isSilent):
      if isSilent || !isLost(server) { cluster.silence(server, isSilent) }
    }
  }

  private func name(_ server: Int) -> String { cluster.servers[server].seat.host.rawValue }
  private var standing: String { "\(cluster.up) of \(cluster.voters) voters up" }
  private func isLost(_ server: Int) -> Bool {
    lostHosts.contains(cluster.servers[server].seat.host)
  }

  /// What goes wrong by itself.
  mutating func strike(_ fault: SimulatedFault) {
    let server = cluster.servers.firstIndex { $0.seat.host == fault.host }
    switch fault.kind {
    case .fail, .broken, .disconnect: break
    case .lost:
      guard let host = fault.host, lostHosts.insert(host).inserted else { return }
      tell("\(host) is lost")
      goDown(host, server)
    case .reboot:
      guard let host = fault.host, !lostHosts.contains(host) else { return }
      tell("\(host) reboots by itself")
      goDown(host, server)
      let back = random.number(60_000...180_000)
      if let server {
        happen(.silent(server, false), after: back)
        happen(.starts(server), after: back)
      }
    case .voterDies:
      guard let server else { return }
      tell("etcd on \(name(server)) dies by itself")
      take(.stops(server, byUs: false))
      if random.once(in: 2) { happen(.starts(server), after: random.number(10_000...300_000)) }
    case .ctrlC:
      guard walk.stop(.afterRunning) else { return }
      isStopping = true
      tell("the operator asks to stop: running steps may end")
      if random.once(in: 2) { queue.add(.mustStop, at: now + random.number(0...60_000)) }
    }
  }

  private mutating func goDown(_ host: HostName, _ server: Int?) {
    if let server {
      take(.stops(server, byUs: false))
      cluster.goDown(server)
      cluster.silence(server, true)
    }
    for position in running.keys.sorted() where setup.graph.steps[position].host == host {
      finish(position, .adrift, after: random.number(1000...60_000))
    }
  }
}

// MARK: - Which faults

extension Simulation {
  mutating func place(_ faults: [SimulatedFault]) {
    for var fault in faults {
      let position = fault.step.flatMap { setup.positions[$0] }
      if let position {
        fault.host = fault.host ?? setup.graph.steps[position].host
        switch fault.kind {
        case .fail, .broken, .disconnect: fates[position] = fault.kind
        default: companions[position, default: []].append(fault)
        }
      } else {
        queue.add(.fault(fault), at: random.number(0...60_000))
      }
    }
  }

  mutating func placeRandomFaults() {
    for position in setup.graph.steps.indices where random.once(in: 10) {
      let kinds: [SimulatedFault.Kind] = [.fail, .broken, .disconnect]
      fates[position] = kinds[random.number(0...2)]
    }
    let hosts = cluster.servers.map(\.seat.host) + setup.graph.steps.prefix(1).compactMap(\.host)
    guard !hosts.isEmpty else { return }
    for _ in 0..<max(0, random.number(0...5) - 2) {
      let kinds: [SimulatedFault.Kind] = [.lost, .reboot, .voterDies, .voterDies, .ctrlC]
      let fault = SimulatedFault(
        kinds[random.number(0...4)], host: hosts[random.number(0...hosts.count - 1)])
      queue.add(.fault(fault), at: random.number(0...600_000))
    }
  }
}
