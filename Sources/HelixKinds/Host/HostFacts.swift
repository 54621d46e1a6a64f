package import HelixModel
package import HelixPlan

/// What is so of any host, whatever it is for: what `helix-infra facts` tells.
///
/// Its names are the keys of the JSON document; sizes are bytes, times seconds.
package struct HostFacts: Hashable, Sendable, Encodable {
  package var hostname: String
  package var machineID: String
  package var bootID: String
  package var system: System
  package var machine: Machine
  package var memory: Space
  package var swap: Space
  package var rootDisk: Space
  package var network: Network
  package var uptime: Int?
  package var clock: Clock
  package var timezone: String?
  package var systemd: Systemd?
  /// Nil where there is neither its binary nor a service of it.
  package var k3s: K3s?
  package var login: Login

  /// What runs on the machine, in os-release's words.
  package struct System: Hashable, Sendable, Encodable {
    package var id: String?
    package var version: String?
    package var name: String
    package var kernel: String
  }

  /// The machine itself.
  package struct Machine: Hashable, Sendable, Encodable {
    package var architecture: String
    /// `none` on bare metal.
    package var virtualisation: String?
    package var cpus: Int?
  }

  /// Room, and how much of it can be had now.
  package struct Space: Hashable, Sendable, Encodable {
    package var total: Int?
    package var available: Int?

    /// From figures in KiB.
    fileprivate init(kibibytes total: Int?, _ available: Int?) {
      self.total = total.map { $0 << 10 }
      self.available = available.map { $0 << 10 }
    }
  }

  package struct Network: Hashable, Sendable, Encodable {
    /// A way to everywhere else.
    package struct Route: Hashable, Sendable, Encodable {
      package var interface: String
      package var gateway: String?
      package var address: String?
    }

    /// Every address, as `hostname -I` has them.
    package var addresses: [String]
    /// Addresses with prefix lengths by interface, but for the loopback's.
    package var interfaces: [String: [String]]
    package var defaultRoutes: [Route]
  }

  package struct Clock: Hashable, Sendable, Encodable {
    /// Since 1970.
    package var time: Int
    /// How far it is ahead of ours; a second or two is the way the question took.
    package var offset: Int?
  }

  package struct Systemd: Hashable, Sendable, Encodable {
    package var version: String
    /// `running`, `degraded`, `starting`.
    package var state: String?
  }

  package struct K3s: Hashable, Sendable, Encodable {
    package struct Service: Hashable, Sendable, Encodable {
      /// systemd's word: `active`, `failed`.
      package var state: String
      package var enabled: Bool
    }

    package var version: String?
    package var sha256: String?
    /// Those that run, should run, or failed, by the unit's name.
    package var services: [String: Service]
    package var datastore: String?
    package var etcdHealthy: Bool?
  }

  package struct Login: Hashable, Sendable, Encodable {
    package var user: String
    /// As whom helix-infra's commands run.
    package var runsAs: String
    /// How it gets there from the login: `sudo`, `doas`.
    package var through: String?
  }
}

extension HostFacts {
  /// What a host must be asked.
  package static let requests = [
    MachineFacts.fact.request, SystemFacts.fact.request, ClockReading.fact.request,
    InstalledBinary.fact.request, NodeState.fact.request,
  ]

  /// Reads a host's answers.
  ///
  /// - Throws: what cannot be made sense of.
  package init(_ answers: [FactID: FactAnswer]) throws(Diagnostic) {
    func read<Value>(_ fact: Fact<Value>) throws(Diagnostic) -> Value {
      try fact.parse(answers[fact.request.id] ?? FactAnswer(status: 127, output: ""))
    }
    let machine = try read(MachineFacts.fact)
    let system = try read(SystemFacts.fact)
    let clock = try read(ClockReading.fact)
    hostname = machine.hostname
    machineID = machine.machineID
    bootID = machine.bootID
    self.system = System(
      id: system.distribution, version: system.release, name: machine.system,
      kernel: system.kernel)
    self.machine = Machine(
      architecture: machine.machine, virtualisation: system.virtualisation, cpus: system.cpus)
    memory = Space(kibibytes: machine.memoryKiB, system.availableMemory)
    swap = Space(kibibytes: system.totalSwap, system.freeSwap)
    rootDisk = Space(kibibytes: system.totalRoot, system.freeRoot)
    network = Network(
      addresses: machine.addresses, interfaces: system.network.addresses,
      defaultRoutes: system.network.defaultRoutes.map {
        Network.Route(interface: $0.interface, gateway: $0.gateway, address: $0.address)
      })
    uptime = system.uptime
    self.clock = Clock(time: clock.host, offset: clock.asker == nil ? nil : clock.offset)
    timezone = system.timezone
    systemd = system.systemdVersion.map { Systemd(version: $0, state: system.systemdState) }
    k3s = K3s(try read(InstalledBinary.fact), try read(NodeState.fact))
    login = Login(
      user: system.user.login, runsAs: system.user.effective, through: system.user.through)
  }
}

extension HostFacts.K3s {
  fileprivate init?(_ binary: InstalledBinary?, _ state: NodeState) {
    services = [:]
    for (role, unit) in state.units
    where unit.isEnabled || !["inactive", "unknown"].contains(unit.activity) {
      services[role.service] = Service(state: unit.activity, enabled: unit.isEnabled)
    }
    guard binary != nil || !services.isEmpty else { return nil }
    version = binary?.version?.description
    sha256 = binary?.sha256
    datastore = state.datastore?.rawValue
    etcdHealthy = state.etcdIsHealthy
  }
}
