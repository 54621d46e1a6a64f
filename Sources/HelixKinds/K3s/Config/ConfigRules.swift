/// What k3s allows to be changed in its config, and when.
enum ConfigRules {
  /// Keys whose values are secrets; a host shows only their fingerprints.
  static let secretKeys = [
    "token", "t", "agent-token", "datastore-endpoint", "etcd-s3-access-key",
    "etcd-s3-secret-key", "etcd-s3-session-token", "vpn-auth",
  ]

  /// Keys that helix-infra writes itself, and what to say instead of them.
  static let ownKeys = [
    "token": "the token is named by k3s.token", "t": "the token is named by k3s.token",
    "token-file": "the token is named by k3s.token",
    "server": "the join address is chosen from the servers that live",
    "s": "the join address is chosen from the servers that live",
    "cluster-init": "the one server that begins a cluster is chosen at plan time",
    "node-name": "a node is called as its host is in the inventory",
  ]

  /// Keys of clusters that this version does not manage.
  static let foreignKeys = [
    "data-dir": "k3s is looked for in \(K3sPaths.data)",
    "d": "k3s is looked for in \(K3sPaths.data)",
    "datastore-endpoint": "servers are joined through their embedded etcd",
    "cluster-reset": "a reset is something to do once, not a state to keep",
    "cluster-reset-restore-path": "a restore is something to do once, not a state to keep",
    "disable-etcd": "every server is a member of etcd",
    "disable-apiserver": "every server is asked through its own API",
    "disable-agent": "every server is asked through its own node",
    "rootless": "k3s runs as root",
  ]

  /// A key whose value a living cluster holds on to.
  struct Frozen: Sendable {
    let key: String
    let standard: String
    /// What changing it takes.
    let remedy: String
  }

  // k3s compares these when a server joins: "critical configuration value mismatch". The first
  // ones are baked into certificates, addresses or stored objects as well.
  static let frozen: [Frozen] =
    [
      ("cluster-cidr", "10.42.0.0/16"), ("service-cidr", "10.43.0.0/16"),
      ("cluster-dns", "10.43.0.10"), ("cluster-domain", "cluster.local"),
    ].map { Frozen(key: $0.0, standard: $0.1, remedy: rebuild) }
    + [Frozen(key: "flannel-backend", standard: "vxlan", remedy: migration)]
    + [Frozen(key: "secrets-encryption", standard: "false", remedy: encryption)]
    + [Frozen(key: "https-listen-port", standard: "6443", remedy: port)]
    + [
      ("disable-cloud-controller", "false"), ("disable-helm-controller", "false"),
      ("disable-network-policy", "false"), ("egress-selector-mode", "agent"),
      ("embedded-registry", "false"), ("flannel-external-ip", "false"),
      ("flannel-ipv6-masq", "false"), ("agent-token", ""),
    ].map { Frozen(key: $0.0, standard: $0.1, remedy: outage) }

  /// The one packaged component that all servers must agree on.
  static let sharedComponent = "servicelb"

  static let outage =
    "all servers must be stopped, changed and started together, which is an outage to plan by hand"
  private static let rebuild =
    "a new cluster is needed: its addresses and certificates were made for the old value"
  private static let migration =
    "pod networks must be moved node by node, which is an outage to plan by hand"
  private static let port =
    "every node's way to the servers must be written anew, which is an outage to plan by hand"
  private static let encryption =
    "switch it with k3s secrets-encrypt by hand, then write what is so"
}
