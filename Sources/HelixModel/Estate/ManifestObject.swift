/// A Kubernetes object as somebody wrote it, to be made so in the cluster.
package struct ManifestObject: Hashable, Sendable {
  package var apiVersion: String
  package var kind: String
  /// Nil for an object of the whole cluster.
  package var namespace: String?
  package var name: String
  /// All of it, `apiVersion` and `kind` included.
  package var body: Mapping
  /// Where the user wrote it, or asked for what it belongs to.
  package var location: SourceLocation

  package init(
    apiVersion: String, kind: String, namespace: String?, name: String, body: Mapping,
    location: SourceLocation
  ) {
    self.apiVersion = apiVersion
    self.kind = kind
    self.namespace = namespace
    self.name = name
    self.body = body
    self.location = location
  }

  /// `apps` of `apps/v1`; empty for the core group.
  package var group: String {
    let halves = apiVersion.split(separator: "/")
    return halves.count > 1 ? String(halves[0]) : ""
  }

  /// The kind that a CustomResourceDefinition brings; nil for any other object.
  package var defined: (group: String, kind: String)? {
    guard group == "apiextensions.k8s.io", kind == "CustomResourceDefinition",
      let spec = body["spec"]?.mapping, let group = spec["group"]?.text,
      let kind = spec["names"]?.mapping?["kind"]?.text
    else { return nil }
    return (group, kind)
  }
}
