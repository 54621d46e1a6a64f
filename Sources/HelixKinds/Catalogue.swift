package import HelixModel
package import HelixPlan

/// A resource that a playbook asks for by a module's name.
package protocol ModuleKind: Resource {
  /// What a playbook may say to it; the first name is the one it is known by.
  static var module: ModuleSpec { get }
  /// - Throws: every argument that makes no sense, at its place.
  init(_ demand: TaskDemand) throws(Diagnostics)
}

/// A native role: turns what the inventory declares into resources, in an order in which each
/// stands behind what it waits for.
package protocol RoleKind: Sendable {
  static var role: RoleSpec { get }
  /// - Throws: what is missing in the inventory.
  static func resources(
    for demand: RoleDemand, inventory: Inventory
  ) throws(Diagnostics) -> [any Resource]
}

/// Every kind there is; a new one adds its line here.
package enum Catalogue {
  static let modules: [any ModuleKind.Type] = [
    FileContentKind.self,
    FileStateKind.self,
    HostnameKind.self,
    KernelModuleKind.self,
    PackageKind.self,
    ServiceKind.self,
    SwapKind.self,
    SysctlKind.self,
    TemplateFileKind.self,
    TimezoneKind.self,
  ]

  static let roles: [any RoleKind.Type] = [
    K3sRole.self,
    RolloutUpdateRole.self,
    SOPSAgeRole.self,
    ManifestsRole.self,
    SystemUpgradeRole.self,
  ]

  /// Roles that inventories may already declare, and why they cannot be applied yet.
  static let rolesToCome: [RoleSpec] = [
    RoleSpec(
      name: "helix.infra.platform",
      notYet: "installing platform components comes with a later version"),
    RoleSpec(
      name: "helix.infra.linode_pool",
      notYet: "Linode pools are read and shown by this version, and applied by a later one"),
    RoleSpec(
      name: "helix.infra.aws_failover",
      notYet: "AWS targets are read and shown by this version, and applied by a later one"),
  ]

  /// What the playbook room checks names and arguments against.
  package static let specs = ModuleCatalogue(
    modules: modules.map { $0.module }, roles: roles.map { $0.role } + rolesToCome)

  /// Every way of finding out why a wait did not come true, by name.
  package static let diagnoses: [String: Diagnosis] = [
    JoinDiagnosis.name: JoinDiagnosis.diagnosis,
    JoinDiagnosis.afterUpgrade.name: JoinDiagnosis.afterUpgrade,
    UpgradeDiagnosis.name: UpgradeDiagnosis.diagnosis,
  ]

  /// The resource a task asks for.
  package static func resource(for demand: TaskDemand) throws(Diagnostics) -> any Resource {
    guard let kind = modules.first(where: { $0.module.names.contains(demand.module) }) else {
      throw Diagnostics(Diagnostic("no module \"\(demand.module)\"", at: demand.location))
    }
    return try kind.init(demand)
  }

  /// The resources a native role asks for.
  package static func resources(
    for demand: RoleDemand, inventory: Inventory
  ) throws(Diagnostics) -> [any Resource] {
    guard let kind = roles.first(where: { $0.role.name == demand.role }) else {
      throw Diagnostics(Diagnostic("no role \"\(demand.role)\"", at: demand.location))
    }
    return try kind.resources(for: demand, inventory: inventory)
  }
}
