import HelixModel
import HelixPlan

/// A namespace of the cluster; it is made when it is missing, and never taken away.
struct ClusterNamespace: Resource {
  static let kind = "namespace"
  let door: ClusterDoor
  let name: String
  let location: SourceLocation?

  var address: Address { Self.address(name) }
  var mayAwait: [Address] { door.waits }

  static func address(_ name: String) -> Address { Address(.cluster, kind: kind, name: name) }

  /// Its phase; nil when there is none.
  private var phase: Fact<String?> {
    Fact<String?>(
      "namespace:\(name)",
      command: """
        \(ClusterDoor.shell)
        if ! helix_served; then
          echo absent
        elif helix_phase=$(helix_kubectl get namespace \(shellQuoted(name)) --ignore-not-found \\
          -o jsonpath='{.status.phase}')
        then
          printf '%s\\n' "${helix_phase:-absent}"
        fi
        """,
      parse: { (answer) throws(Diagnostic) in
        let word = answer.output.split(separator: "\n").last.map(String.init)
        guard let word else { throw Diagnostic("the cluster's API did not tell of a namespace") }
        return word == "absent" ? nil : word
      },
      summary: { $0 ?? "absent" })
  }

  var questions: [Question] {
    door.questions + door.cluster.servers.map { Question(phase, on: $0.host) }
  }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    switch try door.way(&sight) {
    case .closed(let why): return .heldBack(why)
    case .opening(let host): return .change(creation(on: host))
    case .open(let host):
      switch try sight.read(phase, on: host) {
      case nil: return .change(creation(on: host))
      case "Terminating": return .heldBack(isGoing)
      case .some: return .unchanged(reason: "it is there")
      }
    }
  }

  private func creation(on host: HostName) -> Work {
    let script = """
      \(ClusterDoor.shell)
      [ -n "$(helix_kubectl get namespace \(shellQuoted(name)) --ignore-not-found -o name)" ] ||
        helix_kubectl create namespace \(shellQuoted(name)) --field-manager=helix-infra
      """
    return Work(
      .create, fields: [], reason: "there is no namespace \(name)", after: door.waits,
      steps: [
        Step(
          StepID(address, "create"), title: "create the namespace \(name)", host: host,
          instructions: [.run(script: script)])
      ])
  }

  private var isGoing: Diagnostic {
    Diagnostic(
      "the namespace \(name) is being deleted",
      reason: "what is put into it now would be deleted with it",
      remedy: "wait until it is gone, or see what holds it: kubectl get namespace \(name) -o yaml",
      at: .resource(address))
  }
}
