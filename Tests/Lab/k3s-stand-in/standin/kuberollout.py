"""kubectl rollout, scale and wait: until what was asked for is so."""

import sys
import time

from standin import jsonpath, kinds, kubeoutput
from standin.kubeclient import Failure, KubeClient, path_of, seconds
from standin.kubeget import chosen, expanded
from standin.objects import now

LONG = 86400.0 * 365


def rollout(arguments, options):
    """kubectl rollout status|restart KIND/NAME."""
    client = KubeClient(options)
    if arguments[:1] not in (["status"], ["restart"]) or len(arguments) < 2:
        raise Failure("error: the stand-in has rollout status and rollout restart, of a named workload")
    for kind, name in expanded(client, arguments[1:], options):
        if kind not in (kinds.DEPLOYMENTS, kinds.DAEMON_SETS, kinds.STATEFUL_SETS):
            raise Failure(f"error: no status viewer has been implemented for {kind.name}")
        if arguments[0] == "status":
            follow(client, kind, name, options)
        else:
            client.json("PATCH", path_of(kind, client.namespace, name), {"spec": {"template": {"metadata": {
                "annotations": {"kubectl.kubernetes.io/restartedAt": now()}}}}}, "application/merge-patch+json")
            print(f"{kubeoutput.label(kind, name)} restarted")


def follow(client, kind, name, options):
    """Print how far a rollout is until it is done."""
    view = {"Deployment": of_deployment, "DaemonSet": of_daemon_set, "StatefulSet": of_stateful_set}[kind.name]
    end = time.monotonic() + (seconds(options.get("timeout"), 0) or LONG)
    said = None
    while True:
        item = client.json("GET", path_of(kind, client.namespace, name))
        text, done = view(item, name)
        if text != said:
            print(text, flush=True)
        said = text
        if done or options.get("watch") == "":
            return
        if time.monotonic() > end:
            raise Failure("error: timed out waiting for the condition")
        time.sleep(0.2)


def of_deployment(item, name):
    """(the words, whether it is done)."""
    spec, status = item["spec"], item.get("status", {})
    if item["metadata"]["generation"] > status.get("observedGeneration", 0):
        return "Waiting for deployment spec update to be observed...", False
    progress = next((one for one in status.get("conditions") or [] if one["type"] == "Progressing"), {})
    if progress.get("reason") == "ProgressDeadlineExceeded":
        raise Failure(f'error: deployment "{name}" exceeded its progress deadline')
    updated, total = status.get("updatedReplicas", 0), status.get("replicas", 0)
    available = status.get("availableReplicas", 0)
    begin = f'Waiting for deployment "{name}" rollout to finish: '
    if updated < spec.get("replicas", 1):
        return begin + f"{updated} out of {spec.get('replicas', 1)} new replicas have been updated...", False
    if total > updated:
        return begin + f"{total - updated} old replicas are pending termination...", False
    if available < updated:
        return begin + f"{available} of {updated} updated replicas are available...", False
    return f'deployment "{name}" successfully rolled out', True


def of_daemon_set(item, name):
    """The same for a DaemonSet."""
    status = item.get("status", {})
    if item["spec"].get("updateStrategy", {}).get("type") != "RollingUpdate":
        raise Failure("error: rollout status is only available for RollingUpdate strategy type")
    if item["metadata"]["generation"] > status.get("observedGeneration", 0):
        return "Waiting for daemon set spec update to be observed...", False
    wanted, updated = status.get("desiredNumberScheduled", 0), status.get("updatedNumberScheduled", 0)
    begin = f'Waiting for daemon set "{name}" rollout to finish: '
    if updated < wanted:
        return begin + f"{updated} out of {wanted} new pods have been updated...", False
    if status.get("numberAvailable", 0) < wanted:
        return begin + f"{status.get('numberAvailable', 0)} of {wanted} updated pods are available...", False
    return f'daemon set "{name}" successfully rolled out', True


def of_stateful_set(item, _):
    """The same for a StatefulSet."""
    spec, status = item["spec"], item.get("status", {})
    strategy = spec.get("updateStrategy", {})
    if strategy.get("type") != "RollingUpdate":
        raise Failure("error: rollout status is only available for RollingUpdate strategy type")
    if item["metadata"]["generation"] > status.get("observedGeneration", 0):
        return "Waiting for statefulset spec update to be observed...", False
    wanted = spec.get("replicas", 1)
    if status.get("readyReplicas", 0) < wanted:
        return f"Waiting for {wanted - status.get('readyReplicas', 0)} pods to be ready...", False
    partition = (strategy.get("rollingUpdate") or {}).get("partition")
    if partition is not None:
        if status.get("updatedReplicas", 0) < wanted - partition:
            return (f"Waiting for partitioned roll out to finish: {status.get('updatedReplicas', 0)} out of "
                    f"{wanted - partition} new pods have been updated..."), False
        return f"partitioned roll out complete: {status.get('updatedReplicas', 0)} new pods have been updated...", True
    if status.get("updateRevision") != status.get("currentRevision"):
        return (f"waiting for statefulset rolling update to complete {status.get('updatedReplicas', 0)} pods at "
                f"revision {status.get('updateRevision')}..."), False
    return (f"statefulset rolling update complete {status.get('currentReplicas', 0)} pods at revision "
            f"{status.get('currentRevision')}..."), True


def dry(options):
    """The query of a command that is not to be done."""
    if options.get("dry-run") == "client":
        raise Failure("error: the stand-in has --dry-run=server")
    return "All" if options.get("dry-run") else ""


def scale(arguments, options):
    """kubectl scale KIND/NAME --replicas=N."""
    client = KubeClient(options)
    if not options.get("replicas", "").isdigit():
        raise Failure("error: The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")
    for kind, name in chosen(client, arguments):
        path = path_of(kind, client.namespace, name)
        client.json("PATCH", path_of(kind, client.namespace, name, "scale", dryRun=dry(options)),
                    {"spec": {"replicas": int(options["replicas"])}}, "application/merge-patch+json")
        kubeoutput.say(client, path, kind, name, "scaled", options)


def wait(arguments, options):
    """kubectl wait --for=condition=Ready|delete|jsonpath=…."""
    client = KubeClient(options)
    word = options.get("for", "")
    test = _condition(word)
    end = time.monotonic() + seconds(options.get("timeout"), 30.0)
    wanted = list(expanded(client, arguments, options))
    if not wanted:
        raise Failure("error: no matching resources found")
    failed = 0
    for kind, name in wanted:
        path = path_of(kind, client.namespace, name)
        try:
            if word == "delete":
                if not exists(client, path):
                    continue
                wait_gone(client, path, end - time.monotonic(), f"{kind.plural}/{name}")
            while word != "delete" and not test(client.json("GET", path)):
                if time.monotonic() > end:
                    raise Failure(f"error: timed out waiting for the condition on {kind.plural}/{name}")
                time.sleep(0.25)
            print(f"{kubeoutput.label(kind, name)} condition met", flush=True)
        except Failure as problem:
            print(problem, file=sys.stderr)
            failed = 1
    return failed


def exists(client, path):
    """Whether an object is there."""
    try:
        client.json("GET", path)
        return True
    except Failure as problem:
        if problem.status != 404:
            raise
        return False


def wait_gone(client, path, timeout, name):
    """Wait until an object is not found any more."""
    end = time.monotonic() + timeout
    while True:
        try:
            client.json("GET", path)
        except Failure as problem:
            if problem.status == 404:
                return
            raise
        if time.monotonic() >= end:
            raise Failure(f"error: timed out waiting for the condition on {name}")
        time.sleep(0.25)


def _condition(word):
    kind, _, rest = word.partition("=")
    if word == "delete":
        return None
    if kind == "condition" and rest:
        name, _, wanted = rest.partition("=")

        def holds(item):
            status, meta = item.get("status") or {}, item["metadata"]
            for one in status.get("conditions") or []:
                if one["type"].lower() == name.lower():
                    fresh = one.get("observedGeneration") or status.get("observedGeneration")
                    if fresh is not None and fresh < meta.get("generation", 0):
                        return False
                    return one["status"].lower() == (wanted or "true").lower()
            return False
        return holds
    if kind == "jsonpath" and "}=" in rest:
        path, _, wanted = rest.rpartition("}=")

        def equals(item):
            return jsonpath.render(path + "}", item) == wanted
        return equals
    raise Failure(f'error: unrecognized condition: "{word}"')
