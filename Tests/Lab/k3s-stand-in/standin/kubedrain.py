"""kubectl cordon, uncordon and drain."""

import sys
import time

from standin import kinds, timing
from standin.kubeclient import Failure, KubeClient, path_of, seconds
from standin.version import VERSION, minor

OWNERS = {"ReplicaSet": kinds.REPLICA_SETS, "DaemonSet": kinds.DAEMON_SETS, "StatefulSet": kinds.STATEFUL_SETS}
DAEMONS = "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)"
# The words changed with 1.30 and 1.31.
ALONE = "cannot delete Pods " + ("that " if minor(VERSION) >= (1, 30) else "") + \
    "declare no controller (use --force to override)"
COLON_SPACE = " " if minor(VERSION) >= (1, 31) else ""
LOCAL = "cannot delete Pods with local storage (use --delete-emptydir-data to override)"


def _nodes(client, arguments, options, word):
    if options.get("selector"):
        if arguments:
            raise Failure("error: error: cannot specify both a node name and a --selector option")
        path = path_of(kinds.NODES, None, labelSelector=options["selector"])
        return [item["metadata"]["name"] for item in client.json("GET", path)["items"]]
    if not arguments:
        raise Failure(f"error: USAGE: {word} NODE [flags]\nSee 'kubectl {word} -h' for help and examples")
    names = [name.partition("/")[2] if name.startswith("node") and "/" in name else name for name in arguments]
    for name in names:
        client.json("GET", path_of(kinds.NODES, None, name))
    return names


def _dry(options):
    return {"server": " (server dry run)", "client": " (dry run)"}.get(options.get("dry-run"), "")


def mark(client, name, closed, options):
    """Close a node for new pods, or open it."""
    path = path_of(kinds.NODES, None, name, dryRun="All" if options.get("dry-run") else "")
    node = client.json("GET", path_of(kinds.NODES, None, name))
    word = "cordoned" if closed else "uncordoned"
    if bool(node.get("spec", {}).get("unschedulable")) == closed:
        print(f"node/{name} already {word}{_dry(options)}", flush=True)
        return
    if options.get("dry-run") != "client":
        client.json("PATCH", path, {"spec": {"unschedulable": closed or None}}, "application/merge-patch+json")
    print(f"node/{name} {word}{_dry(options)}", flush=True)


def cordon(arguments, options):
    """kubectl cordon."""
    client = KubeClient(options)
    for name in _nodes(client, arguments, options, "cordon"):
        mark(client, name, True, options)


def uncordon(arguments, options):
    """kubectl uncordon."""
    client = KubeClient(options)
    for name in _nodes(client, arguments, options, "uncordon"):
        mark(client, name, False, options)


def drain(arguments, options):
    """kubectl drain: close the nodes, check their pods, evict them, wait until they are gone."""
    client = KubeClient(options)
    names = _nodes(client, arguments, options, "drain")
    for name in names:
        mark(client, name, True, options)
    left = {}
    for name in names:
        try:
            Draining(client, name, options).run()
            print(f"node/{name} drained{_dry(options)}", flush=True)
        except Failure as problem:
            print(f'error: unable to drain node "{name}" due to error:{COLON_SPACE}{problem}, continuing command...',
                  file=sys.stderr, flush=True)
            left[name] = problem
    if not left:
        return 0
    print("There are pending nodes to be drained:", file=sys.stderr)
    for name in left:
        print(f" {name}", file=sys.stderr)
    told = [str(one) for one in left.values()] if len(left) > 1 else next(iter(left.values())).causes
    for problem in dict.fromkeys(told):
        print(problem, file=sys.stderr)
    return 1


class Stuck(Failure):
    """Why a node is not drained, in one or several sentences."""

    def __init__(self, causes):
        super().__init__(causes[0] if len(causes) == 1 else f"[{', '.join(causes)}]")
        self.causes = causes


class Draining:
    """One node on its way to be empty."""

    def __init__(self, client, node, options):
        self.client, self.node, self.options = client, node, options
        limit = seconds(options.get("timeout"), 0)
        self.limit, self.end = options.get("timeout"), time.monotonic() + limit if limit else None

    def run(self):
        """Evict every pod that has to go, and wait for its end."""
        pods = self._going()
        waiting = list(pods)
        problems = []
        if self.options.get("dry-run") == "client":
            for pod in pods:
                print(f"evicting pod {_name(pod)}{_dry(self.options)}", flush=True)
            return
        asked = set()
        while waiting:
            refused = False
            for pod in list(waiting):
                uid = pod["metadata"]["uid"]
                if uid not in asked:
                    try:
                        verdict = self._evict(pod)
                    except Failure as problem:
                        problems.append(str(problem))
                        waiting.remove(pod)
                        continue
                    if verdict == "refused":
                        refused = True
                        continue
                    asked.add(uid)
                if self.options.get("dry-run") or self._is_gone(pod):
                    waiting.remove(pod)
                    word = "deleted" if self.options.get("disable-eviction") else "evicted"
                    if not self.options.get("dry-run"):
                        print(f"pod/{pod['metadata']['name']} {word}", flush=True)
            if waiting and self.end and time.monotonic() > self.end:
                problems += [self._late(pod, pod["metadata"]["uid"] in asked) for pod in waiting]
                break
            if waiting:
                time.sleep(timing.EVICTION_RETRY if refused else 0.2)
        if problems:
            self._tell_pending(problems)
            raise Stuck(problems)

    def _tell_pending(self, problems):
        shown = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        print(f'There are pending pods in node "{self.node}" when an error occurred: {shown}', file=sys.stderr)
        for pod in self._listed():
            if not _is_daemons(pod):
                print(f"pod/{pod['metadata']['name']}", file=sys.stderr)

    def _late(self, pod, asked):
        meta = pod["metadata"]
        if asked:
            return f'error when waiting for pod "{meta["name"]}" in namespace "{meta["namespace"]}" to terminate: ' \
                f"global timeout reached: {_duration(self.limit)}"
        return f'error when evicting pods/"{meta["name"]}" -n "{meta["namespace"]}": global timeout reached: ' \
            f"{_duration(self.limit)}"

    # --- which pods ---------------------------------------------------------------------------

    def _listed(self):
        path = path_of(kinds.PODS, None, fieldSelector=f"spec.nodeName={self.node}",
                       labelSelector=self.options.get("pod-selector"))
        return self.client.json("GET", path)["items"]

    def _going(self):
        """The node's pods that have to go; a failure names those that stand in the way."""
        going, problems, warnings = [], {}, {}
        for pod in self._listed():
            if "kubernetes.io/config.mirror" in (pod["metadata"].get("annotations") or {}):
                continue
            verdict = self._verdict(pod)
            if verdict in (DAEMONS, LOCAL, ALONE):
                problems.setdefault(verdict, []).append(_name(pod))
            elif verdict:
                warnings.setdefault(verdict, []).append(_name(pod))
            if verdict in (None, "deleting Pods that declare no controller"):
                going.append(pod)
        if problems:
            raise Stuck([f"{reason}: {', '.join(pods)}" for reason, pods in sorted(problems.items())])
        if warnings:
            print("Warning: " + "; ".join(f"{reason}: {', '.join(pods)}" for reason, pods in sorted(
                warnings.items(), key=lambda pair: pair[0].startswith("deleting"))),
                  file=sys.stderr, flush=True)
        return going

    def _verdict(self, pod):
        """None for a pod that goes, a reason for one that may not, and a warning for the rest."""
        finished = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
        if _is_daemons(pod) and not finished:
            if self._owner_is_there(pod) or not self.options.get("force"):
                return "ignoring DaemonSet-managed Pods" if self.options.get("ignore-daemonsets") else DAEMONS
        local = any("emptyDir" in volume for volume in pod.get("spec", {}).get("volumes") or [])
        if local and not finished and not (
                self.options.get("delete-emptydir-data") or self.options.get("delete-local-data")):
            return LOCAL
        if not _controller(pod) and not finished:
            return "deleting Pods that declare no controller" if self.options.get("force") else ALONE
        return None

    def _owner_is_there(self, pod):
        owner = _controller(pod)
        try:
            self.client.json("GET", path_of(OWNERS[owner["kind"]], pod["metadata"]["namespace"], owner["name"]))
            return True
        except Failure as problem:
            if problem.status != 404:
                raise
            return False

    # --- one pod ------------------------------------------------------------------------------

    def _evict(self, pod):
        """Ask once; "refused" when a budget needs the pod."""
        print(f"{'deleting' if self.options.get('disable-eviction') else 'evicting'} pod {_name(pod)}"
              f"{_dry(self.options)}", flush=True)
        meta, options = pod["metadata"], self.options
        dry = "All" if options.get("dry-run") else ""
        grace = {"gracePeriodSeconds": int(options["grace-period"])} \
            if options.get("grace-period", "-1") not in ("-1", "") else {}
        try:
            if options.get("disable-eviction"):
                self.client.json("DELETE", path_of(kinds.PODS, meta["namespace"], meta["name"], dryRun=dry), grace)
            else:
                self.client.json("POST", path_of(kinds.PODS, meta["namespace"], meta["name"], "eviction"), {
                    "apiVersion": "policy/v1", "kind": "Eviction",
                    "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
                    "deleteOptions": {**grace, **({"dryRun": ["All"]} if dry else {})}})
            return "asked"
        except Failure as problem:
            if problem.status == 404:
                return "asked"
            reason = str(problem).partition(": ")[2]
            if problem.status != 429:
                raise Failure(f'error when evicting pods/"{meta["name"]}" -n "{meta["namespace"]}": {reason}') from None
            print(f'error when evicting pods/"{meta["name"]}" -n "{meta["namespace"]}" (will retry after 5s): '
                  f"{reason}", file=sys.stderr, flush=True)
            return "refused"

    def _is_gone(self, pod):
        meta = pod["metadata"]
        skip = int(self.options.get("skip-wait-for-delete-timeout") or 0)
        try:
            now = self.client.json("GET", path_of(kinds.PODS, meta["namespace"], meta["name"]))
        except Failure as problem:
            if problem.status != 404:
                raise
            return True
        return now["metadata"]["uid"] != meta["uid"] or bool(skip and now["metadata"].get("deletionTimestamp"))


def _name(pod):
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def _controller(pod):
    return next((one for one in pod["metadata"].get("ownerReferences") or [] if one.get("controller")), None)


def _is_daemons(pod):
    owner = _controller(pod)
    return owner is not None and owner["kind"] == "DaemonSet"


def _duration(text):
    """A duration as Go writes it."""
    left = int(seconds(text, 0))
    hours, minutes = left // 3600, left % 3600 // 60
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes or hours else "") + f"{left % 60}s"
