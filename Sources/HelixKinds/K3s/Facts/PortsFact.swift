import HelixModel
import HelixPlan

/// A port that something other than k3s listens on.
struct TakenPort: Sendable, Hashable {
  var port: Int
  /// The process's name, if it could be told.
  var process: String?
}

extension TakenPort {
  /// Which of some ports are taken by something that is not k3s.
  static func fact(_ ports: [Int]) -> Fact<[TakenPort]> {
    Fact<[TakenPort]>(
      "k3s-ports", command: command(ports), parse: parse,
      summary: { taken in
        taken.isEmpty
          ? "free" : taken.map { "\($0.port) \($0.process ?? "?")" }.joined(separator: ", ")
      })
  }

  // Read from /proc, because ss is not on every host. A listener counts as k3s's own when its
  // process is in the cgroup of k3s's unit.
  private static func command(_ ports: [Int]) -> String {
    """
    helix_listeners=$(awk -v ports=\
    '\(ports.map { hexadecimal($0) + "=" + String($0) }.joined(separator: " "))' '
      function listeners(file) {
        while ((getline < file) > 0)
          if ($4 == "0A" && split($2, place, ":") && place[2] in number)
            print $10, number[place[2]]
      }
      BEGIN { n = split(ports, pairs, " ")
        for (i = 1; i <= n; i++) { split(pairs[i], pair, "="); number[pair[1]] = pair[2] }
        listeners("/proc/net/tcp"); listeners("/proc/net/tcp6") }')
    [ -n "$helix_listeners" ] || { echo asked; exit 0; }
    { printf '%s\\n' "$helix_listeners"; ls -l /proc/[0-9]*/fd 2>/dev/null; } | awk '
      NF == 2 && $1 ~ /^[0-9]+$/ { port[$1] = $2; order[++n] = $1; next }
      /^\\/proc\\/[0-9]+\\/fd:$/ { split($0, path, "/"); pid = path[3]; next }
      $NF ~ /^socket:/ { inode = substr($NF, 9, length($NF) - 9)
        if (inode in port && !(inode in owner)) owner[inode] = pid }
      END { for (i = 1; i <= n; i++) print port[order[i]], owner[order[i]] }' |
    sort -u | while read -r helix_port helix_pid; do
      if [ -z "$helix_pid" ]; then
        echo "$helix_port"
      elif ! grep -q -e '/k3s\\.service' -e '/k3s-agent\\.service' "/proc/$helix_pid/cgroup"; then
        printf '%s %s\\n' "$helix_port" "$(cat "/proc/$helix_pid/comm")"
      fi
    done 2>/dev/null
    echo asked
    """
  }

  private static func hexadecimal(_ port: Int) -> String {
    let digits = String(port, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> [TakenPort] {
    let lines = answer.output.split(separator: "\n")
    guard lines.last == "asked" else {
      throw Diagnostic(
        "the host does not say which ports are taken", reason: "its answer broke off")
    }
    return lines.compactMap { line in
      let halves = line.split(separator: " ", maxSplits: 1)
      guard let number = halves.first, let port = Int(number) else { return nil }
      return TakenPort(port: port, process: halves.count > 1 ? String(halves[1]) : nil)
    }
  }
}
