import HelixModel
import HelixPlan

/// Why a node does not come to its release: what the jobs, their pods and the events say.
///
/// Its subject is an UpgradePlan and, where one node is waited for, that node: jobs of other plans and
/// of other nodes fail for reasons of their own.
enum UpgradeDiagnosis {
  static let name = "upgrade"

  static let diagnosis = Diagnosis(name: name, script: script, signs: signs)

  /// What a line of a pod's stands for, when it is known.
  static func sign(in line: String?) -> Diagnosis.Sign? {
    line.flatMap { line in signs.first { line.contains($0.pattern) } }
  }

  // The newest line that tells something wins, so what is narrow comes last. Events outlive what
  // they tell of, so only those of pods that are looked at count. A job that fails again and again
  // leaves a pod each time: its newest one tells, and nothing when that has succeeded.
  private static let script = """
    \(ClusterDoor.shell)
    helix_served || { echo "k3s does not run here"; exit 0; }
    helix_of="upgrade.cattle.io/plan${1:+=$1}${2:+,upgrade.cattle.io/node=$2}"
    helix_own() { helix_kubectl -n \(ControllerObjects.namespace) "$@"; }
    helix_available=$(helix_own get deployment \(ControllerObjects.name) --ignore-not-found \\
      -o jsonpath='{.status.availableReplicas}') && echo "controller available: ${helix_available:-none}"
    helix_kubectl get poddisruptionbudgets.policy -A -o jsonpath=\(shellQuoted(budgets)) |
      awk '$3 == "0" { print "budget " $2 " allows no disruption" }'
    helix_own get \(PlanDefinition.name) -o jsonpath=\(shellQuoted(conditions)) |
      awk -F '\\t' -v plan="$1" -v node="$2" '
        $1 == "plan" { told = plan == "" || $2 == plan; next }
        node != "" && index($0, " failed on Node ") && !index($0, " failed on Node " node ":") { next }
        told { sub(/ failed on Node [^:]*: /, "&failed: "); print }'
    helix_rows=$(helix_own get pods -l "$helix_of" -o jsonpath=\(shellQuoted(pods)))
    helix_pods=$(printf '%s\\n' "$helix_rows" | awk -F '\\t' '
      $1 == "pod" && $5 >= at[$3] { at[$3] = $5; row[$3] = $5 "\\t" $4 "\\t" $2 }
      END { for (job in row) print row[job] }' | sort |
      awk -F '\\t' '$2 != "Succeeded" { print $3 }' | tail -n \(podsLookedAt))
    helix_pods=$(printf ' %s ' $helix_pods)
    helix_own get events -o jsonpath=\(shellQuoted(events)) |
      awk -F '\\t' -v pods="$helix_pods" 'index(pods, " " $1 " ") { print $2 }'
    printf '%s\\n' "$helix_rows" | awk -F '\\t' -v pods="$helix_pods" '
      $1 == "pod" { told = index(pods, " " $2 " "); next }
      told { print }'
    for helix_pod in $helix_pods; do
      helix_own logs "$helix_pod" --all-containers --tail=15 2>/dev/null
    done
    helix_own get jobs -l "$helix_of" -o jsonpath=\(shellQuoted(failures)) |
      awk '$2 != "" { print "job " $1 " failed: " $2 }'
    """

  private static let podsLookedAt = 3

  private static let budgets =
    #"{range .items[*]}budget {.metadata.namespace}/{.metadata.name} "#
    + #"{.status.disruptionsAllowed}{"\n"}{end}"#
  private static let conditions =
    #"{range .items[*]}plan{"\t"}{.metadata.name}{"\n"}"#
    + #"{range .status.conditions[*]}{.reason}: {.message}{"\n"}{end}{end}"#
  private static let events =
    #"{range .items[*]}{.involvedObject.name}{"\t"}{.reason}: {.message}{"\n"}{end}"#
  private static let pods =
    #"{range .items[*]}pod{"\t"}{.metadata.name}{"\t"}{.metadata.labels.job-name}{"\t"}"#
    + #"{.status.phase}{"\t"}{.metadata.creationTimestamp}{"\n"}"#
    + containers(".status.initContainerStatuses[*]") + containers(".status.containerStatuses[*]")
    + "{end}"

  /// Why containers wait, and what they have left when they ended.
  private static func containers(_ path: String) -> String {
    #"{range \#(path)}{.name}: {.state.waiting.reason} {.state.waiting.message}"#
      + #"{.state.terminated.reason} {.state.terminated.message}{"\n"}{end}"#
  }

  private static let failures =
    #"{range .items[*]}{.metadata.name} "#
    + #"{.status.conditions[?(@.type=="Failed")].reason}{"\n"}{end}"#

  // "DeadlineExceeded" alone is also what kubelet says of a container runtime that is slow for a
  // moment, so only what is said of a job counts.
  private static let signs: [Diagnosis.Sign] = [
    Diagnosis.Sign(
      "is more recent than", cause: "the release is older in time than the one that runs",
      remedy: "choose one that was built in the same month or later: the last release of a minor is"
        + " newest", fatal: true),
    Diagnosis.Sign(
      "is higher than", cause: "the node runs a newer release already",
      remedy: "write k3s.version: that release or a newer one", fatal: true),
    Diagnosis.Sign(
      "No K3s pids found", cause: "k3s on the node was not started as k3s server or k3s agent",
      remedy: "upgrade it over SSH: upgrade.strategy: ssh", fatal: true),
    Diagnosis.Sign(
      "Found multiple K3s pids", cause: "several k3s run on the node",
      remedy: "stop those that are none of this cluster's", fatal: true),
    Diagnosis.Sign(
      "failed: DeadlineExceeded", cause: "the job ran out of time",
      remedy: "see what took long with helix-infra upgrade status; raise deadline in"
        + " upgrade.plans, and apply again", fatal: true),
    Diagnosis.Sign(
      "failed: BackoffLimitExceeded", cause: "the job has failed too often",
      remedy: "see what its pods said, mend it and apply again", fatal: true),
    Diagnosis.Sign(
      "ImagePullBackOff", cause: "an image cannot be pulled",
      remedy: "see that nodes reach the registry, or name one: upgrade.controller.registry"),
    Diagnosis.Sign(
      "ErrImagePull", cause: "an image cannot be pulled",
      remedy: "see that nodes reach the registry, or name one: upgrade.controller.registry"),
    Diagnosis.Sign(
      "ImageInspectError", cause: "an image cannot be read on the node",
      remedy: "remove it there: crictl rmi, and apply again"),
    Diagnosis.Sign(
      "Cannot evict pod as it would violate",
      cause: "a PodDisruptionBudget keeps a pod on the node",
      remedy: "run more copies of what it protects, or loosen the budget"),
    Diagnosis.Sign(
      "allows no disruption", cause: "a PodDisruptionBudget keeps pods on the node",
      remedy: "run more copies of what it protects, or loosen the budget"),
    Diagnosis.Sign(
      "untolerated taint", cause: "a taint keeps the job's pod off the node",
      remedy: "add a toleration for it in upgrade.plans"),
    Diagnosis.Sign(
      "Waiting for all control-plane nodes", cause: "the job waits until every server is done",
      remedy: "bring the servers to the release first"),
    Diagnosis.Sign(
      "outside", cause: "the window of the UpgradePlan is not open",
      remedy: "wait for it, or change window in upgrade.plans"),
    Diagnosis.Sign(
      "controller available: none", cause: "the system-upgrade-controller does not run",
      remedy: "see why: kubectl -n system-upgrade describe pods"),
    Diagnosis.Sign(
      "k3s does not run here", cause: "k3s has stopped and did not come back",
      remedy: "see its journal: journalctl -u k3s"),
  ]
}
