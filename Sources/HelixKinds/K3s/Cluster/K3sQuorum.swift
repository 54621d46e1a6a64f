import HelixModel
import HelixPlan

extension K3sCluster {
  /// How etcd's votes are counted just before a step that may cost one.
  var quorumGuard: QuorumGuard {
    QuorumGuard(
      seats: servers.map { QuorumGuard.Seat(host: $0.host, node: $0.nodeName) },
      script: K3sQuorum.script)
  }
}

extension ClusterSurvey {
  /// The cluster's votes as the survey saw them.
  var quorum: Quorum { Quorum(counting: cluster.quorumGuard, seen: ledger) }
}

/// What a server is asked about etcd's votes while a plan is carried out.
enum K3sQuorum {
  /// Prints what `QuorumWord` reads, within half a minute, whatever is broken.
  ///
  /// etcd's own listener on the loopback interface needs no certificate; `/health` there is a read
  /// through the majority, so it tells of more than the one process. `/metrics` answers also where
  /// that fails, and says whether the member is only a learner.
  static let script = """
    \(ShellLibrary.http)
    \(upgradeJobs)
    if [ -d \(K3sPaths.etcdMember) ]; then
      if helix_http 127.0.0.1 2381 /health | grep -q '"health": *"true"'; then echo etcd healthy
      else echo etcd unhealthy; fi
      helix_http 127.0.0.1 2381 /metrics | grep -q '^etcd_server_is_learner 1' && echo learner
    else
      echo etcd absent
    fi
    if [ -x \(K3sPaths.binary) ] && systemctl is-active --quiet k3s.service; then
      helix_upgrades && timeout 8 \(K3sPaths.binary) kubectl get --raw /readyz >/dev/null 2>&1 &&
        echo ready
      helix_nodes=$(timeout 10 \(K3sPaths.binary) kubectl get nodes \\
        -o jsonpath=\(shellQuoted(template)) 2>/dev/null) && {
        echo voters
        printf '%s\\n' "$helix_nodes" | awk '$1 == "voter=True" { print "voter", $2, $3 }'
      }
    fi
    echo whole
    """

  /// POSIX sh with a function `helix_upgrades` that prints `upgrading NODE` for each node on which a
  /// job of system-upgrade-controller has not come to its end: it restarts k3s when its image is there.
  ///
  /// It fails where the API does not tell of jobs; a server whose API does not is not well.
  static let upgradeJobs = """
    helix_upgrades() {
      helix_jobs=$(timeout 10 \(K3sPaths.binary) kubectl get jobs -A -l upgrade.cattle.io/node \\
        -o jsonpath=\(shellQuoted(jobs)) 2>/dev/null) || return 1
      printf '%s\\n' "$helix_jobs" |
        awk '$1 == "job" && !/ (Complete|Failed)/ { print "upgrading", $2 }' | sort -u
    }
    """

  private static let jobs =
    #"{range .items[*]}job {.metadata.labels.upgrade\.cattle\.io/node} "#
    + #"{.status.conditions[?(@.status=="True")].type}{"\n"}{end}"#

  private static let template =
    #"{range .items[*]}voter={.status.conditions[?(@.type=="EtcdIsVoter")].status} "#
    + #"{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}"#
}
