import HelixModel

/// What the controller and its jobs may do.
///
/// The release's own rules for v0.13.4 do not let it look after its definition, which it insists on
/// at every start, nor delete pods; those of the next release do, and are given to all.
struct ControllerAccess: Sendable {
  let release: ControllerRelease
  let location: SourceLocation

  private static let group = "rbac.authorization.k8s.io"
  private static let drainer = "system-upgrade-controller-drainer"
  private static let read = ["get", "list", "watch"]

  var all: [ManifestObject] {
    [
      rules("ClusterRole", ControllerObjects.name, cluster),
      rules("Role", ControllerObjects.name, own),
      rules("ClusterRole", Self.drainer, drain),
      binding("ClusterRoleBinding", "system-upgrade", to: "ClusterRole", ControllerObjects.name),
      binding("ClusterRoleBinding", "system-upgrade-drainer", to: "ClusterRole", Self.drainer),
      binding("RoleBinding", "system-upgrade", to: "Role", ControllerObjects.name),
    ]
  }

  private var cluster: [Draft] {
    let leader: [Draft] = [
      rule("", ["events"], ["get", "create", "patch", "update"]),
      rule("coordination.k8s.io", ["leases"], ["create"]),
      rule(
        "coordination.k8s.io", ["leases"], ["get", "update"], names: [ControllerObjects.name]),
    ]
    return [
      rule("batch", ["jobs"], Self.read),
      rule(
        "apiextensions.k8s.io", ["customresourcedefinitions"],
        Self.read + ["create", "patch", "update"]),
      rule("", ["namespaces", "nodes"], Self.read),
      rule("", ["nodes"], ["update"]),
    ] + (release.electsLeader ? leader : []) + [
      rule(
        "upgrade.cattle.io", ["plans", "plans/status"],
        Self.read + ["create", "patch", "update", "delete"])
    ]
  }

  private var own: [Draft] {
    [
      rule(
        "batch", ["jobs"],
        ["create", "delete", "deletecollection", "patch", "update"] + Self.read),
      rule("", ["secrets"], Self.read),
    ]
  }

  private var drain: [Draft] {
    [
      rule("", ["pods/eviction"], ["create"]),
      rule("", ["pods"], ["get", "list", "delete"]),
      rule("", ["nodes"], ["get", "patch"]),
      rule("apps", ["statefulsets", "daemonsets", "replicasets"], ["get", "list"]),
    ]
  }

  private func rule(
    _ group: String, _ resources: [String], _ verbs: [String], names: [String] = []
  ) -> Draft {
    [
      "apiGroups": [.text(group)],
      "resources": .list(resources.map(Draft.text)),
      "resourceNames": names.isEmpty ? .absent : .list(names.map(Draft.text)),
      "verbs": .list(verbs.map(Draft.text)),
    ]
  }

  private func rules(_ kind: String, _ name: String, _ rules: [Draft]) -> ManifestObject {
    Draft.fields([("rules", .list(rules))]).object(
      "\(Self.group)/v1", kind, name,
      in: kind == "Role" ? ControllerObjects.namespace : nil, at: location)
  }

  private func binding(
    _ kind: String, _ name: String, to role: String, _ roleName: String
  ) -> ManifestObject {
    let body: Draft = [
      "roleRef": [
        "apiGroup": .text(Self.group), "kind": .text(role), "name": .text(roleName),
      ],
      "subjects": [
        [
          "kind": "ServiceAccount", "name": .text(ControllerObjects.account),
          "namespace": .text(ControllerObjects.namespace),
        ]
      ],
    ]
    return body.object(
      "\(Self.group)/v1", kind, name,
      in: kind == "RoleBinding" ? ControllerObjects.namespace : nil, at: location)
  }
}
