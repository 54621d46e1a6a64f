import HelixModel
import HelixPlan

/// What is waited for around one UpgradePlan, and the guard before a channel's release.
extension UpgradeScripts {
  /// Whether the controller has taken the UpgradePlan up.
  var isTakenUp: Wait {
    switch plan.target {
    case .release(let release):
      Wait(
        "system-upgrade-controller has taken up \(name)",
        script: """
          \(ClusterDoor.shell)
          helix_latest=$(\(own) get \(PlanDefinition.name) \(name) -o jsonpath='{.status.latestVersion}')
          [ "$helix_latest" = \(release.imageTag) ]
          """,
        timeout: 300, interval: 2, diagnosis: UpgradeDiagnosis.name, of: [name])
    case .channel(let channel):
      Wait(
        "system-upgrade-controller has asked the channel of \(name), as it does every 15 minutes",
        script: """
          \(ClusterDoor.shell)
          \(asked(channel, by: name))
          [ -n "$helix_tag" ]
          """,
        timeout: Self.longestPolling, interval: 2, diagnosis: UpgradeDiagnosis.name, of: [name])
    }
  }

  /// More than the controller lets pass until it asks a channel again.
  private static let longestPolling = 1200

  /// Fails when a channel leads down or past a minor release, or when that cannot be told.
  var channelIsNear: Instruction {
    let rows =
      #"{range .items[*]}{.metadata.name} {.status.nodeInfo.kubeletVersion}{"\n"}{end}"#
    return .run(
      script: """
        set -e
        \(ClusterDoor.shell)
        \(tag)
        [ -n "$helix_tag" ] || { echo "nobody knows where the channel leads" >&2; exit 1; }
        helix_rows=$(helix_kubectl get nodes -o jsonpath=\(shellQuoted(rows))) ||
          { echo "the cluster did not tell what its nodes run" >&2; exit 1; }
        [ -n "$helix_rows" ] || { echo "the cluster named no node" >&2; exit 1; }
        printf '%s\\n' "$helix_rows" | awk -v to="$helix_tag" '
          BEGIN { if (split(substr(to, 2), next_, "[.+-]") < 3) { print "the channel leads to " to ", which is no release"; bad = 1; exit } }
          split(substr($2, 2), from, "[.+-]") < 3 { print $1 " runs " $2 ", which is no release"; bad = 1; next }
          next_[1] != from[1] || next_[2] + 0 > from[2] + 1 { print "the channel leads to " to ", past a minor release of " $1 ", which runs " $2; bad = 1 }
          next_[1] == from[1] && (next_[2] + 0 < from[2] + 0 || (next_[2] == from[2] && next_[3] + 0 < from[3] + 0)) { print "the channel leads to " to ", older than what " $1 " runs: " $2; bad = 1 }
          END { exit bad }' >&2
        """)
  }

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
      timeout: timeout, interval: 5, diagnosis: UpgradeDiagnosis.name, of: [name, node])
  }

  /// Whether the controller is done with a node; one that it never had stays as its operator left it.
  func isDone(_ node: String) -> Wait {
    let open = plan.uncordons ? #" && { [ "$3" != cordoned=true ] || [ -z "$4" ]; }"# : ""
    return Wait(
      "the upgrade's job on \(node) is over"
        + (plan.uncordons ? " and \(node) takes pods again" : ""),
      script: """
        \(ClusterDoor.shell)
        set -- "$(\(own) get \(PlanDefinition.name) \(name) -o jsonpath='{.status.latestHash}')" \\
          "$(helix_kubectl get node \(shellQuoted(node)) -o jsonpath=\(shellQuoted(labelPath)))" \\
          "cordoned=$(helix_kubectl get node \(shellQuoted(node)) -o jsonpath='{.spec.unschedulable}')" \\
          "$(helix_kubectl get node \(shellQuoted(node)) -o jsonpath=\(shellQuoted(beforePath)))"
        echo "label ${2:-none}, $3"
        [ -n "$1" ] && [ "$1" = "$2" ]\(open)
        """,
      timeout: 600, interval: 3, diagnosis: UpgradeDiagnosis.name, of: [name, node])
  }

  /// Whether nodes all report the release, are ready and take pods again; it says who is missing.
  func areDone(_ nodes: [String], within timeout: Int) -> Wait {
    let rows =
      #"{range .items[*]}{.metadata.name}|{.status.nodeInfo.kubeletVersion}|"#
      + #"{.status.conditions[?(@.type=="Ready")].status}|{.spec.unschedulable}|"#
      + "\(labelPath){\"\\n\"}{end}"
    // The controller marks a node when it makes it schedulable again.
    let open =
      plan.uncordons ? #" || { [ "$cordoned" = true ] && [ "$mark" != "$helix_hash" ]; }"# : ""
    return Wait(
      "\(nodes.count == 1 ? nodes[0] : "\(nodes.count) agents") run \(words)",
      script: """
        \(ClusterDoor.shell)
        \(tag)
        \(hash)
        helix_rows=$(helix_kubectl get nodes -o jsonpath=\(shellQuoted(rows))) || exit 1
        helix_left=$(printf '%s\\n' "$helix_rows" | while IFS='|' read -r \\
          node version ready cordoned mark; do
          case " \(nodes.joined(separator: " ")) " in *" $node "*) ;; *) continue ;; esac
          if [ "$(printf %s "$version" | tr + -)" != "$helix_tag" ] || [ "$ready" != True ]\(open); then
            echo "$node runs $version, ready $ready${cordoned:+, cordoned}"
          fi
        done)
        printf '%s\\n' "$helix_left"
        [ -n "$helix_tag" ] && [ -z "$helix_left" ]
        """,
      timeout: timeout, interval: 5, diagnosis: UpgradeDiagnosis.name, of: [name])
  }

  /// What is waited for, in words.
  var words: String {
    switch plan.target {
    case .release(let release): "\(release)"
    case .channel: "the channel's release"
    }
  }
}
