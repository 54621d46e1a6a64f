import HelixModel
import HelixPlan

/// What k3s left on a host's disk and what of it runs.
struct NodeState: Sendable, Hashable {
  enum Datastore: String, Sendable { case etcd, sqlite }

  struct Unit: Sendable, Hashable {
    /// systemd's word: `active`, `activating`, `inactive`, `failed`.
    var activity: String
    var isEnabled: Bool

    var isActive: Bool { activity == "active" }
    var isStarting: Bool { activity == "activating" || activity == "reloading" }
  }

  var units: [K3sRoleOfNode: Unit]
  var datastore: Datastore?
  /// The cluster the server part belongs to, by its CA's hash.
  var serverCA: String?
  /// The cluster the agent part belongs to.
  var agentCA: String?
  /// The keyed fingerprint of the password the server lives with.
  var tokenPassword: String?
  var hasNodePassword: Bool
  /// Whether etcd says on its local listener that it is well; nil where there is none.
  var etcdIsHealthy: Bool?
  var etcdIsLearner: Bool
  /// Whether the API of the running server says that it is ready; true where none runs.
  var apiIsReady: Bool
  /// Nodes that a job of system-upgrade-controller works on, as this server tells.
  var upgrading: [String]
  /// Whether the running k3s says that the cluster knows its node with another password.
  var passwordIsRejected: Bool
  /// Files that changed after the running process started.
  var newerFiles: [String]

  func unit(_ role: K3sRoleOfNode) -> Unit {
    units[role] ?? Unit(activity: "inactive", isEnabled: false)
  }
}

extension NodeState {
  static let fact = Fact<NodeState>(
    "k3s-state", command: command, parse: parse, summary: \.summary)

  private static let command = """
    \(ShellLibrary.http)
    \(ShellLibrary.caHash)
    \(ShellLibrary.token)
    helix_start=
    helix_units=$(systemctl show -p Id -p ActiveState -p UnitFileState -p MainPID -p InvocationID \\
      k3s.service k3s-agent.service 2>/dev/null)
    for helix_unit in k3s k3s-agent; do
      helix_activity= helix_enabled= helix_pid= helix_run= helix_id=
      # systemctl writes the properties in an order of its own, a blank line between two units.
      while IFS= read -r helix_line; do
        case $helix_line in
        Id=*) helix_id=${helix_line#*=} ;;
        ActiveState=*) helix_activity=${helix_line#*=} ;;
        UnitFileState=*) helix_enabled=${helix_line#*=} ;;
        MainPID=*) helix_pid=${helix_line#*=} ;;
        InvocationID=*) helix_run=${helix_line#*=} ;;
        '')
          [ "$helix_id" != "$helix_unit.service" ] || break
          helix_activity= helix_enabled= helix_pid= helix_run= helix_id= ;;
        esac
      done <<END
    $helix_units

    END
      # systemd remembers it from before a link was changed by hand.
      [ -z "$helix_enabled" ] ||
        helix_enabled=$(systemctl is-enabled "$helix_unit.service" 2>/dev/null)
      case $helix_activity in active | activating)
        [ -z "$helix_run" ] || journalctl -o cat -n 200 _SYSTEMD_INVOCATION_ID="$helix_run" |
          grep -q 'Node password rejected' && echo password-rejected ;;
      esac
      printf 'unit %s %s %s\\n' "$helix_unit" "${helix_activity:-unknown}" "$helix_enabled"
      [ "$helix_activity" = active ] || continue
      # The start of the process in seconds since 1970: boot time plus its ticks since then.
      helix_start=$({ cat "/proc/$helix_pid/stat"; cat /proc/stat; } 2>/dev/null |
        awk -v ticks="$(getconf CLK_TCK)" 'NR == 1 { sub(/^.*\\) /, ""); start = $20 / ticks; next }
          $1 == "btime" { printf "%d", $2 + start + 0.5; exit }')
    done
    [ -z "$helix_start" ] || helix_now=$(date +%s)
    for helix_file in \(K3sPaths.binary) \(K3sPaths.config) \(K3sPaths.token) \\
      \(K3sPaths.registries) \(K3sPaths.unit(.server)) \(K3sPaths.unit(.agent)); do
      [ -n "$helix_start" ] && [ -f "$helix_file" ] || continue
      helix_changed=$(stat -c %Y "$helix_file")
      # A time to come is a clock that was set back, not a change.
      if [ "$helix_changed" -gt "$helix_start" ] && [ "$helix_changed" -le "$helix_now" ]; then
        printf 'newer %s\\n' "$helix_file"
      fi
    done
    if [ -d \(K3sPaths.etcdMember) ]; then echo datastore etcd
    elif [ -f \(K3sPaths.sqlite) ]; then echo datastore sqlite; fi
    [ ! -s \(K3sPaths.serverCA) ] ||
      printf 'server-ca %s\\n' "$(helix_ca_hash <\(K3sPaths.serverCA))"
    [ ! -s \(K3sPaths.agentCA) ] ||
      printf 'agent-ca %s\\n' "$(helix_ca_hash <\(K3sPaths.agentCA))"
    [ ! -s \(K3sPaths.serverToken) ] || helix_token \(K3sPaths.serverToken)
    [ ! -s \(K3sPaths.nodePassword) ] || echo node-password
    if [ -x \(K3sPaths.binary) ] && systemctl is-active --quiet k3s.service; then
      \(K3sQuorum.upgradeJobs)
      helix_upgrades && timeout 10 \(K3sPaths.binary) kubectl get --raw /readyz >/dev/null 2>&1 ||
        echo api-not-ready
    fi
    [ ! -d \(K3sPaths.etcdMember) ] || {
      helix_http 127.0.0.1 2381 /health | grep -q '"health": *"true"' && echo etcd healthy
      helix_http 127.0.0.1 2381 /metrics | grep -q '^etcd_server_is_learner 1' && echo learner
    }
    true
    """

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> NodeState {
    let lines = FactLines(answer.output)
    var units: [K3sRoleOfNode: Unit] = [:]
    for line in lines.all("unit") {
      let parts = words(of: line)
      guard parts.count >= 2, let role = K3sRoleOfNode(service: parts[0]) else { continue }
      units[role] = Unit(
        activity: parts[1], isEnabled: parts.count > 2 && parts[2].hasPrefix("enabled"))
    }
    guard !units.isEmpty else {
      throw Diagnostic(
        "the host does not say whether k3s runs", reason: "its answer broke off or is empty")
    }
    let datastore = lines["datastore"].flatMap(Datastore.init(rawValue:))
    return NodeState(
      units: units, datastore: datastore, serverCA: lines["server-ca"],
      agentCA: lines["agent-ca"], tokenPassword: lines["token-password"],
      hasNodePassword: lines.has("node-password"),
      etcdIsHealthy: datastore == .etcd ? lines["etcd"] == "healthy" : nil,
      etcdIsLearner: lines.has("learner"), apiIsReady: !lines.has("api-not-ready"),
      upgrading: lines.all("upgrading"),
      passwordIsRejected: lines.has("password-rejected"),
      newerFiles: lines.all("newer"))
  }

  private var summary: String {
    var parts: [String] = []
    for role in [K3sRoleOfNode.server, .agent] {
      guard let unit = units[role], unit.isEnabled || unit.activity != "inactive" else { continue }
      parts.append("\(role.service) \(unit.activity)\(unit.isEnabled ? "" : " not enabled")")
    }
    if let datastore { parts.append("\(datastore.rawValue) data") }
    if let serverCA { parts.append("server of \(short(serverCA))") }
    if let agentCA, serverCA == nil { parts.append("agent of \(short(agentCA))") }
    if let etcdIsHealthy { parts.append(etcdIsHealthy ? "etcd healthy" : "etcd not healthy") }
    if etcdIsLearner { parts.append("learner") }
    if !apiIsReady { parts.append("API not ready") }
    parts += upgrading.map { "an upgrade job on \($0)" }
    if passwordIsRejected { parts.append("node password rejected") }
    if let tokenPassword { parts.append("token \(short(tokenPassword))") }
    parts += newerFiles.map { "\($0) changed since the start" }
    return parts.isEmpty ? "no k3s" : parts.joined(separator: ", ")
  }
}
