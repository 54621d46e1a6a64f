import HelixModel
import HelixPlan

/// How much room k3s has on a host, and how often its service had to be started again.
struct HostVitals: Sendable, Hashable {
  /// Bytes on the file system that holds /var/lib/rancher, or would hold it.
  var totalRoom: Int?
  var freeRoom: Int?
  /// How often systemd restarted the service by itself since somebody started it.
  var restarts: [K3sRoleOfNode: Int]

  static let fact = Fact<HostVitals>(
    "host-vitals", command: command, parse: parse,
    summary: { vitals in
      vitals.restarts.sorted { $0.key.rawValue < $1.key.rawValue }
        .map { "\($0.key.service) restarted \($0.value) times" }.joined(separator: ", ")
    })

  // In paragraphs, since systemctl writes the properties of a unit in an order of its own.
  private static let command = """
    helix_folder=/var/lib/rancher
    [ -d "$helix_folder" ] || helix_folder=/
    timeout 10 df -Pk "$helix_folder" | awk 'NR == 2 { print "total", $2; print "free", $4 }'
    timeout 10 systemctl show -p Id -p NRestarts k3s.service k3s-agent.service |
      awk 'BEGIN { RS = ""; FS = "\\n" }
        { unit = count = ""
          for (i = 1; i <= NF; i++) {
            if ($i ~ /^Id=/) unit = substr($i, 4)
            if ($i ~ /^NRestarts=/) count = substr($i, 11) }
          sub(/\\.service$/, "", unit)
          if (count != "") print "restarts", unit, count }'
    echo asked
    """

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> HostVitals {
    let lines = FactLines(answer.output)
    guard lines.has("asked") else {
      throw Diagnostic("the host does not say how much room it has", reason: "its answer broke off")
    }
    var restarts: [K3sRoleOfNode: Int] = [:]
    for line in lines.all("restarts") {
      let cells = words(of: line)
      guard cells.count == 2, let role = K3sRoleOfNode(service: cells[0]) else { continue }
      restarts[role] = Int(cells[1])
    }
    return HostVitals(
      totalRoom: lines.number("total").map { $0 << 10 },
      freeRoom: lines.number("free").map { $0 << 10 }, restarts: restarts)
  }
}
