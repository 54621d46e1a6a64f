/// The k3s cluster as `inventory/cluster.yaml` declares it; every value keeps its place.
package struct ClusterSpec: Sendable {
  package var name: Located<String>
  package var k3s: K3sSpec
  package var kubeconfig: KubeconfigSpec?
  package var upgrade: UpgradeSpec?
  package var osUpdate: OSUpdateSpec?
  package var secrets: SecretsSpec?
  package var manifests: ManifestsSpec?
  /// The file itself, for messages about what is missing in it.
  package var location: SourceLocation

  package init(
    name: Located<String>, k3s: K3sSpec, kubeconfig: KubeconfigSpec? = nil,
    upgrade: UpgradeSpec? = nil, osUpdate: OSUpdateSpec? = nil, secrets: SecretsSpec? = nil,
    manifests: ManifestsSpec? = nil,
    location: SourceLocation
  ) {
    self.name = name
    self.k3s = k3s
    self.kubeconfig = kubeconfig
    self.upgrade = upgrade
    self.osUpdate = osUpdate
    self.secrets = secrets
    self.manifests = manifests
    self.location = location
  }
}

/// The `k3s:` part of cluster.yaml.
package struct K3sSpec: Sendable {
  package var version: Located<K3sVersion>
  /// The hosts that `servers:` selects, in inventory order.
  package var servers: [HostName]
  package var agents: [HostName]
  /// Registration address: virtual IP, DNS name or load balancer.
  package var endpoint: Located<String>?
  package var token: Located<SecretName>
  /// Every node's config.yaml.
  package var config: Mapping
  /// Laid over `config` on servers.
  package var serverConfig: Mapping
  /// Laid over `config` on agents.
  package var agentConfig: Mapping
  package var artifacts: ArtifactOrigin
  /// What every node's registries.yaml says; nil when that file is not ours.
  package var registries: Located<Mapping>?

  package init(
    version: Located<K3sVersion>, servers: [HostName], agents: [HostName],
    endpoint: Located<String>?, token: Located<SecretName>, config: Mapping = Mapping(),
    serverConfig: Mapping = Mapping(), agentConfig: Mapping = Mapping(),
    artifacts: ArtifactOrigin = .releases, registries: Located<Mapping>? = nil
  ) {
    self.version = version
    self.servers = servers
    self.agents = agents
    self.endpoint = endpoint
    self.token = token
    self.config = config
    self.serverConfig = serverConfig
    self.agentConfig = agentConfig
    self.artifacts = artifacts
    self.registries = registries
  }
}

extension K3sSpec {
  /// Every secret that a node's files may hold.
  package var secrets: [SecretName] {
    [token.value]
      + [config, serverConfig, agentConfig].flatMap(\.entries).compactMap(\.value.namedSecret)
      + (registries?.value.entries ?? []).flatMap(\.value.namedSecrets)
  }
}

extension Node {
  /// The name in `{ secret: NAME }`; nil for anything else.
  package var namedSecret: SecretName? {
    guard let mapping, mapping.keys == ["secret"] else { return nil }
    return mapping["secret"]?.text.map { SecretName($0) }
  }

  /// The names in every `{ secret: NAME }`, however deep.
  package var namedSecrets: [SecretName] {
    if let namedSecret { return [namedSecret] }
    let parts = (mapping?.entries.map(\.value) ?? []) + (list ?? [])
    return parts.flatMap(\.namedSecrets)
  }
}

/// Where release artifacts come from.
package enum ArtifactOrigin: Sendable, Hashable {
  /// A URL under which `<tag>/<file>` is found, as GitHub's release downloads are laid out.
  case mirror(String)
  /// A folder laid out the same way: airgap.
  case folder(String)

  package static let releases = ArtifactOrigin.mirror(
    "https://github.com/k3s-io/k3s/releases/download")
}

/// What becomes of the cluster's kubeconfig on the machine that runs helix-infra.
package struct KubeconfigSpec: Sendable {
  /// The file to keep, as written (`~` allowed).
  package var path: Located<String>
  /// Put into an existing kubeconfig beside other clusters, rather than a file of its own.
  package var merge: Bool

  package init(path: Located<String>, merge: Bool = false) {
    self.path = path
    self.merge = merge
  }
}
