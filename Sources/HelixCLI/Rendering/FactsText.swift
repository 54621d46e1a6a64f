import HelixKinds
import HelixModel
import HelixRun

/// Hosts' facts for people: a block for each host, a line for each thing.
struct FactsText {
  private typealias Line = (name: String, words: String)

  let style: Style

  init(style: Style = .plain) { self.style = style }

  func render(_ report: FactsReport) -> String {
    report.entries.compactMap { host, entry in
      guard case .known(let facts) = entry else { return nil }
      return render(facts, of: host)
    }.joined(separator: "\n")
  }

  private func render(_ facts: HostFacts, of host: HostName) -> String {
    let lines = machine(facts) + network(facts.network) + software(facts) + identity(facts)
    let width = lines.map(\.name.count).max() ?? 0
    let body = lines.map { line in
      let gap = String(repeating: " ", count: width - line.name.count + 2)
      return "  \(style.paint(line.name, .faint))\(gap)\(printable(line.words))\n"
    }
    return style.paint(host.rawValue, .bold) + "\n" + body.joined()
  }

  private func machine(_ facts: HostFacts) -> [Line] {
    let machine = facts.machine
    return [
      ("system", facts.system.name), ("kernel", facts.system.kernel),
      (
        "machine",
        list([
          machine.architecture, machine.cpus.map { $0 == 1 ? "1 CPU" : "\($0) CPUs" },
          machine.virtualisation == "none" ? "bare metal" : machine.virtualisation,
        ])
      ),
      ("memory", room(facts.memory)), ("swap", facts.swap.total == 0 ? "none" : room(facts.swap)),
      ("root disk", room(facts.rootDisk)),
    ]
  }

  private func network(_ network: HostFacts.Network) -> [Line] {
    var rows = network.interfaces.sorted { $0.key < $1.key }.compactMap { name, addresses in
      // Every bridge and pod has a link-local address, and nobody is reached by it.
      let wide = addresses.filter { !$0.hasPrefix("fe80:") }
      return wide.isEmpty ? nil : "\(name) \(wide.joined(separator: " "))"
    }
    if rows.isEmpty { rows = [network.addresses.joined(separator: " ")] }
    let routes = network.defaultRoutes.map { route in
      "\(route.gateway.map { "\($0) " } ?? "")on \(route.interface)"
        + (route.address.map { " from \($0)" } ?? "")
    }
    return named("addresses", rows) + named("default route", routes)
  }

  private func software(_ facts: HostFacts) -> [Line] {
    [
      ("systemd", facts.systemd.map { list([$0.version, $0.state]) } ?? "none"),
      ("k3s", facts.k3s.map(k3s) ?? "none"),
    ]
  }

  private func k3s(_ k3s: HostFacts.K3s) -> String {
    let services = k3s.services.sorted { $0.key < $1.key }.map { name, service in
      "\(name) \(service.state)\(service.enabled ? "" : " (not enabled)")"
    }
    let etcd = k3s.etcdHealthy.map { $0 ? "etcd healthy" : "etcd not healthy" }
    let version = k3s.version ?? (k3s.sha256 == nil ? "no binary" : "unknown version")
    return list([version] + services + [etcd])
  }

  private func identity(_ facts: HostFacts) -> [Line] {
    let login = facts.login
    return [
      (
        "login",
        login.through.map { "\(login.user), \(login.runsAs) through \($0)" } ?? login.user
      ),
      ("hostname", facts.hostname), ("machine-id", facts.machineID), ("boot-id", facts.bootID),
      ("up", facts.uptime.map(span) ?? "unknown"), ("clock", clock(facts.clock)),
      ("time zone", facts.timezone ?? "unknown"),
    ]
  }
}

// MARK: - Words

extension FactsText {
  private func named(_ name: String, _ rows: [String]) -> [Line] {
    rows.enumerated().map { ($0 == 0 ? name : "", $1) }
  }

  private func list(_ words: [String?]) -> String {
    words.compactMap(\.self).joined(separator: ", ")
  }

  private func room(_ space: HostFacts.Space) -> String {
    guard let total = space.total else { return "unknown" }
    return list([size(total), space.available.map { "\(size($0)) available" }])
  }

  private func size(_ bytes: Int) -> String {
    guard bytes >= 1 << 30 else { return "\(bytes >> 20) MiB" }
    let tenths = (bytes * 10 + (1 << 29)) >> 30
    return "\(tenths / 10).\(tenths % 10) GiB"
  }

  private func span(_ seconds: Int) -> String {
    switch seconds {
    case 86_400...: "\(seconds / 86_400) d \(seconds % 86_400 / 3600) h"
    case 3600...: "\(seconds / 3600) h \(seconds % 3600 / 60) min"
    case 60...: "\(seconds / 60) min"
    default: "\(seconds) s"
    }
  }

  private func clock(_ clock: HostFacts.Clock) -> String {
    let time = "\(UTCTime(milliseconds: Int64(clock.time) * 1000).text.prefix(19))Z"
    guard let offset = clock.offset else { return time }
    // The question was some of that time on its way.
    guard abs(offset) > 2 else { return "\(time), as here" }
    return "\(time), \(abs(offset)) s \(offset > 0 ? "ahead of" : "behind") here"
  }
}
