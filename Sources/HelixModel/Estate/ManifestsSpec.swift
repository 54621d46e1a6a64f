/// The `manifests:` part of cluster.yaml: Kubernetes objects that should be there.
package struct ManifestsSpec: Sendable {
  /// In the order of the files.
  package var objects: [ManifestObject]
  /// Whether what was applied earlier and left the files is deleted.
  package var prune: Bool
  package var location: SourceLocation

  package init(objects: [ManifestObject], prune: Bool = true, location: SourceLocation) {
    self.objects = objects
    self.prune = prune
    self.location = location
  }
}

/// Which kinds live in a namespace, as far as it is known without asking a cluster.
package enum KindScope: Sendable, Hashable {
  case cluster, namespaced, unknown

  private static let ofCluster: Set<String> = [
    "/Namespace", "/Node", "/PersistentVolume", "/ComponentStatus",
    "apiextensions.k8s.io/CustomResourceDefinition", "apiregistration.k8s.io/APIService",
    "rbac.authorization.k8s.io/ClusterRole", "rbac.authorization.k8s.io/ClusterRoleBinding",
    "storage.k8s.io/StorageClass", "storage.k8s.io/VolumeAttachment", "storage.k8s.io/CSIDriver",
    "storage.k8s.io/CSINode", "scheduling.k8s.io/PriorityClass", "node.k8s.io/RuntimeClass",
    "networking.k8s.io/IngressClass", "certificates.k8s.io/CertificateSigningRequest",
    "flowcontrol.apiserver.k8s.io/FlowSchema",
    "flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration",
    "admissionregistration.k8s.io/MutatingWebhookConfiguration",
    "admissionregistration.k8s.io/ValidatingWebhookConfiguration",
    "admissionregistration.k8s.io/ValidatingAdmissionPolicy",
    "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding",
  ]

  /// Groups whose other kinds all live in a namespace.
  private static let knownGroups: Set<String> = [
    "", "apps", "autoscaling", "batch", "coordination.k8s.io", "discovery.k8s.io",
    "events.k8s.io", "helm.cattle.io", "k3s.cattle.io", "networking.k8s.io", "policy",
    "rbac.authorization.k8s.io", "storage.k8s.io",
  ]

  /// The scope of a kind that every k3s cluster has; unknown for kinds that somebody adds.
  package static func of(group: String, kind: String) -> KindScope {
    if ofCluster.contains("\(group)/\(kind)") { return .cluster }
    return knownGroups.contains(group) ? .namespaced : .unknown
  }
}
