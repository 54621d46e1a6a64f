import HelixModel
import HelixPlan

/// How pods are kept and taken off a node that goes away for a while, and let back after.
///
/// A server other than the node is told, where there is one. The node remembers in an annotation
/// that it was us: who cordoned it before finds it cordoned after.
struct NodeDrain: Sendable {
  let node: K3sNode
  /// What for, in a word: `upgrade`, `update`.
  let purpose: String
  /// Nil leaves the pods where they are.
  let drain: UpgradeSpec.Drain?

  static let annotation = "helix.infra/cordoned"
  /// The same in a jsonpath.
  static let annotationPath = #"helix\.infra/cordoned"#

  private var name: String { shellQuoted(node.name) }

  /// Cordons the node, and takes the pods off it if they are to go.
  var away: [Instruction] {
    [.run(script: cordon)] + (drain.map { [.launch(launch($0))] } ?? [])
  }

  /// Lets pods come again, unless somebody else has cordoned the node.
  ///
  /// What an upgrade by the controller noted of the node's cordon is out of date then.
  var back: Instruction {
    .run(
      script: """
        # uncordon \(node.name), if it was us who cordoned it
        set -e
        \(ClusterDoor.shell)
        helix_for=$(helix_kubectl get node \(name) --ignore-not-found \\
          -o jsonpath='{.metadata.annotations.\(Self.annotationPath)}')
        [ -z "$helix_for" ] || helix_kubectl patch node \(name) --type merge \\
          -p '\(Self.patch([(Self.annotation, "null"), (NodeLabels.before, "null")], cordon: "null"))'
        """)
  }

  // One patch, so that a run that is cut short leaves no cordon without its mark.
  private var cordon: String {
    """
    set -e
    \(ClusterDoor.shell)
    helix_node=$(helix_kubectl get node \(name) \\
      -o jsonpath='cordoned={.spec.unschedulable} for={.metadata.annotations.\(Self.annotationPath)}')
    case $helix_node in
    'cordoned=true for=') echo \(shellQuoted("\(node.name) is cordoned already, and stays so")) ;;
    'cordoned=true for='*) ;;
    *)
      helix_kubectl patch node \(name) --type merge \\
        -p '\(Self.patch([(Self.annotation, "\"\(purpose)\"")], cordon: "true"))' ;;
    esac
    """
  }

  private static func patch(
    _ annotations: [(name: String, value: String)], cordon: String
  ) -> String {
    let written = annotations.map { #""\#($0.name)":\#($0.value)"# }.joined(separator: ",")
    return #"{"metadata":{"annotations":{\#(written)}},"spec":{"unschedulable":\#(cordon)}}"#
  }

  private func launch(_ drain: UpgradeSpec.Drain) -> Launch {
    Launch(
      "drain \(node.name)",
      script: """
        if ! \(K3sPaths.binary) kubectl drain \(name) \(Self.flags(drain).joined(separator: " ")); then
          \(EvictionView.told)
          false
        fi
        """,
      timeout: drain.timeout + 60)
  }

  private static func flags(_ drain: UpgradeSpec.Drain) -> [String] {
    let flags: [String?] = [
      "--timeout=\(drain.timeout)s",
      drain.ignoreDaemonSets ? "--ignore-daemonsets" : nil,
      drain.deleteEmptyDirData ? "--delete-emptydir-data" : nil,
      drain.force ? "--force" : nil,
      drain.disableEviction ? "--disable-eviction" : nil,
      drain.gracePeriod.map { "--grace-period=\($0)" },
      drain.skipWaitForDeleteTimeout.map { "--skip-wait-for-delete-timeout=\($0)" },
      drain.podSelector.map { "--pod-selector=\(shellQuoted($0))" },
    ]
    return flags.compactMap(\.self)
  }
}

extension UpgradeSpec.Drain {
  /// Whether disruption budgets can hold it up; which pods a selector leaves is not looked at.
  var minds: Bool { !disableEviction && podSelector == nil }
}

// MARK: - In a plan

extension NodeDrain {
  /// What stands in the way of a drain now; nil when nothing does.
  func obstacle(_ evictions: EvictionView?) -> Diagnostic? {
    Self.obstacle(
      to: drain, of: node.name, evictions, at: .host(node.host, address: node.member.address))
  }

  /// The same for a node that somebody else drains.
  static func obstacle(
    to drain: UpgradeSpec.Drain?, of node: String, _ evictions: EvictionView?,
    at place: Diagnostic.Place
  ) -> Diagnostic? {
    guard let drain, drain.minds, let names = evictions?.obstacles(on: node), !names.isEmpty
    else { return nil }
    let told = names.map { "\($0.budget) (\($0.pods.joined(separator: ", ")))" }
    return Diagnostic(
      "\(node) cannot be drained: \(told.joined(separator: "; ")) lets no pod go",
      reason: "a PodDisruptionBudget that allows no disruption blocks a drain until its time is up",
      remedy:
        "let more of the pods run or relax the budget, and apply again; disable-eviction: true"
        + " goes past every budget",
      at: place)
  }

  /// How the node stands now and what becomes of it.
  func field(_ live: LiveNode?) -> FieldChange {
    let isOthers = live?.isCordoned == true && live?.cordonedFor == nil
    let after = drain == nil ? "cordoned" : "cordoned and drained"
    let before = live?.isCordoned == true ? "cordoned" : "takes pods"
    return FieldChange(
      "node", before: isOthers ? "cordoned by somebody else" : before,
      after: isOthers ? after + ", and cordoned after as well" : after + " for a while")
  }

  var disruption: String? { drain == nil ? nil : "drains \(node.name)" }
}
