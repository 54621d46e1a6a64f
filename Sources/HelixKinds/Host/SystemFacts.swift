import HelixModel
import HelixPlan

/// What a running system says of itself, whatever the machine is for.
///
/// What other facts ask already (name, ids, memory, clock) is not asked here.
struct SystemFacts: Sendable, Hashable {
  /// os-release's words for the distribution and its release: `debian`, `12`.
  var distribution: String?
  var release: String?
  var kernel: String
  /// systemd's word: `kvm`, `lxc`; `none` on bare metal, nil when nobody can tell.
  var virtualisation: String?
  var cpus: Int?
  /// All of these in KiB.
  var availableMemory: Int?
  var totalSwap: Int?
  var freeSwap: Int?
  var totalRoot: Int?
  var freeRoot: Int?
  /// Seconds since the kernel began.
  var uptime: Int?
  /// Nil when the host keeps a copy of a zone that says no name.
  var timezone: String?
  /// Nil on a host that systemd does not run.
  var systemdVersion: String?
  var systemdState: String?
  var network: Network
  var user: User

  /// The addresses of each interface but the loopback, and where packages for elsewhere go.
  struct Network: Sendable, Hashable {
    struct Route: Sendable, Hashable {
      var interface: String
      var gateway: String?
      /// The address that the host sends from.
      var address: String?
    }

    /// With their prefix lengths: `192.0.2.2/24`.
    var addresses: [String: [String]] = [:]
    var defaultRoutes: [Route] = []
  }

  /// Who logged in, and as whom commands run.
  struct User: Sendable, Hashable {
    var login: String
    var effective: String
    /// The program between the two, if they differ.
    var through: String?
  }
}

extension SystemFacts {
  static let fact = Fact<SystemFacts>(
    "system", command: command, parse: parse, summary: \.summary)

  private static let command = #"""
    (. /etc/os-release 2>/dev/null; printf 'os-id=%s\nos-version=%s\n' "$ID" "$VERSION_ID")
    IFS= read -r helix_kernel </proc/sys/kernel/osrelease && echo "kernel=$helix_kernel"
    echo "virtualisation=$(systemd-detect-virt 2>/dev/null)"
    echo "cpus=$(nproc 2>/dev/null)"
    awk '$1 ~ /^(MemAvailable|SwapTotal|SwapFree):$/ { sub(/:/, "=", $1); print $1 $2 }' /proc/meminfo
    read -r helix_up helix_idle </proc/uptime && echo "uptime=${helix_up%.*}"
    if [ -L /etc/localtime ]; then echo "zone=$(readlink /etc/localtime)"
    elif [ -e /etc/localtime ]; then echo "zone-copy=$(cat /etc/timezone 2>/dev/null)"
    else echo "zone=UTC"; fi
    systemctl show -p Version -p SystemState 2>/dev/null
    echo "user=$(id -un)"
    echo "sudo=${SUDO_USER-}"
    echo "doas=${DOAS_USER-}"
    echo disk:; df -Pk / 2>/dev/null
    echo addresses:; ip -o addr show 2>/dev/null
    echo routes4:; ip -o route show default 2>/dev/null
    echo routes6:; ip -6 -o route show default 2>/dev/null
    echo end:
    """#

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> SystemFacts {
    let properties = answer.properties
    guard let kernel = text(properties["kernel"]), answer.lines.last == "end:" else {
      throw Diagnostic(
        "the host does not say what system it runs", reason: "its answer broke off or is empty")
    }
    let parts = parts(of: answer.lines)
    let disk = (parts["disk:"]?.last).map { words(of: $0) } ?? []
    func number(_ name: String) -> Int? { properties[name].flatMap { Int($0) } }
    return SystemFacts(
      distribution: text(properties["os-id"]), release: text(properties["os-version"]),
      kernel: kernel, virtualisation: text(properties["virtualisation"]), cpus: number("cpus"),
      availableMemory: number("MemAvailable"), totalSwap: number("SwapTotal"),
      freeSwap: number("SwapFree"), totalRoot: disk.count == 6 ? Int(disk[1]) : nil,
      freeRoot: disk.count == 6 ? Int(disk[3]) : nil, uptime: number("uptime"),
      timezone: text(properties["zone"]).map { TimezoneKind.name(of: $0) }
        ?? text(properties["zone-copy"]),
      systemdVersion: text(properties["Version"]), systemdState: text(properties["SystemState"]),
      network: Network(parts), user: User(properties))
  }

  private static func text(_ value: String?) -> String? {
    value.map { trimmed($0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The lines behind each line that is a heading.
  private static func parts(of lines: [Substring]) -> [Substring: [Substring]] {
    let headings: Set<Substring> = ["disk:", "addresses:", "routes4:", "routes6:", "end:"]
    var parts: [Substring: [Substring]] = [:]
    var heading: Substring?
    for line in lines {
      if headings.contains(line) {
        heading = line
      } else if let heading {
        parts[heading, default: []].append(line)
      }
    }
    return parts
  }

  // Uptime, free bytes and the addresses of pods move by nature.
  private var summary: String {
    [
      "\(distribution ?? "unknown system") \(release ?? "")", kernel,
      virtualisation ?? "unknown virtualisation", timezone ?? "unknown time zone",
      systemdVersion.map { "systemd \($0)" } ?? "no systemd",
    ].joined(separator: ", ")
  }
}

extension SystemFacts.Network {
  /// From the lines that iproute2 prints with `-o`.
  fileprivate init(_ parts: [Substring: [Substring]]) {
    for line in parts["addresses:"] ?? [] {
      let words = words(of: line)
      guard words.count > 3, words[1] != "lo", ["inet", "inet6"].contains(words[2]) else {
        continue
      }
      addresses[words[1], default: []].append(words[3])
    }
    for (heading, isOfFamily) in [
      ("routes4:", { !$0.contains(":") }), ("routes6:", { $0.contains(":") }),
    ] as [(Substring, (String) -> Bool)] {
      for line in parts[heading] ?? [] {
        guard let route = route(words(of: line), isOfFamily) else { continue }
        defaultRoutes.append(route)
      }
    }
  }

  private func route(_ words: [String], _ isOfFamily: (String) -> Bool) -> Route? {
    func word(after name: String) -> String? {
      words.firstIndex(of: name).flatMap { words.indices.contains($0 + 1) ? words[$0 + 1] : nil }
    }
    guard words.first == "default", let interface = word(after: "dev") else { return nil }
    let own = addresses[interface]?.first(where: isOfFamily)
    return Route(
      interface: interface, gateway: word(after: "via"),
      address: word(after: "src") ?? own.map { String($0.prefix { $0 != "/" }) })
  }
}

extension SystemFacts.User {
  fileprivate init(_ properties: [String: String]) {
    effective = properties["user"] ?? ""
    login = effective
    for program in ["sudo", "doas"] {
      guard let name = properties[program], !name.isEmpty else { continue }
      (login, through) = (name, program)
    }
  }
}
