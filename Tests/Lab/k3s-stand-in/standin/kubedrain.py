"""kubectl cordon, uncordon and drain."""

import sys
import time

from standin import kinds
from standin.kubeclient import Failure, KubeClient, path_of, seconds

RETRY = 5.0


def _nodes(client, arguments, options):
    if options.get("selector"):
        path = path_of(kinds.NODES, None, labelSelector=options["selector"])
        return [item["metadata"]["name"] for item in client.json("GET", path)["items"]]
    if not arguments:
        raise Failure("error: at least one node is required")
    return [name.partition("/")[2] if name.startswith("node") and "/" in name else name for name in arguments]


def mark(client, name, closed):
    """Close a node for new pods, or open it."""
    path = path_of(kinds.NODES, None, name)
    node = client.json("GET", path)
    word = "cordoned" if closed else "uncordoned"
    if bool(node.get("spec", {}).get("unschedulable")) == closed:
        print(f"node/{name} already {word}", flush=True)
        return
    client.json("PATCH", path, {"spec": {"unschedulable": closed or None}}, "application/merge-patch+json")
    print(f"node/{name} {word}", flush=True)


def cordon(arguments, options):
    """kubectl cordon."""
    client = KubeClient(options)
    for name in _nodes(client, arguments, options):
        mark(client, name, True)


def uncordon(arguments, options):
    """kubectl uncordon."""
    client = KubeClient(options)
    for name in _nodes(client, arguments, options):
        mark(client, name, False)


def drain(arguments, options):
    """kubectl drain: close the node, check the pods, evict them, wait until they are gone."""
    client = KubeClient(options)
    limit = seconds(options.get("timeout"), 0)
    end = time.monotonic() + limit if limit else None
    for name in _nodes(client, arguments, options):
        mark(client, name, True)
        for pod in evictable(client, name, options):
            evict(client, pod, options, end)
        print(f"node/{name} drained", flush=True)


def evictable(client, node, options):
    """The node's pods that have to go; Failure names those that stand in the way."""
    path = path_of(kinds.PODS, None, fieldSelector=f"spec.nodeName={node}", labelSelector=options.get("pod-selector"))
    going, problems, ignored = [], {}, []
    for pod in client.json("GET", path)["items"]:
        meta = pod["metadata"]
        shown = f"{meta['namespace']}/{meta['name']}"
        owners = meta.get("ownerReferences") or []
        finished = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
        if "kubernetes.io/config.mirror" in (meta.get("annotations") or {}):
            continue
        if any(owner["kind"] == "DaemonSet" for owner in owners) and not finished:
            if options.get("ignore-daemonsets"):
                ignored.append(shown)
            else:
                problems.setdefault("cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)",
                                    []).append(shown)
            continue
        if not owners and not finished and not options.get("force"):
            problems.setdefault("cannot delete Pods that declare no controller (use --force to override)",
                                []).append(shown)
        local = any("emptyDir" in volume for volume in pod.get("spec", {}).get("volumes") or [])
        if local and not finished and not (options.get("delete-emptydir-data") or options.get("delete-local-data")):
            problems.setdefault("cannot delete Pods with local storage (use --delete-emptydir-data to override)",
                                []).append(shown)
        going.append(pod)
    if ignored:
        print(f"Warning: ignoring DaemonSet-managed Pods: {', '.join(ignored)}", file=sys.stderr)
    if problems:
        reasons = ", ".join(f"{reason}: {', '.join(pods)}" for reason, pods in sorted(problems.items()))
        raise Failure(f'error: unable to drain node "{node}" due to error: {reasons}, continuing command...')
    return going


def evict(client, pod, options, end):
    """Ask for one pod's eviction until its disruption budget allows it."""
    meta = pod["metadata"]
    path = path_of(kinds.PODS, meta["namespace"], meta["name"])
    print(f"evicting pod {meta['namespace']}/{meta['name']}", flush=True)
    while True:
        try:
            if options.get("disable-eviction"):
                client.json("DELETE", path)
            else:
                client.json("POST", path + "/eviction", {
                    "apiVersion": "policy/v1", "kind": "Eviction",
                    "metadata": {"name": meta["name"], "namespace": meta["namespace"]}})
            break
        except Failure as problem:
            if problem.status == 404:
                break
            if problem.status != 429:
                raise
            reason = str(problem).partition(": ")[2]
            print(f'error when evicting pods/"{meta["name"]}" -n "{meta["namespace"]}" (will retry after 5s): {reason}',
                  file=sys.stderr, flush=True)
            if end and time.monotonic() + RETRY > end:
                raise Failure(f"error: unable to drain node due to error: error when evicting pods/\"{meta['name']}\" "
                              f"-n \"{meta['namespace']}\": global timeout reached") from None
            time.sleep(RETRY)
    print(f"pod/{meta['name']} evicted", flush=True)
