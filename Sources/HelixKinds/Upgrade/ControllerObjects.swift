import HelixModel

/// The system-upgrade-controller as Kubernetes objects, in the order in which they are needed.
struct ControllerObjects: Sendable {
  static let namespace = "system-upgrade"
  static let name = "system-upgrade-controller"
  static let account = "system-upgrade"
  static let environment = "default-controller-env"
  /// A job's longest time where its UpgradePlan says none: with the release's own 900 s a job that
  /// waits for slow servers would fail.
  static let jobDeadline = 3600

  let release: ControllerRelease
  /// In place of Docker Hub.
  let registry: String?
  let location: SourceLocation

  /// An image of the registry that images are to come from.
  static func image(_ name: String, from registry: String?) -> String {
    guard var registry else { return name }
    while registry.hasSuffix("/") { registry.removeLast() }
    return "\(registry)/\(name)"
  }

  var all: [ManifestObject] {
    ([namespaceObject, accountObject] + ControllerAccess(release: release, location: location).all
      + [environmentObject, deployment]).map(takingOver)
  }

  /// Whoever installed the controller by hand before meant the same.
  private func takingOver(_ object: ManifestObject) -> ManifestObject {
    var object = object
    var metadata = object.body["metadata"]?.mapping ?? Mapping()
    let steering: Draft = ["helix.infra/force-conflicts": "true"]
    metadata.set(
      .init(
        key: "annotations", keyLocation: location, value: steering.node(at: location)))
    object.body.set(
      .init(
        key: "metadata", keyLocation: location, value: Node(.mapping(metadata), at: location)))
    return object
  }

  /// Its jobs are privileged pods, which Kubernetes must let in.
  private var namespaceObject: ManifestObject {
    Draft.fields([]).object(
      "v1", "Namespace", Self.namespace,
      labels: ["pod-security.kubernetes.io/enforce": "privileged"], at: location)
  }

  private var accountObject: ManifestObject {
    Draft.fields([]).object(
      "v1", "ServiceAccount", Self.account, in: Self.namespace, at: location)
  }

  private var settings: Draft {
    [
      "SYSTEM_UPGRADE_CONTROLLER_DEBUG": "false",
      "SYSTEM_UPGRADE_CONTROLLER_THREADS": "2",
      "SYSTEM_UPGRADE_CONTROLLER_LEADER_ELECT": release.electsLeader ? "true" : .absent,
      "SYSTEM_UPGRADE_JOB_ACTIVE_DEADLINE_SECONDS": "\(Self.jobDeadline)",
      "SYSTEM_UPGRADE_JOB_BACKOFF_LIMIT": "99",
      // Tags of releases never move; Always would fail wherever the registry cannot be reached.
      "SYSTEM_UPGRADE_JOB_IMAGE_PULL_POLICY": "IfNotPresent",
      "SYSTEM_UPGRADE_JOB_KUBECTL_IMAGE":
        .text(Self.image(release.kubectlImage, from: registry)),
      "SYSTEM_UPGRADE_JOB_PRIVILEGED": "true",
      "SYSTEM_UPGRADE_JOB_TTL_SECONDS_AFTER_FINISH": "900",
      "SYSTEM_UPGRADE_PLAN_POLLING_INTERVAL": "15m",
    ]
  }

  private var environmentObject: ManifestObject {
    Draft.fields([("data", settings)]).object(
      "v1", "ConfigMap", Self.environment, in: Self.namespace, at: location)
  }

  private var deployment: ManifestObject {
    let label = "upgrade.cattle.io/controller"
    var labels: [(String, Draft)] = [(label, .text(Self.name))]
    if release.electsLeader {
      labels += [
        ("app.kubernetes.io/component", "controller"), ("app.kubernetes.io/name", .text(Self.name)),
      ]
    }
    let spec: Draft = [
      // Two of a release that does not elect a leader would both make jobs.
      "strategy": ["type": "Recreate"],
      "selector": ["matchLabels": [label: .text(Self.name)]],
      "template": [
        "metadata": [
          "labels": .fields(labels),
          // It reads its environment when it starts and never again.
          "annotations": [
            "helix.infra/environment":
              .text(shortDigest(JSONText.write(settings.node(at: location))))
          ],
        ],
        "spec": pod,
      ],
    ]
    return Draft.fields([("spec", spec)]).object(
      "apps/v1", "Deployment", Self.name, in: Self.namespace, at: location)
  }
}

// MARK: - Its pod

extension ControllerObjects {
  private var pod: Draft {
    [
      "serviceAccountName": .text(Self.account),
      "affinity": [
        "nodeAffinity": [
          "requiredDuringSchedulingIgnoredDuringExecution": [
            "nodeSelectorTerms": [
              [
                "matchExpressions": [
                  ["key": .text(NodeLabels.controlPlane), "operator": "Exists"]
                ]
              ]
            ]
          ]
        ]
      ],
      "tolerations": .list(tolerations),
      "containers": [container],
      "volumes": .list(
        certificates.map { name, path in
          ["name": .text(name), "hostPath": ["path": .text(path), "type": "DirectoryOrCreate"]]
        } + [["name": "tmp", "emptyDir": .fields([])]]),
    ]
  }

  /// It must run while every server is cordoned, tainted or loaded.
  private var tolerations: [Draft] {
    let wholes: [Draft] = [
      ["key": "CriticalAddonsOnly", "operator": "Exists"],
      ["key": "node-role.kubernetes.io/etcd", "operator": "Exists", "effect": "NoExecute"],
    ]
    let roles = ["master", "controlplane", "control-plane"].map { role -> Draft in
      [
        "key": "node-role.kubernetes.io/\(role)", "operator": "Exists", "effect": "NoSchedule",
      ]
    }
    return wholes + roles
  }

  /// A release channel is asked over HTTPS with the node's certificates.
  private var certificates: [(String, String)] {
    [
      ("etc-ssl", "/etc/ssl"), ("etc-pki", "/etc/pki"),
      ("etc-ca-certificates", "/etc/ca-certificates"),
    ]
  }

  private var container: Draft {
    let mounts = certificates.map { name, path -> Draft in
      ["name": .text(name), "mountPath": .text(path), "readOnly": true]
    }
    return [
      "name": .text(Self.name),
      "image": .text(Self.image("rancher/\(Self.name):\(release.tag)", from: registry)),
      "imagePullPolicy": "IfNotPresent",
      "securityContext": [
        "runAsNonRoot": true, "runAsUser": 65534, "runAsGroup": 65534,
        "allowPrivilegeEscalation": false, "seccompProfile": ["type": "RuntimeDefault"],
        "capabilities": ["drop": ["ALL"]],
      ],
      "envFrom": [["configMapRef": ["name": .text(Self.environment)]]],
      "env": .list(environment),
      "volumeMounts": .list(mounts + [["name": "tmp", "mountPath": "/tmp"]]),
    ]
  }

  private var environment: [Draft] {
    var fields = [
      ("NAME", "metadata.labels['upgrade.cattle.io/controller']"),
      ("NAMESPACE", "metadata.namespace"),
    ]
    if release.electsLeader { fields.append(("NODE_NAME", "spec.nodeName")) }
    return fields.map { name, path in
      [
        "name": "SYSTEM_UPGRADE_CONTROLLER_\(name)",
        "valueFrom": ["fieldRef": ["fieldPath": .text(path)]],
      ]
    }
  }
}
