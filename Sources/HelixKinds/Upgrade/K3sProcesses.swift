import HelixModel
import HelixPlan

/// The processes of a host that k3s-upgrade would take for its k3s.
struct K3sProcesses: Sendable, Hashable {
  struct Found: Sendable, Hashable {
    var pid: Int
    /// Whether it sees the host's own processes; those of containers do not.
    var isHosts: Bool
    /// What k3s-upgrade would replace, and whether there is such a file.
    var program: String
    var isThere: Bool
    /// The unit that starts it again; nil when it cannot be told.
    var unit: String?
  }

  var found: [Found]

  /// The one that k3s-upgrade settles on; it looks at containers only when there are several.
  var chosen: [Found] { found.count == 1 ? found : found.filter(\.isHosts) }

  // As the image's own script searches: by the command line, in the words of `ps -ef`. An
  // interpreter's path comes before that of what it runs.
  static let fact = Fact<K3sProcesses>(
    "k3s-processes",
    command: """
      helix_own=$(readlink /proc/1/ns/pid)
      for helix_file in $(grep -ls k3s /proc/[0-9]*/cmdline 2>/dev/null); do
        helix_pid=${helix_file#/proc/}
        helix_pid=${helix_pid%/cmdline}
        helix_line=$(tr '\\0' ' ' <"$helix_file" 2>/dev/null) || continue
        printf ' %s\\n' "$helix_line" | grep -E '( |/)k3s .*(server|agent)' |
          grep -qvE 'init|grep|channelserver|supervise-daemon' || continue
        set -f
        helix_program=
        for helix_word in $helix_line; do
          helix_program=$helix_word
          case ${helix_word##*/} in k3s) break ;; esac
        done
        set +f
        case $helix_program in /*) [ -e "$helix_program" ] ;; *) false ;; esac &&
          helix_there=there || helix_there=missing
        [ "$(readlink "/proc/$helix_pid/ns/pid")" = "$helix_own" ] && helix_whose=host || helix_whose=other
        helix_unit=$(sed -n 's#^.*/\\([^/]*[.]\\(service\\|scope\\)\\)\\(/.*\\)\\{0,1\\}$#\\1#p' \\
          "/proc/$helix_pid/cgroup" 2>/dev/null | head -n 1)
        echo "k3s $helix_pid $helix_whose $helix_there $helix_program $helix_unit"
      done
      echo searched
      """,
    parse: { (answer) throws(Diagnostic) in
      let lines = answer.output.split(separator: "\n")
      guard lines.last == "searched" else {
        throw Diagnostic("the host does not say which k3s it runs", reason: "its answer broke off")
      }
      return K3sProcesses(
        found: lines.compactMap { line in
          let words = line.split(separator: " ").map(String.init)
          guard words.count >= 5, words[0] == "k3s", let pid = Int(words[1]) else { return nil }
          return Found(
            pid: pid, isHosts: words[2] == "host", program: words[4],
            isThere: words[3] == "there", unit: words.count > 5 ? words[5] : nil)
        })
    },
    // Not their numbers: a restart alone is no other fact.
    summary: { processes in
      let told = processes.chosen.map { "\($0.program) \($0.unit ?? "")" }
      return told.isEmpty ? "no k3s" : told.joined(separator: ", ")
    })
}

extension UpgradeLints {
  /// Nodes on which k3s-upgrade would not find the one k3s, or end one that nobody starts again.
  func hidden(_ role: K3sRoleOfNode) -> [Diagnostic] {
    rollout.pending(role).compactMap { node in
      guard !node.isOff, let processes = processes[node.name],
        var why = refusal(node.name, processes)
      else { return nil }
      why.place = .resource(UpgradePlanResource.address(role))
      return why
    }
  }

  private func refusal(_ node: String, _ processes: K3sProcesses) -> Diagnostic? {
    let chosen = processes.chosen
    guard let k3s = chosen.first else {
      return Diagnostic(
        "k3s-upgrade would find no k3s on \(node)",
        reason: "it looks for a process \"k3s server\" or \"k3s agent\", and none is there",
        remedy: "start k3s as a service, or upgrade over SSH: upgrade.strategy: ssh")
    }
    guard chosen.count == 1 else {
      let told = chosen.map { "\($0.pid) (\($0.unit ?? $0.program))" }.joined(separator: ", ")
      return Diagnostic(
        "k3s-upgrade would find \(chosen.count) k3s on \(node)",
        reason: "it takes none when there are several processes: \(told)",
        remedy: "stop those that are none of this cluster's, or upgrade over SSH")
    }
    guard k3s.isThere else {
      return Diagnostic(
        "k3s-upgrade would not find the program of k3s on \(node)",
        reason: "process \(k3s.pid) calls it \"\(k3s.program)\", which is no path on the host",
        remedy: "start it by its whole path, as the unit of \(K3sRole.role.name) does")
    }
    guard k3s.unit?.hasSuffix(".scope") == true else { return nil }
    return Diagnostic(
      "nobody would start k3s on \(node) again",
      reason: "k3s-upgrade ends process \(k3s.pid) and leaves the start to its service; it was"
        + " started by hand, in \(k3s.unit ?? "")",
      remedy: "stop it, and let \(K3sRole.role.name) start it as a service")
  }

  /// Nodes whose k3s is found and upgraded, but not where helix-infra looks for it.
  func elsewhere(_ role: K3sRoleOfNode) -> [Diagnostic] {
    rollout.pending(role).compactMap { node in
      guard let processes = processes[node.name], refusal(node.name, processes) == nil,
        let k3s = processes.chosen.first
      else { return nil }
      var differences: [String] = []
      if k3s.program != K3sPaths.binary { differences.append("from \(k3s.program)") }
      let unit = "\(role.service).service"
      if let other = k3s.unit, other != unit { differences.append("as \(other)") }
      guard !differences.isEmpty else { return nil }
      return Diagnostic(
        "k3s on \(node.name) runs \(differences.joined(separator: " "))",
        reason:
          "k3s-upgrade replaces it there; helix-infra looks at \(K3sPaths.binary) and \(unit)",
        remedy: "let \(K3sRole.role.name) install it, or see to the node by hand",
        severity: .warning)
    }
  }
}
