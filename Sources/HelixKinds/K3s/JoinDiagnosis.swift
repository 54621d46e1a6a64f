import HelixPlan

/// Why k3s on a node does not come up or take part: what its journal says, and what that means.
enum JoinDiagnosis {
  static let name = "k3s-join"

  static let diagnosis = Diagnosis(name: name, script: script, signs: signs)

  /// A k3s that ended again and again does come up where it waits for another server; where only
  /// its release has changed, it never will.
  static let afterUpgrade = Diagnosis(
    name: "k3s-upgraded", script: countOfEnds + "\n" + script,
    signs: signs + [
      Diagnosis.Sign(
        ending, cause: "k3s of this release ends again and again on this node",
        remedy: "see what it says last: journalctl -u k3s -u k3s-agent", fatal: true)
    ])

  private static let ending = "helix-infra: k3s has ended again and again"

  // On top, so that a line that names a cause outweighs it.
  private static let countOfEnds = """
    for unit in k3s k3s-agent; do
      ends=$(systemctl show -p NRestarts "$unit.service" | cut -d= -f2)
      [ "${ends:-0}" -lt 4 ] || echo '\(ending)'
    done
    """

  // Only the present run of the service counts: what an earlier one said may be mended by now.
  // While it is being stopped, the present run is still the old one.
  private static let script = """
    for unit in k3s k3s-agent; do
      [ "$(systemctl show -p LoadState "$unit.service" | cut -d= -f2)" = loaded ] || continue
      [ "$(systemctl show -p ActiveState "$unit.service" | cut -d= -f2)" != deactivating ] || continue
      run=$(systemctl show -p InvocationID "$unit.service" | cut -d= -f2)
      if [ -n "$run" ]; then
        journalctl -o cat -n 80 --no-pager _SYSTEMD_INVOCATION_ID="$run" + INVOCATION_ID="$run"
      else
        journalctl -u "$unit" -o cat -n 80 --no-pager
      fi 2>/dev/null
    done
    """

  // Narrow signs stand before wide ones: a line that names a cause often quotes a general one too.
  private static let signs = identity + agreement + version + machine + network

  private static let identity: [Diagnosis.Sign] = [
    Diagnosis.Sign(
      "token CA hash does not match the Cluster CA certificate hash",
      cause: "the server that was asked belongs to another cluster than the token",
      remedy:
        "see which cluster answers at the join address; plan again if this cluster was rebuilt",
      fatal: true),
    Diagnosis.Sign(
      "bootstrap data already found and encrypted with different token",
      cause: "the cluster's data was encrypted with another token",
      remedy: "give k3s.token the value the cluster was begun with", fatal: true),
    Diagnosis.Sign(
      "must be in format K10<CA-HASH>", cause: "the token is in no form that k3s reads",
      remedy: "write the secret as one word without \"::\"", fatal: true),
    Diagnosis.Sign(
      "invalid token format", cause: "the token is in no form that k3s reads",
      remedy: "write the secret as one word without \"::\"", fatal: true),
    Diagnosis.Sign(
      "Node password rejected",
      cause: "the cluster knows a node of this name with another password",
      remedy:
        "if no other machine bears the name, plan again: the old node and its password are then taken out",
      fatal: true),
    Diagnosis.Sign(
      "unable to verify password for node",
      cause: "the cluster knows a node of this name with another password",
      remedy:
        "if no other machine bears the name, plan again: the old node and its password are then taken out",
      fatal: true),
    Diagnosis.Sign(
      "duplicate node name found", cause: "another server of the cluster has this node's name",
      remedy: "give the host a name of its own", fatal: true),
    Diagnosis.Sign(
      "401 Unauthorized", cause: "the server does not accept the token",
      remedy: "compare k3s.token with the token of the cluster, and apply again"),
    Diagnosis.Sign(
      "not authorized", cause: "the server does not accept the token",
      remedy: "compare k3s.token with the token of the cluster, and apply again"),
  ]

  private static let agreement: [Diagnosis.Sign] = [
    Diagnosis.Sign(
      "critical configuration value mismatch",
      cause: "this server's config differs from the others' where all must agree",
      remedy: "make config and server-config what the living servers have", fatal: true),
    Diagnosis.Sign(
      "critical configuration mismatch",
      cause: "this server's config differs from the others' where all must agree",
      remedy: "make config and server-config what the living servers have", fatal: true),
    Diagnosis.Sign(
      "too many learner members in cluster",
      cause: "another server is joining at the same time",
      remedy: "wait until it votes; if it is gone for good, delete its node, then apply again"),
    Diagnosis.Sign(
      "newer than datastore and could cause a cluster outage",
      cause: "certificates on this server's disk are newer than those of the cluster",
      remedy: "run k3s-uninstall.sh on it and apply again", fatal: true),
    Diagnosis.Sign(
      "flag provided but not defined",
      cause: "a key in \(K3sPaths.config) is none that this release knows",
      remedy: "correct it in config, server-config or agent-config", fatal: true),
    Diagnosis.Sign(
      "this server has been removed from the cluster",
      cause: "the cluster has taken this server out, and its data is of no use any more",
      remedy: "run k3s-uninstall.sh on it and apply again", fatal: true),
    Diagnosis.Sign(
      "this server is a not a member of the etcd cluster",
      cause: "its etcd data is of another time or cluster",
      remedy: "run k3s-uninstall.sh on it and apply again", fatal: true),
  ]

  private static let version: [Diagnosis.Sign] = [
    Diagnosis.Sign(
      "cannot be downgraded", cause: "the data was written by a newer release",
      remedy: "install that release again, or restore a snapshot", fatal: true),
    Diagnosis.Sign(
      "skips a minor version", cause: "it is more than one minor release ahead of the others",
      remedy: "upgrade one minor release at a time", fatal: true),
    Diagnosis.Sign(
      "version skew is not supported", cause: "the agent is newer than its servers",
      remedy: "upgrade the servers first", fatal: true),
  ]

  private static let machine: [Diagnosis.Sign] = [
    Diagnosis.Sign(
      "certificate has expired or is not yet valid",
      cause: "the clocks are apart, or the certificate is out of date",
      remedy: "set the clock; certificates of a server are renewed when it restarts"),
    Diagnosis.Sign(
      "no space left on device", cause: "the disk is full",
      remedy: "free space in /var/lib and apply again"),
    Diagnosis.Sign(
      "address already in use", cause: "another process has one of k3s's ports",
      remedy: "see with ss -ltnp which one, and stop it"),
    Diagnosis.Sign(
      "failed to find memory cgroup", cause: "the kernel has no memory cgroup",
      remedy: "add cgroup_memory=1 cgroup_enable=memory to its command line and reboot",
      fatal: true),
    Diagnosis.Sign(
      "failed to find cpuset cgroup", cause: "the kernel has no cpuset cgroup",
      remedy: "use a kernel with CONFIG_CPUSETS", fatal: true),
    Diagnosis.Sign(
      "running with swap on is not supported", cause: "the kubelet was told to fail on swap",
      remedy: "turn swap off, or take fail-swap-on out of kubelet-arg", fatal: true),
    Diagnosis.Sign(
      "exec format error", cause: "the binary is of another machine",
      remedy: "plan again, so that it is replaced", fatal: true),
    Diagnosis.Sign(
      "panic: freepages", cause: "etcd's data is damaged",
      remedy: "run k3s-uninstall.sh on it and apply again, or restore a snapshot", fatal: true),
  ]

  private static let network: [Diagnosis.Sign] = [
    Diagnosis.Sign(
      "etcdserver: no leader", cause: "etcd has no majority",
      remedy: "start the other servers; do not reset the cluster before all else has failed"),
    Diagnosis.Sign(
      "etcdserver: request timed out", cause: "etcd is slow or has no majority",
      remedy: "see that the other servers run and that the disks are fast"),
    Diagnosis.Sign(
      "etcdserver: re-configuration failed due to not enough started members",
      cause: "a member of etcd is down, and another may not join before it is back",
      remedy: "start it, or delete its node if it is gone for good"),
    Diagnosis.Sign(
      "etcdserver: unhealthy cluster", cause: "a member of etcd is down or slow",
      remedy: "bring it back before another one joins"),
    Diagnosis.Sign(
      "failed to get CA certs", cause: "no server answers at the join address",
      remedy: "see that 6443/tcp is open between the nodes"),
    Diagnosis.Sign(
      "no route to host", cause: "a server cannot be reached from here",
      remedy: "see that 6443/tcp, 2379-2380/tcp and 10250/tcp are open between the nodes"),
    Diagnosis.Sign(
      "connection refused", cause: "a server it needs does not answer",
      remedy: "see that k3s runs there and that 6443/tcp is open"),
    Diagnosis.Sign(
      "i/o timeout", cause: "a server it needs does not answer",
      remedy: "see that 6443/tcp and 2379-2380/tcp are open between the nodes"),
    Diagnosis.Sign(
      "cni plugin not initialized", cause: "no network plugin is installed",
      remedy: "install one, or take flannel-backend: none out of server-config"),
  ]
}
