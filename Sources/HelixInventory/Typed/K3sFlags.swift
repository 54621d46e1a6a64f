/// The flags of k3s v1.29, which are the keys of its config.yaml.
enum K3sFlags {
  enum Sort { case flag, text, number, list }

  /// Every flag of `k3s server` and `k3s agent`.
  static let all: [String: Sort] = agent.merging(serverOnly) { first, _ in first }

  /// Flags that `k3s agent` takes too.
  static let agent: [String: Sort] = table([
    .flag: [
      "alsologtostderr", "debug", "disable-default-registry-endpoint", "docker", "enable-pprof",
      "prefer-bundled-bin", "protect-kernel-defaults", "rootless", "selinux", "with-node-id",
    ],
    .number: ["lb-server-port", "v"],
    .text: [
      "bind-address", "config", "container-runtime-endpoint", "data-dir", "default-runtime",
      "flannel-cni-conf", "flannel-conf", "flannel-iface", "image-credential-provider-bin-dir",
      "image-credential-provider-config", "image-service-endpoint", "log", "node-name",
      "pause-image", "private-registry", "resolv-conf", "server", "snapshotter", "token",
      "token-file", "vmodule", "vpn-auth", "vpn-auth-file",
    ],
    .list: [
      "airgap-extra-registry", "kube-proxy-arg", "kubelet-arg", "node-external-ip", "node-ip",
      "node-label", "node-taint",
    ],
  ])

  /// Flags that only `k3s server` takes.
  static let serverOnly: [String: Sort] = table([
    .flag: [
      "cluster-init", "cluster-reset", "disable-agent", "disable-apiserver",
      "disable-cloud-controller", "disable-controller-manager", "disable-etcd",
      "disable-helm-controller", "disable-kube-proxy", "disable-network-policy",
      "disable-scheduler", "embedded-registry", "etcd-disable-snapshots", "etcd-expose-metrics",
      "etcd-s3", "etcd-s3-insecure", "etcd-s3-skip-ssl-verify", "etcd-snapshot-compress",
      "flannel-external-ip", "flannel-ipv6-masq", "secrets-encryption", "tls-san-security",
    ],
    .number: ["advertise-port", "etcd-snapshot-retention", "https-listen-port"],
    .text: [
      "advertise-address", "agent-token", "agent-token-file", "cluster-domain",
      "cluster-reset-restore-path", "datastore-cafile", "datastore-certfile", "datastore-endpoint",
      "datastore-keyfile", "default-local-storage-path", "egress-selector-mode",
      "etcd-s3-access-key", "etcd-s3-bucket", "etcd-s3-config-secret", "etcd-s3-endpoint",
      "etcd-s3-endpoint-ca", "etcd-s3-folder", "etcd-s3-proxy", "etcd-s3-region",
      "etcd-s3-secret-key", "etcd-s3-timeout", "etcd-snapshot-dir", "etcd-snapshot-name",
      "etcd-snapshot-schedule-cron", "flannel-backend", "helm-job-image",
      "service-node-port-range", "servicelb-namespace", "system-default-registry",
      "write-kubeconfig", "write-kubeconfig-group", "write-kubeconfig-mode",
    ],
    .list: [
      "cluster-cidr", "cluster-dns", "disable", "etcd-arg", "kube-apiserver-arg",
      "kube-cloud-controller-arg", "kube-cloud-controller-manager-arg", "kube-controller-arg",
      "kube-controller-manager-arg", "kube-scheduler-arg", "service-cidr", "tls-san",
    ],
  ])

  /// What k3s can be told not to deploy.
  static let components = [
    "coredns", "local-storage", "metrics-server", "runtimes", "servicelb", "traefik",
  ]

  static let flannelBackends = ["host-gw", "none", "vxlan", "wireguard-native"]

  /// Keys that cluster.yaml may not set, and why.
  static let refused: [String: (reason: String, remedy: String)] = {
    var table: [String: (reason: String, remedy: String)] = [:]
    let owned = "helix-infra writes it for each node itself"
    table["server"] = (owned, "set k3s.endpoint, or leave the choice of a living server to it")
    table["token"] = (owned, "set k3s.token")
    table["token-file"] = (owned, "set k3s.token")
    table["cluster-init"] = (
      "set for good, it would begin a second cluster when a server is rebuilt",
      "remove it; the first server of a new cluster gets it by itself"
    )
    table["cluster-reset"] = (
      "in a file, it would reset the cluster at every start", "remove it"
    )
    table["cluster-reset-restore-path"] = table["cluster-reset"]
    table["node-name"] = (
      "a node is named as its host in the inventory", "rename the host in hosts.yaml"
    )
    table["with-node-id"] = table["node-name"]
    for key in ["agent-token", "etcd-s3-access-key", "etcd-s3-secret-key", "vpn-auth"] {
      table[key] = (
        "it holds a secret, and this version writes no secret but the cluster's token into config.yaml",
        "remove it"
      )
    }
    for key in [
      "datastore-endpoint", "datastore-cafile", "datastore-certfile", "datastore-keyfile",
    ] {
      table[key] = ("this version keeps clusters in embedded etcd only", "remove it")
    }
    for key in ["disable-etcd", "disable-apiserver", "disable-controller-manager", "disable-agent"]
    {
      table[key] = ("this version wants every server to be a whole one", "remove it")
    }
    table["data-dir"] = (
      "this version looks for k3s's data in /var/lib/rancher/k3s",
      "remove it, or mount a disk there"
    )
    table["https-listen-port"] = ("this version expects the API on port 6443", "remove it")
    table["config"] = ("the file cannot name another one", "write its keys here")
    table["rootless"] = ("this version runs k3s as a system service", "remove it")
    return table
  }()

  private static func table(_ sorts: [Sort: [String]]) -> [String: Sort] {
    var table: [String: Sort] = [:]
    for (sort, names) in sorts {
      for name in names { table[name] = sort }
    }
    return table
  }
}
