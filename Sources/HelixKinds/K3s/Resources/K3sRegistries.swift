import HelixModel
import HelixPlan

/// k3s's registries.yaml, where cluster.yaml says what is to stand in it.
///
/// It is compared as a whole, by keyed fingerprint: another hand's file becomes ours once, to the
/// letter, and passwords never leave the host.
struct K3sRegistries: K3sResource {
  static let kind = "k3s-registries"
  let node: K3sNode

  var after: [Address] { node.gates }

  var ownQuestions: [Question] { [Question(InstalledRegistries.fact, on: node.host)] }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let installed = try sight.read(InstalledRegistries.fact, on: node.host)
    guard let wanted = node.cluster.registries else {
      return .unchanged(reason: "the file is not ours")
    }
    let fingerprint = try sight.fingerprints.fingerprint(of: wanted.content)
    let isSame = installed != nil && installed?.fingerprint == fingerprint
    if isSame, installed?.mode == "600 root" { return .unchanged(reason: "it says the same") }
    return try node.judge(&sight) { (_, view) throws(Diagnostic) in
      self.inTurn(self.work(installed, wanted, isSame: isSame, view), view)
    }
  }

  private func work(
    _ installed: InstalledRegistries?, _ wanted: RegistriesFile, isSame: Bool, _ view: NodeView
  ) -> Work {
    let title = "write k3s's registries on \(node.host)"
    let file = FileWrite(path: K3sPaths.registries, content: wanted.content, mode: "0600")
    return Work(
      installed == nil ? .create : .update, fields: fields(installed, wanted, isSame: isSame),
      reason: reason(installed, isSame: isSame), after: waits(view).after,
      behind: waits(view).behind,
      steps: [
        isSame
          ? step(tidyStep, title, [keepToRoot(K3sPaths.registries)])
          : step("write", title, [.write(file)])
      ])
  }

  private func fields(
    _ installed: InstalledRegistries?, _ wanted: RegistriesFile, isSame: Bool
  ) -> [FieldChange] {
    var fields: [FieldChange] = []
    if !isSame {
      let diff = unifiedDiff(from: installed?.shown ?? "", to: wanted.content.shown)
      fields.append(FieldChange(K3sPaths.registries, diff: diff))
    }
    if let installed, installed.mode != "600 root" {
      fields.append(FieldChange("mode", before: installed.mode, after: "600 root"))
    }
    return fields
  }

  private func reason(_ installed: InstalledRegistries?, isSame: Bool) -> String {
    if isSame { return "its mode differs" }
    return installed == nil ? "there is no registries.yaml" : "the file differs"
  }
}
