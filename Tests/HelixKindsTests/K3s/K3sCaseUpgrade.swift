import HelixModel
import HelixPlan

@testable import HelixKinds

/// What the fixtures say of upgrades and of registries.
extension K3sCaseCluster {
  mutating func takeUpgrade(_ word: String, _ rest: [String]) throws {
    var spec = upgrade ?? blank
    switch word {
    case "upgrade": spec.strategy = UpgradeSpec.Strategy(rawValue: rest[0]) ?? .ssh
    case "through":
      spec.through = try rest.map { text in
        guard let version = K3sVersion(text) else { throw Diagnostic("no release \"\(text)\"") }
        return Located(version, at: here)
      }
    case "upgrade-servers": spec.servers = plan(rest)
    default: spec.agents = plan(rest)
    }
    upgrade = spec
  }

  private var blank: UpgradeSpec {
    UpgradeSpec(
      strategy: .ssh,
      controller: UpgradeSpec.Controller(version: Located("v0.13.4", at: here)),
      servers: UpgradeSpec.PlanSpec(location: here), agents: UpgradeSpec.PlanSpec(location: here),
      location: here)
  }

  private func plan(_ words: [String]) -> UpgradeSpec.PlanSpec {
    var plan = UpgradeSpec.PlanSpec(location: here)
    for word in words {
      let halves = word.split(separator: "=").map(String.init)
      switch (halves[0], halves.last) {
      case ("concurrency", let number?): plan.concurrency = Int(number) ?? 1
      case ("drain", let seconds?): plan.drain = UpgradeSpec.Drain(timeout: Int(seconds) ?? 300)
      case ("cordon", let truth?): plan.cordon = truth == "true"
      case ("disable-eviction", _): plan.drain?.disableEviction = true
      default: break
      }
    }
    return plan
  }

  func update(_ words: [String]) -> OSUpdateSpec {
    let plan = plan(words)
    let reboot = words.first { $0.hasPrefix("reboot=") }?.dropFirst(7)
    return OSUpdateSpec(
      reboot: reboot.flatMap { OSUpdateSpec.Reboot(rawValue: String($0)) } ?? .whenRequired,
      concurrency: plan.concurrency,
      drain: words.contains("no-drain") ? nil : plan.drain ?? UpgradeSpec.Drain())
  }

  /// What a host says of a registries.yaml that is as it is declared.
  var registriesFingerprint: String {
    var problems: [Diagnostic] = []
    guard let registries,
      let text = try? PlainFingerprints().fingerprint(
        of: RegistriesFile(Located(registries, at: here), &problems).content)
    else { return "none" }
    return text
  }
}
