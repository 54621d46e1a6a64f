import HelixModel
import HelixPlan

/// What is said to the cluster around one UpgradePlan.
struct UpgradeScripts: Sendable {
  let plan: UpgradePlanObject

  private var name: String { plan.name }
  private var label: String { NodeLabels.plan(name) }
  private var own: String { "helix_kubectl -n \(ControllerObjects.namespace)" }
  private var labelPath: String { Self.path(".metadata.labels.", label) }
  private var holdPath: String { Self.path(".metadata.annotations.", NodeLabels.hold) }

  private static func path(_ front: String, _ key: String) -> String {
    "{\(front)\(key.split(separator: ".").joined(separator: "\\."))}"
  }

  private var nodes: String {
    plan.role == .server ? "\(NodeLabels.controlPlane)=true" : "!\(NodeLabels.controlPlane)"
  }

  /// The release in an image tag's spelling; a channel's, once the controller has asked it.
  private var tag: String {
    switch plan.target {
    case .release(let release): "helix_tag=\(release.imageTag)"
    case .channel:
      "helix_tag=$(\(own) get \(PlanDefinition.name) \(UpgradePlanObject.serversName)"
        + " --ignore-not-found -o jsonpath='{.status.latestVersion}')"
    }
  }

  /// Reads the nodes of the UpgradePlan into `$helix_nodes`, a line each.
  private var listing: String {
    let shown = [
      "{.metadata.name}", "{.status.nodeInfo.kubeletVersion}", labelPath, holdPath,
      #"{.status.conditions[?(@.type=="Ready")].status}"#,
      Self.path(".metadata.labels.", NodeLabels.hostname),
    ].joined(separator: "|")
    let rows = #"{range .items[*]}\#(shown){"\n"}{end}"#
    return """
      set -e
      \(ClusterDoor.shell)
      \(tag)
      helix_nodes=$(helix_kubectl get nodes -l \(shellQuoted(nodes)) -o jsonpath=\(shellQuoted(rows)))
      helix_label() { helix_kubectl label node "$1" --overwrite "\(label)=$2" >/dev/null; }
      helix_free() { helix_kubectl annotate node "$1" \(NodeLabels.hold)- >/dev/null; }
      """
  }

  /// Marks nodes before the UpgradePlan changes.
  ///
  /// A node that runs the release already gets the mark of a node that is done, or it would be
  /// drained for nothing. A server that does not is held until its turn; so is an agent that is off,
  /// which would take a place for ever. What others hold stays held.
  var mark: String {
    """
    \(listing)
    helix_hash=$(printf '%s%s' "$helix_tag" \(ControllerObjects.account) | sha224sum | cut -c1-56)
    helix_applying=$(\(own) get \(PlanDefinition.name) \(name) --ignore-not-found \\
      -o jsonpath='{.status.applying}')
    helix_hold() {
      helix_kubectl annotate node "$1" --overwrite \(NodeLabels.hold)=\(name) >/dev/null
      helix_label "$1" \(NodeLabels.disabled)
    }
    printf '%s\\n' "$helix_nodes" | while IFS='|' read -r node version mark hold ready hostname; do
      [ -n "$node" ] || continue
      if [ "$mark" = \(NodeLabels.disabled) ] && [ "$hold" != \(name) ]; then continue; fi
      if [ -n "$helix_tag" ] && [ "$(printf %s "$version" | tr + -)" = "$helix_tag" ]; then
        [ "$mark" = "$helix_hash" ] || helix_label "$node" "$helix_hash"
        [ -z "$hold" ] || helix_free "$node"
      \(holding)
      fi
    done
    """
  }

  private var holding: String {
    switch plan.role {
    case .server:
      """
      elif [ "$mark" != \(NodeLabels.disabled) ]; then
          case $helix_applying in
          *"\\"$hostname\\""*) [ -n "$mark" ] || helix_label "$node" \(NodeLabels.due) ;;
          *) helix_hold "$node" ;;
          esac
      """
    case .agent:
      """
      elif [ "$ready" != True ] && [ "$ready" != False ]; then helix_hold "$node"
      """
    }
  }

  /// Lets the controller have the agents that are behind, once the UpgradePlan leads to the release:
  /// before, those without a mark would get a job of the release before.
  var freeAgents: String {
    """
    \(listing)
    [ -n "$helix_tag" ] || exit 0
    printf '%s\\n' "$helix_nodes" | while IFS='|' read -r node version mark hold ready hostname; do
      [ -n "$node" ] && [ "$(printf %s "$version" | tr + -)" != "$helix_tag" ] || continue
      [ "$ready" = True ] || [ "$ready" = False ] || continue
      if [ -z "$mark" ] || [ "$hold" = \(name) ]; then helix_label "$node" \(NodeLabels.due); fi
      if [ "$hold" = \(name) ]; then helix_free "$node"; fi
    done
    """
  }

  /// Lets the controller have a server.
  func free(_ node: String) -> String {
    let node = shellQuoted(node)
    return """
      set -e
      \(ClusterDoor.shell)
      if [ "$(helix_kubectl get node \(node) -o jsonpath=\(shellQuoted(holdPath)))" = \(name) ]; then
        helix_kubectl label node \(node) --overwrite \(label)=\(NodeLabels.due) >/dev/null
        helix_kubectl annotate node \(node) \(NodeLabels.hold)- >/dev/null
      fi
      """
  }

  func cordon(_ nodes: [String]) -> String {
    "\(ClusterDoor.shell)\nhelix_kubectl cordon \(nodes.map(shellQuoted).joined(separator: " "))"
  }

  /// Takes failed jobs away, and changes the UpgradePlan so that the controller looks at it anew.
  func retry(_ jobs: [String]) -> String {
    """
    set -e
    \(ClusterDoor.shell)
    \(own) delete job --ignore-not-found \(jobs.map(shellQuoted).joined(separator: " "))
    \(own) annotate \(PlanDefinition.name) \(name) --overwrite \\
      "helix.infra/retried=$(date -u +%Y-%m-%dT%H:%M:%SZ)" >/dev/null
    """
  }
}

// MARK: - Waits

extension UpgradeScripts {
  /// Whether the controller has taken the UpgradePlan up.
  var isTakenUp: Wait {
    let resolved =
      switch plan.target {
      case .release(let release): #"[ "$helix_latest" = \#(release.imageTag) ]"#
      case .channel: #"[ -n "$helix_latest" ]"#
      }
    return Wait(
      "system-upgrade-controller has taken up \(name)",
      script: """
        \(ClusterDoor.shell)
        helix_latest=$(\(own) get \(PlanDefinition.name) \(name) -o jsonpath='{.status.latestVersion}')
        \(resolved)
        """,
      timeout: 300, interval: 2, diagnosis: UpgradeDiagnosis.name)
  }

  /// Fails when a channel leads down or past a minor release.
  var channelIsNear: Instruction {
    .run(
      script: """
        set -e
        \(ClusterDoor.shell)
        \(tag)
        helix_kubectl get nodes \\
          -o jsonpath='{range .items[*]}{.metadata.name} {.status.nodeInfo.kubeletVersion}{"\\n"}{end}' |
          awk -v to="$helix_tag" '
            { split(substr($2, 2), from, "[.+-]"); split(substr(to, 2), next_, "[.+-]")
              if (next_[2] + 0 > from[2] + 1) { print "the channel leads to " to ", past a minor release of " $1 ", which runs " $2; bad = 1 }
              if (next_[2] + 0 < from[2] + 0 || (next_[2] == from[2] && next_[3] + 0 < from[3] + 0)) { print "the channel leads to " to ", older than what " $1 " runs: " $2; bad = 1 } }
            END { exit bad }' >&2
        """)
  }

  private static let status =
    #"{.status.nodeInfo.kubeletVersion} {.spec.unschedulable}"#

  /// Whether a node reports the release.
  func runsRelease(_ node: String, within timeout: Int) -> Wait {
    Wait(
      "\(node) runs \(words)",
      script: """
        \(ClusterDoor.shell)
        \(tag)
        helix_version=$(helix_kubectl get node \(shellQuoted(node)) \\
          -o jsonpath='{.status.nodeInfo.kubeletVersion}') || exit 1
        echo "$helix_version"
        [ -n "$helix_tag" ] && [ "$(printf %s "$helix_version" | tr + -)" = "$helix_tag" ]
        """,
      timeout: timeout, interval: 5, diagnosis: UpgradeDiagnosis.name)
  }

  /// Whether the controller is done with a node.
  func isDone(_ node: String) -> Wait {
    let open = plan.uncordons ? #" && [ "$3" != cordoned=true ]"# : ""
    return Wait(
      "the upgrade's job on \(node) is over"
        + (plan.uncordons ? " and \(node) takes pods again" : ""),
      script: """
        \(ClusterDoor.shell)
        set -- "$(\(own) get \(PlanDefinition.name) \(name) -o jsonpath='{.status.latestHash}')" \\
          "$(helix_kubectl get node \(shellQuoted(node)) -o jsonpath=\(shellQuoted(labelPath)))" \\
          "cordoned=$(helix_kubectl get node \(shellQuoted(node)) -o jsonpath='{.spec.unschedulable}')"
        echo "label ${2:-none}, $3"
        [ -n "$1" ] && [ "$1" = "$2" ]\(open)
        """,
      timeout: 600, interval: 3, diagnosis: UpgradeDiagnosis.name)
  }

  /// Whether nodes all report the release, are ready and take pods again; it says who is missing.
  func areDone(_ nodes: [String], within timeout: Int) -> Wait {
    let rows =
      #"{range .items[*]}{.metadata.name}|{.status.nodeInfo.kubeletVersion}|"#
      + #"{.status.conditions[?(@.type=="Ready")].status}|{.spec.unschedulable}{"\n"}{end}"#
    let open = plan.uncordons ? #" || [ "$cordoned" = true ]"# : ""
    return Wait(
      "\(nodes.count == 1 ? nodes[0] : "\(nodes.count) agents") run \(words)",
      script: """
        \(ClusterDoor.shell)
        \(tag)
        helix_rows=$(helix_kubectl get nodes -o jsonpath=\(shellQuoted(rows))) || exit 1
        helix_left=$(printf '%s\\n' "$helix_rows" | while IFS='|' read -r node version ready cordoned; do
          case " \(nodes.joined(separator: " ")) " in *" $node "*) ;; *) continue ;; esac
          if [ "$(printf %s "$version" | tr + -)" != "$helix_tag" ] || [ "$ready" != True ]\(open); then
            echo "$node runs $version, ready $ready${cordoned:+, cordoned}"
          fi
        done)
        printf '%s\\n' "$helix_left"
        [ -n "$helix_tag" ] && [ -z "$helix_left" ]
        """,
      timeout: timeout, interval: 5, diagnosis: UpgradeDiagnosis.name)
  }

  /// What is waited for, in words.
  var words: String {
    switch plan.target {
    case .release(let release): "\(release)"
    case .channel: "the channel's release"
    }
  }
}
