internal import HelixModel

/// cluster.yaml: its shape, and what it becomes.
enum ClusterDocument {
  static let shape = Shape.fields([
    .required("cluster", .text(example: "home"), "the cluster's name, also in its kubeconfig"),
    .required("k3s", k3s, "which k3s runs where"),
    .optional(
      "kubeconfig", .either(.text(example: "~/.kube/home"), kubeconfig),
      "where the cluster's kubeconfig is kept on this machine"),
    .optional("upgrade", UpgradeDocument.shape, "how the cluster upgrades itself"),
    .optional("os-update", OSUpdateDocument.shape, "how nodes get new packages and reboot"),
    .optional("secrets", secrets, "where secrets come from"),
    .optional("manifests", manifests, "Kubernetes objects that should be there"),
  ])

  private static let k3s = Shape.fields([
    .required("version", .text(example: "v1.29.15+k3s1"), "the release tag that every node runs"),
    .required("servers", patterns("master"), "which hosts are servers (a host pattern)"),
    .optional("agents", patterns("worker"), "which hosts are agents (a host pattern)"),
    .optional(
      "endpoint", .text(example: "192.168.1.10"),
      "the address under which nodes and people reach the API: a virtual IP, a name, a balancer"),
    .required("token", .secret, "the secret with which nodes join"),
    .optional("config", .open, "keys of every node's config.yaml"),
    .optional("server-config", .open, "keys of the servers' config.yaml, over config"),
    .optional("agent-config", .open, "keys of the agents' config.yaml, over config"),
    .optional(
      "artifacts",
      .fields([
        .optional(
          "mirror", .text(example: "https://github.com/k3s-io/k3s/releases/download"),
          "a URL laid out as k3s's own releases"),
        .optional("folder", .text(example: "artifacts"), "a local folder laid out the same way"),
      ]), "where releases are downloaded from"),
    .optional("registries", .open, "every node's registries.yaml, word for word"),
  ])

  private static let kubeconfig = Shape.fields([
    .required("path", .text(example: "~/.kube/home"), "the file to keep"),
    .optional("merge", .bool, "put it beside other clusters in an existing file"),
  ])

  private static let secrets = Shape.fields([
    .optional(
      "files", .list(of: .text(example: "secrets/cluster.sops.yaml")), "files encrypted with SOPS"),
    .optional("identity", .text(example: ".age.key"), "the age identity that decrypts them"),
    .optional(
      "bootstrap",
      .fields([
        .required("namespace", .text(example: "flux-system"), "the Secret's namespace"),
        .required("name", .text(example: "sops-age"), "the Secret's name"),
        .optional(
          "secrets", .list(of: .text(example: "bootstrap/github.sops.yaml")),
          "Secrets, encrypted with SOPS, that must be there before Flux is"),
      ]), "where the cluster gets the identity"),
  ])

  private static let manifests = Shape.fields([
    .required(
      "files", .list(of: .text(example: "manifests")),
      "files and folders of manifests, from the folder above the inventory"),
    .optional(
      "prune", .bool, "whether what was applied earlier and left the files is deleted"),
  ])

  private static func patterns(_ example: String) -> Shape {
    .either(.list(of: .text(example: example)), .text(example: example))
  }

  /// What the file declares; nil when a part that everything hangs on is missing or wrong.
  static func spec(
    _ document: Node, in hosts: Inventory, manifests read: ([Located<String>]) -> [SecretManifest],
    objects: ([Located<String>]) -> [ManifestObject]
  ) -> ClusterSpec? {
    guard let top = Fields(document), let name = top.text("cluster"), let k3s = top.fields("k3s"),
      let tag = k3s.text("version"), let version = K3sVersion(tag.value),
      let token = k3s.secret("token")
    else { return nil }
    return ClusterSpec(
      name: name,
      k3s: K3sSpec(
        version: Located(version, at: tag.location),
        servers: selected(k3s.texts("servers"), in: hosts),
        agents: selected(k3s.texts("agents"), in: hosts), endpoint: k3s.text("endpoint"),
        token: token, config: k3s.open("config"),
        serverConfig: servingEndpoint(k3s.open("server-config"), k3s.text("endpoint")),
        agentConfig: k3s.open("agent-config"), artifacts: origin(k3s.fields("artifacts")),
        registries: k3s.fields("registries").map { Located($0.mapping, at: $0.location) }),
      kubeconfig: kubeconfig(top), upgrade: UpgradeDocument.spec(top.fields("upgrade")),
      osUpdate: OSUpdateDocument.spec(top.fields("os-update")),
      secrets: secrets(top.fields("secrets"), manifests: read),
      manifests: top.fields("manifests").map { part in
        ManifestsSpec(
          objects: objects(part.texts("files")), prune: part.bool("prune") ?? true,
          location: part.location)
      }, location: document.location)
  }

  /// The hosts of patterns that are known to be good; bad ones were reported by `ClusterChecks`.
  private static func selected(_ patterns: [Located<String>], in hosts: Inventory) -> [HostName] {
    (try? HostPattern(joining: patterns)?.select(from: hosts)) ?? []
  }

  /// The servers' certificate must be good for the endpoint, or no node could join through it.
  private static func servingEndpoint(
    _ config: Mapping, _ endpoint: Located<String>?
  ) -> Mapping {
    guard let endpoint else { return config }
    let key = config.entry("tls-san+") != nil ? "tls-san+" : "tls-san"
    let given = config.entry(key)
    let names = given.map { $0.value.list ?? [$0.value] } ?? []
    guard !names.contains(where: { $0.scalarText == endpoint.value }) else { return config }
    var config = config
    let own = Node(.text(endpoint.value), at: endpoint.location)
    config.set(
      .init(
        key: key, keyLocation: given?.keyLocation ?? endpoint.location,
        value: Node(.list(names + [own]), at: given?.value.location ?? endpoint.location)))
    return config
  }

  private static func origin(_ artifacts: Fields?) -> ArtifactOrigin {
    if let folder = artifacts?.text("folder") { return .folder(folder.value) }
    guard var mirror = artifacts?.text("mirror")?.value else { return .releases }
    while mirror.hasSuffix("/") { mirror.removeLast() }
    return .mirror(mirror)
  }

  private static func kubeconfig(_ top: Fields) -> KubeconfigSpec? {
    if let path = top.text("kubeconfig") { return KubeconfigSpec(path: path) }
    guard let fields = top.fields("kubeconfig"), let path = fields.text("path") else { return nil }
    return KubeconfigSpec(path: path, merge: fields.bool("merge") ?? false)
  }

  /// What a document of any other shape says of secrets; the manifests it names are not read.
  static func secrets(_ document: Node) -> SecretsSpec? {
    secrets(Fields(document)?.fields("secrets")) { _ in [] }
  }

  private static func secrets(
    _ fields: Fields?, manifests: ([Located<String>]) -> [SecretManifest]
  ) -> SecretsSpec? {
    guard let fields else { return nil }
    return SecretsSpec(
      files: fields.texts("files"), identity: fields.text("identity"),
      bootstrap: bootstrap(fields.fields("bootstrap"), manifests: manifests))
  }

  private static func bootstrap(
    _ fields: Fields?, manifests: ([Located<String>]) -> [SecretManifest]
  ) -> BootstrapSpec? {
    guard let fields, let namespace = fields.text("namespace"), let name = fields.text("name")
    else { return nil }
    return BootstrapSpec(
      namespace: namespace, name: name, manifests: manifests(fields.texts("secrets")))
  }
}
