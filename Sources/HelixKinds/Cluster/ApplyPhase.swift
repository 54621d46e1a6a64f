import HelixModel

/// In which of a few phases an object is applied, so that each finds what it needs.
enum ApplyPhase: Int, Comparable {
  case namespaces, definitions, configuration, workloads
  /// Asked by the API about every other object, so what serves them must be there first.
  case gates

  private static let configurationKinds: Set<String> = [
    "/ServiceAccount", "/ConfigMap", "/LimitRange", "/ResourceQuota", "/PersistentVolume",
    "/PersistentVolumeClaim", "rbac.authorization.k8s.io/Role",
    "rbac.authorization.k8s.io/RoleBinding", "policy/PodDisruptionBudget",
    "networking.k8s.io/NetworkPolicy", "helm.cattle.io/HelmChartConfig",
  ]
  private static let gateKinds: Set<String> = [
    "admissionregistration.k8s.io/MutatingWebhookConfiguration",
    "admissionregistration.k8s.io/ValidatingWebhookConfiguration",
    "apiregistration.k8s.io/APIService",
  ]

  init(of object: ManifestObject) {
    let kind = "\(object.group)/\(object.kind)"
    if kind == "/Namespace" {
      self = .namespaces
    } else if object.defined != nil
      || kind == "apiextensions.k8s.io/CustomResourceDefinition"
    {
      self = .definitions
    } else if Self.gateKinds.contains(kind) {
      self = .gates
    } else if Self.configurationKinds.contains(kind)
      || KindScope.of(group: object.group, kind: object.kind) == .cluster
    {
      self = .configuration
    } else {
      self = .workloads
    }
  }

  static func < (left: ApplyPhase, right: ApplyPhase) -> Bool { left.rawValue < right.rawValue }
}

/// Objects in the order in which they are applied, and what each waits for among the others.
struct ApplyOrder {
  let objects: [ManifestObject]
  private var namespaces: [String: Address] = [:]
  private var definitions: [String: ManifestObject] = [:]
  /// By namespace; those of the whole cluster under an empty name.
  private var configuration: [String: [Address]] = [:]
  private var chartConfigs: [String: Address] = [:]
  private var servers: [String: [Address]] = [:]

  init(_ objects: [ManifestObject]) {
    self.objects = objects.enumerated().sorted { left, right in
      let phases = (ApplyPhase(of: left.element), ApplyPhase(of: right.element))
      return phases.0 == phases.1 ? left.offset < right.offset : phases.0 < phases.1
    }.map(\.element)
    for object in objects {
      let address = ClusterObject.address(of: object)
      let place = object.namespace ?? ""
      switch ApplyPhase(of: object) {
      case .namespaces: namespaces[object.name] = address
      case .definitions:
        if let kind = object.defined { definitions["\(kind.group)/\(kind.kind)"] = object }
      case .configuration where object.kind == "HelmChartConfig":
        chartConfigs["\(place)/\(object.name)"] = address
      case .configuration: configuration[place, default: []].append(address)
      case .workloads:
        if ObjectRollout(of: object) != nil { servers[place, default: []].append(address) }
      case .gates: break
      }
    }
  }

  /// What the same files say of an object's kind.
  func definition(of object: ManifestObject) -> ManifestObject? {
    definitions["\(object.group)/\(object.kind)"]
  }

  /// What must be there before an object is applied.
  func waits(of object: ManifestObject) -> [Address] {
    var waits = [object.namespace.flatMap { namespaces[$0] }].compactMap(\.self)
    waits += [definition(of: object)].compactMap { $0.map(ClusterObject.address) }
    switch ApplyPhase(of: object) {
    case .namespaces, .definitions, .configuration: break
    case .workloads:
      waits += configuration[""] ?? []
      if let namespace = object.namespace, !namespace.isEmpty {
        waits += configuration[namespace] ?? []
      }
      if object.kind == "HelmChart" {
        waits += [chartConfigs["\(object.namespace ?? "")/\(object.name)"]].compactMap(\.self)
      }
    case .gates:
      waits += configuration[""] ?? []
      waits += Self.servingNamespaces(of: object).sorted().flatMap { servers[$0] ?? [] }
    }
    return waits
  }

  /// Where the services live that a webhook or an added API leads to.
  private static func servingNamespaces(of object: ManifestObject) -> Set<String> {
    let hooks = object.body["webhooks"]?.list ?? []
    let clients = hooks.map { $0.mapping?["clientConfig"] } + [object.body["spec"]]
    return Set(
      clients.compactMap { $0?.mapping?["service"]?.mapping?["namespace"]?.text })
  }
}
