/// The `secrets:` part of cluster.yaml: where secrets and the age identity come from.
package struct SecretsSpec: Sendable {
  /// Files encrypted with SOPS whose top-level keys are the names of secrets.
  package var files: [Located<String>]
  /// The file of age identities.
  package var identity: Located<String>?
  package var bootstrap: BootstrapSpec?

  package init(
    files: [Located<String>] = [], identity: Located<String>? = nil,
    bootstrap: BootstrapSpec? = nil
  ) {
    self.files = files
    self.identity = identity
    self.bootstrap = bootstrap
  }
}

/// What the cluster gets so that Flux can decrypt by itself.
package struct BootstrapSpec: Sendable {
  /// The namespace of the Secret with the identities; Flux looks in the Kustomization's own.
  package var namespace: Located<String>
  package var name: Located<String>
  /// Secrets of the repository that must be there before Flux is.
  package var manifests: [SecretManifest]

  package init(
    namespace: Located<String>, name: Located<String>, manifests: [SecretManifest] = []
  ) {
    self.namespace = namespace
    self.name = name
    self.manifests = manifests
  }
}

/// A Kubernetes Secret as a manifest declares it, its values by name.
package struct SecretManifest: Hashable, Sendable {
  /// One entry of the Secret's data.
  package struct Entry: Hashable, Sendable {
    package var key: String
    /// The value as programs in the cluster see it, not its base64.
    package var value: TemplateText

    package init(key: String, value: TemplateText) {
      self.key = key
      self.value = value
    }
  }

  package var namespace: String
  package var name: String
  /// Kubernetes's word, such as `Opaque`.
  package var type: String
  package var labels: [String: String]
  package var annotations: [String: String]
  /// In order of their keys.
  package var data: [Entry]
  package var location: SourceLocation

  package init(
    namespace: String, name: String, type: String = "Opaque", labels: [String: String] = [:],
    annotations: [String: String] = [:], data: [Entry], location: SourceLocation
  ) {
    self.namespace = namespace
    self.name = name
    self.type = type
    self.labels = labels
    self.annotations = annotations
    self.data = data.sorted { $0.key < $1.key }
    self.location = location
  }
}
