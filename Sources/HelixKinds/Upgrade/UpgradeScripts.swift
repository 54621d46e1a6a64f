import HelixModel
import HelixPlan

/// What is said to the cluster around one UpgradePlan.
struct UpgradeScripts: Sendable {
  let plan: UpgradePlanObject
  /// Nodes that are left as they are, since they cannot be drained now.
  var blocked: [String] = []

  var name: String { plan.name }
  private var label: String { NodeLabels.plan(name) }
  var own: String { "helix_kubectl -n \(ControllerObjects.namespace)" }
  var labelPath: String { Self.path(".metadata.labels.", label) }
  /// `true` of a node that somebody else has cordoned; more of one that we have.
  private var cordonedPath: String {
    "{.spec.unschedulable}" + Self.path(".metadata.annotations.", NodeDrain.annotation)
  }
  var beforePath: String { Self.path(".metadata.annotations.", NodeLabels.before) }
  private var notedPath: String { Self.path(".metadata.annotations.", NodeLabels.noted) }
  private var holdPath: String { Self.path(".metadata.annotations.", NodeLabels.hold) }

  private static func path(_ front: String, _ key: String) -> String {
    "{\(front)\(key.split(separator: ".").joined(separator: "\\."))}"
  }

  /// The node of each job of the UpgradePlan, and whether the job has failed or is complete.
  private var jobRow: String {
    let ended = ["Failed", "Complete"].map { #"{.status.conditions[?(@.type=="\#($0)")].status}"# }
    let cells = [nodeOfJob] + ended
    return #"{range .items[*]}\#(cells.joined(separator: "|")){"\n"}{end}"#
  }

  private var jobs: String { "\(own) get jobs -l upgrade.cattle.io/plan=\(name)" }

  /// Jobs that bring nodes to another release than the UpgradePlan does.
  private var givenUp: String {
    switch plan.target {
    case .release(let release): "\(jobs),upgrade.cattle.io/version!=\(release.imageTag)"
    // Which release a channel leads to may not be known.
    case .channel: ":"
    }
  }

  private var nodes: String {
    plan.role == .server ? "\(NodeLabels.controlPlane)=true" : "!\(NodeLabels.controlPlane)"
  }

  /// The release in an image tag's spelling; a channel's, once the controller has asked it, and empty
  /// before.
  var tag: String {
    switch plan.target {
    case .release(let release): "helix_tag=\(release.imageTag)"
    case .channel(let channel): asked(channel, by: UpgradePlanObject.serversName)
    }
  }

  /// What an UpgradePlan has learnt of a channel: nothing while it follows another one or a version, and
  /// while its status is of what was there before.
  func asked(_ channel: String, by name: String) -> String {
    let resolved = ["status", "reason"].map {
      #"{.status.conditions[?(@.type=="LatestResolved")].\#($0)}"#
    }
    let unasked = Self.path(".metadata.annotations.", NodeLabels.unasked)
    let row = (["{.spec.channel}", unasked] + resolved + ["{.status.latestVersion}"])
      .joined(separator: "|")
    return """
      helix_row=$(\(own) get \(PlanDefinition.name) \(name) --ignore-not-found \\
        -o jsonpath=\(shellQuoted(row)))
      helix_tag=
      case $helix_row in \(shellQuoted("\(channel)||True|Channel|"))*) helix_tag=${helix_row##*|} ;; esac
      """
  }

  /// The mark of a node that is done with `helix_tag`.
  var hash: String {
    "helix_hash=$(printf '%s%s' \"$helix_tag\" \(ControllerObjects.account) | sha224sum | cut -c1-56)"
  }

  /// Has the controller ask a channel at once.
  ///
  /// While `LatestResolved` is true it asks every 15 minutes only, and goes on with the release that it
  /// had before, of another channel, too. Without conditions it does nothing until it has asked.
  var askAnew: String {
    """
    # the controller asks a channel every 15 minutes; now it asks at once
    set -e
    \(ClusterDoor.shell)
    helix_unasked=$(\(own) get \(PlanDefinition.name) \(name) \\
      -o jsonpath=\(shellQuoted(Self.path(".metadata.annotations.", NodeLabels.unasked))))
    [ -n "$helix_unasked" ] || exit 0
    \(own) patch \(PlanDefinition.name) \(name) --subresource=status --type=merge \\
      -p '{"status":{"conditions":[]}}' >/dev/null
    \(own) annotate \(PlanDefinition.name) \(name) \(NodeLabels.unasked)- >/dev/null
    """
  }

  /// Marks every node before the UpgradePlan changes.
  ///
  /// A node that runs the release already gets the mark of a node that is done, or it would be
  /// drained for nothing. A server that does not is held until its turn, also one that the controller
  /// has taken up without a job at work on it: it would make one at once. So is an agent that is off,
  /// which would take a place for ever, and one that cannot be drained. What others hold stays held.
  /// Whom somebody has cordoned is noted before the controller can have cordoned it. A node whose job
  /// is on the way to a release that is given up is held until the job is gone; what the job has cordoned
  /// is opened then, since the controller does so only when a job succeeds.
  var mark: String {
    let shown = [
      "{.metadata.name}", "{.status.nodeInfo.kubeletVersion}", labelPath, holdPath,
      #"{.status.conditions[?(@.type=="Ready")].status}"#,
      Self.path(".metadata.labels.", NodeLabels.hostname), cordonedPath, beforePath,
    ].joined(separator: "|")
    let rows = #"{range .items[*]}\#(shown){"\n"}{end}"#
    return """
      set -e
      \(ClusterDoor.shell)
      \(tag)
      \(hash)
      helix_plan=$(\(own) get \(PlanDefinition.name) \(name) --ignore-not-found \\
        -o jsonpath='{.status.applying}|\(notedPath)')
      helix_applying=${helix_plan%%|*}
      helix_noted=${helix_plan#*|}
      helix_jobs=$(\(jobs) -o jsonpath=\(shellQuoted(jobRow)))
      helix_given_up=$(\(givenUp) -o jsonpath=\(shellQuoted(jobRow)))
      helix_nodes=$(helix_kubectl get nodes -l \(shellQuoted(nodes)) -o jsonpath=\(shellQuoted(rows)))
      helix_applies() { case $helix_applying in *"\\"$1\\""*) ;; *) return 1 ;; esac; }
      \(noting)
      helix_strays() { printf '%s\\n' "$helix_given_up" | grep -qxF -e "$1||" -e "$1|True|"; }
      helix_lives() { printf '%s\\n' "$helix_jobs" | grep -qxF -e "$1||"; }
      helix_free() { helix_kubectl annotate node "$1" \(NodeLabels.hold)- >/dev/null; }
      helix_hold() {
        helix_kubectl annotate node "$1" --overwrite \(NodeLabels.hold)=\(name) >/dev/null
        helix_kubectl label node "$1" --overwrite \(label)=\(NodeLabels.disabled) >/dev/null
      }
      printf '%s\\n' "$helix_nodes" | while IFS='|' read -r \\
        node version mark hold ready hostname cordoned before; do
        [ -n "$node" ] || continue
        if [ "$mark" = \(NodeLabels.disabled) ] && [ "$hold" != \(name) ]; then continue; fi
        if [ -n "$helix_tag" ] && [ "$(printf %s "$version" | tr + -)" = "$helix_tag" ]; then
          if helix_strays "$node"; then
            [ "$cordoned" != true ] || helix_note "$node" open
            helix_hold "$node"
            continue
          fi
          [ "$before$cordoned" != opentrue ] || [ "$mark" = "$helix_hash" ] || helix_lives "$node" ||
            helix_kubectl uncordon "$node" >/dev/null
          [ "$mark" = "$helix_hash" ] ||
            helix_kubectl label node "$node" --overwrite \(label)="$helix_hash" >/dev/null
          [ -z "$hold" ] || helix_free "$node"
          [ -z "$before" ] || helix_lives "$node" || helix_settle "$node" "$before"
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
          if ! helix_applies "$hostname"; then helix_hold "$node"
          elif ! helix_lives "$node"; then
            helix_note "$node" open
            helix_hold "$node"
          elif [ -z "$mark" ]; then
            helix_kubectl label node "$node" --overwrite \(label)=\(NodeLabels.due) >/dev/null
          fi
      """
    case .agent:
      """
      elif \(leavesOut); then
          ! helix_touched "$node" "$hostname" || helix_note "$node" open
          helix_hold "$node"
        else
          if [ "$cordoned" = true ] && ! helix_touched "$node" "$hostname" &&
            { [ "$hold" = \(name) ] || [ "$helix_noted" != \(shellQuoted(plan.target.words)) ]; }; then
            helix_note "$node" cordoned
          fi
      """
    }
  }

  /// Shell functions that note how a node stood, once, and make it so again.
  ///
  /// A job that is complete goes first: as long as it is there, the controller opens its node each time
  /// that it starts, and once more when the job's time is up.
  private var noting: String {
    let note = "helix_kubectl annotate node \"$1\" --overwrite \(NodeLabels.before)="
    return """
      helix_note() { \(plan.uncordons ? "[ -n \"$before\" ] || \(note)\"$2\" >/dev/null" : ":"); }
      helix_touched() {
        helix_applies "$2" || printf '%s\\n' "$helix_jobs" | grep -qxF -e "$1||" -e "$1|True|"
      }
      \(settling)
      """
  }

  private var settling: String {
    """
    helix_settle() {
      \(ended("Complete", on: "\"$1\""))
      [ -z "$helix_ended" ] || \(own) delete job --ignore-not-found $helix_ended >/dev/null
      case $2 in '') return 0 ;; cordoned) helix_kubectl cordon "$1" >/dev/null ;; esac
      helix_kubectl annotate node "$1" \(NodeLabels.before)- >/dev/null
    }
    """
  }

  /// Puts the names of a node's jobs that have ended so into `helix_ended`.
  private func ended(_ how: String, on node: String) -> String {
    let row =
      #"{range .items[*]}{.metadata.name}|{.status.conditions[?(@.type=="\#(how)")].status}{"\n"}{end}"#
    return """
      helix_found=$(\(jobs),upgrade.cattle.io/node=\(node) -o jsonpath=\(shellQuoted(row)))
      helix_ended=$(printf '%s\\n' "$helix_found" | sed -n 's/|True$//p')
      """
  }

  private var leavesOut: String {
    let isOff = #"[ "$ready" != True ] && [ "$ready" != False ]"#
    guard !blocked.isEmpty else { return isOff }
    let names = shellQuoted(" \(blocked.joined(separator: " ")) ")
    return "{ \(isOff); } || case \(names) in *\" $node \"*) ;; *) false ;; esac"
  }

  /// Lets the controller have the agents that are behind, once the UpgradePlan leads to the release:
  /// before, those without a mark would get a job of the release before.
  var freeAgents: String {
    let shown = [
      "{.metadata.name}", "{.status.nodeInfo.kubeletVersion}", labelPath, holdPath,
      #"{.status.conditions[?(@.type=="Ready")].status}"#,
    ].joined(separator: "|")
    let rows = #"{range .items[*]}\#(shown){"\n"}{end}"#
    return """
      set -e
      \(ClusterDoor.shell)
      \(tag)
      [ -n "$helix_tag" ] || exit 0
      helix_nodes=$(helix_kubectl get nodes -l \(shellQuoted(nodes)) -o jsonpath=\(shellQuoted(rows)))
      printf '%s\\n' "$helix_nodes" | while IFS='|' read -r node version mark hold ready _; do
        [ -n "$node" ] && [ "$(printf %s "$version" | tr + -)" != "$helix_tag" ] || continue
        if \(leavesOut); then continue; fi
        if [ -z "$mark" ] || [ "$hold" = \(name) ]; then
          helix_kubectl label node "$node" --overwrite \(label)=\(NodeLabels.due) >/dev/null
        fi
        if [ "$hold" = \(name) ]; then
          helix_kubectl annotate node "$node" \(NodeLabels.hold)- >/dev/null
        fi
      done
      """
  }

  /// Lets the controller have a server, and takes a failed job of it away before: with the job gone
  /// it would be upgraded at once.
  func free(_ server: String) -> String {
    let node = shellQuoted(server)
    return """
      set -e
      \(ClusterDoor.shell)
      \(ended("Failed", on: node))
      [ -z "$helix_ended" ] || \(own) delete job --ignore-not-found $helix_ended
      helix_node=$(helix_kubectl get node \(node) \\
        -o jsonpath=\(shellQuoted("\(holdPath)|\(beforePath)|\(cordonedPath)")))
      if [ "${helix_node%%|*}" = \(name) ]; then
        \(noteOnFreeing(node))
        helix_kubectl label node \(node) --overwrite \(label)=\(NodeLabels.due) >/dev/null
        helix_kubectl annotate node \(node) \(NodeLabels.hold)- >/dev/null
      fi
      [ -z "$helix_ended" ] || \(touch)
      """
  }

  /// While a server is held, nobody but an operator cordons it.
  private func noteOnFreeing(_ node: String) -> String {
    guard plan.uncordons else { return ":" }
    let note = "helix_kubectl annotate node \(node) --overwrite \(NodeLabels.before)"
    return """
      case ${helix_node#*|} in
        '|true') \(note)=\(NodeLabels.Before.cordoned.rawValue) >/dev/null ;;
        '|'*) \(note)=\(NodeLabels.Before.open.rawValue) >/dev/null ;;
        esac
      """
  }

  /// Takes the jobs of nodes away that are done, cordons those again that an operator had cordoned, and
  /// takes the notes of it off.
  func settle(_ nodes: [String]) -> String {
    let rows = #"{range .items[*]}{.metadata.name}|\#(beforePath){"\n"}{end}"#
    let names = shellQuoted(" \(nodes.joined(separator: " ")) ")
    return """
      # what operators had cordoned is cordoned again
      set -e
      \(ClusterDoor.shell)
      \(settling)
      helix_nodes=$(helix_kubectl get nodes -o jsonpath=\(shellQuoted(rows)))
      printf '%s\\n' "$helix_nodes" | while IFS='|' read -r node before; do
        case \(names) in *" $node "*) helix_settle "$node" "$before" ;; esac
      done
      """
  }

  /// Ends jobs to a release that is given up, and lets their nodes take pods as before.
  func giveUp(_ nodes: [String]) -> String {
    let names = shellQuoted(" \(nodes.joined(separator: " ")) ")
    let row = #"{range .items[*]}{.metadata.name}|\#(nodeOfJob){"\n"}{end}"#
    return """
      # jobs to a release that is given up are ended
      set -e
      \(ClusterDoor.shell)
      helix_rows=$(\(givenUp) -o jsonpath=\(shellQuoted(row)))
      printf '%s\\n' "$helix_rows" | while IFS='|' read -r job node; do
        case \(names) in *" $node "*) \(own) delete job --ignore-not-found "$job" ;; esac
      done
      \(mark)
      """
  }

  private var nodeOfJob: String { Self.path(".metadata.labels.", "upgrade.cattle.io/node") }

  /// Takes failed jobs away, and changes the UpgradePlan so that the controller looks at it anew.
  func retry(_ jobs: [String]) -> String {
    """
    set -e
    \(ClusterDoor.shell)
    \(own) delete job --ignore-not-found \(jobs.map(shellQuoted).joined(separator: " "))
    \(touch)
    """
  }

  /// A change after which the controller looks at the UpgradePlan anew.
  private var touch: String {
    """
    \(own) annotate \(PlanDefinition.name) \(name) --overwrite \\
      "helix.infra/retried=$(date -u +%Y-%m-%dT%H:%M:%SZ)" >/dev/null
    """
  }
}
