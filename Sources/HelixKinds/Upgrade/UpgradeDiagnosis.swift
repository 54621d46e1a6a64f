import HelixModel
import HelixPlan

/// Why a node does not come to its release: what the jobs, their pods and the events say.
enum UpgradeDiagnosis {
  static let name = "upgrade"

  static let diagnosis = Diagnosis(name: name, script: script, signs: signs)

  // The newest line that tells something wins, so what is narrow comes last. Events outlive what
  // they tell of, so only those of pods that are still there are asked for.
  private static let script = """
    \(ClusterDoor.shell)
    helix_served || { echo "k3s does not run here"; exit 0; }
    helix_own() { helix_kubectl -n \(ControllerObjects.namespace) "$@"; }
    helix_available=$(helix_own get deployment \(ControllerObjects.name) --ignore-not-found \\
      -o jsonpath='{.status.availableReplicas}') && echo "controller available: ${helix_available:-none}"
    helix_kubectl get poddisruptionbudgets.policy -A -o jsonpath=\(shellQuoted(budgets)) |
      awk '$3 == "0" { print "budget " $2 " allows no disruption" }'
    helix_own get \(PlanDefinition.name) -o jsonpath=\(shellQuoted(conditions))
    for helix_pod in $(helix_own get pods -l upgrade.cattle.io/plan -o name); do
      helix_own get events --field-selector "involvedObject.name=${helix_pod#pod/}" \\
        -o jsonpath=\(shellQuoted(events))
      helix_own get "$helix_pod" -o jsonpath=\(shellQuoted(containers))
      helix_own logs "$helix_pod" --all-containers --tail=15 2>/dev/null
    done
    helix_own get jobs -l upgrade.cattle.io/plan -o jsonpath=\(shellQuoted(failures)) |
      awk '$2 != "" { print "job " $1 " failed: " $2 }'
    """

  private static let budgets =
    #"{range .items[*]}budget {.metadata.namespace}/{.metadata.name} "#
    + #"{.status.disruptionsAllowed}{"\n"}{end}"#
  private static let conditions =
    #"{range .items[*]}{range .status.conditions[*]}{.reason}: {.message}{"\n"}{end}{end}"#
  private static let events = #"{range .items[*]}{.reason}: {.message}{"\n"}{end}"#
  private static let containers =
    #"{range .status.initContainerStatuses[*]}{.state.waiting.reason} {.state.waiting.message}"#
    + #"{"\n"}{end}{range .status.containerStatuses[*]}{.state.waiting.reason} "#
    + #"{.state.waiting.message}{"\n"}{end}"#
  private static let failures =
    #"{range .items[*]}{.metadata.name} "#
    + #"{.status.conditions[?(@.type=="Failed")].reason}{"\n"}{end}"#

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
      "DeadlineExceeded", cause: "the job ran out of time",
      remedy: "see what took long with helix-infra upgrade status; raise deadline in"
        + " upgrade.plans, and apply again", fatal: true),
    Diagnosis.Sign(
      "BackoffLimitExceeded", cause: "the job has failed too often",
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
