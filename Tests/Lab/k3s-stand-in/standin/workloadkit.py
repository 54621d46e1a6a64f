"""What all controllers of workloads use: one look at the data, and hands that write."""

import hashlib
import json
import math
import time

from standin import disruption, kinds, podlife
from standin.disruption import controller
from standin.objects import now

LETTERS = "bcdfghjklmnpqrstvwxz2456789"
OWNED_BY_SERVER = ("not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure", "unschedulable",
                   "network-unavailable")


def digest(value, length=10):
    """A short name of a value, in the letters that Kubernetes uses."""
    number = int.from_bytes(hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()[:12], "big")
    text = ""
    while len(text) < length:
        number, place = divmod(number, len(LETTERS))
        text += LETTERS[place]
    return text


def share(amount, whole, up):
    """An amount such as 1 or 25%."""
    if isinstance(amount, str) and amount.endswith("%"):
        part = int(amount[:-1]) * whole / 100
        return math.ceil(part) if up else math.floor(part)
    return int(amount or 0)


def condition(kind, status, reason, message, before):
    """A condition; its times move only when it changes."""
    old = next((one for one in before or [] if one["type"] == kind), {})
    same = old.get("status") == status
    new = {"type": kind, "status": status, "reason": reason, "message": message,
           "lastTransitionTime": old["lastTransitionTime"] if same else now()}
    return {**new, "lastUpdateTime": old["lastUpdateTime"] if same and old.get("reason") == reason and
            "lastUpdateTime" in old else now()}


def reference(kind, owner):
    """The ownerReference of what an object makes."""
    return {"apiVersion": kind.api_version(), "kind": kind.name, "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True}


def daemon_tolerations(spec):
    """What pods of a DaemonSet put up with, beyond what they say."""
    keys = OWNED_BY_SERVER if spec.get("hostNetwork") else OWNED_BY_SERVER[:-1]
    return [{"key": f"node.kubernetes.io/{key}", "operator": "Exists",
             "effect": "NoExecute" if key in OWNED_BY_SERVER[:2] else "NoSchedule"} for key in keys]


class World:
    """Everything the controllers look at, of one moment."""

    def __init__(self, objects):
        state = objects.state()  # asks a majority: a leader of the first second may lag behind the one before
        self.revision = state.revision
        self.nodes = objects.list(kinds.NODES, None, state)[1]
        self.pods = objects.list(kinds.PODS, None, state)[1]
        self.sets = {kind: objects.list(kind, None, state)[1] for kind in (
            kinds.DEPLOYMENTS, kinds.REPLICA_SETS, kinds.STATEFUL_SETS, kinds.DAEMON_SETS)}
        self.budgets = objects.list(kinds.BUDGETS, None, state)[1]
        self.definitions = objects.list(kinds.DEFINITIONS, None, state)[1]
        self.owned = {}
        for item in self.pods + self.sets[kinds.REPLICA_SETS]:
            owner = controller(item)
            if owner:
                self.owned.setdefault(owner["uid"], []).append(item)

    def of(self, owner):
        """What an object manages."""
        return self.owned.get(owner["metadata"]["uid"], [])


class Hands:
    """Writes for the controllers, and remembers when to look again."""

    def __init__(self, objects):
        self.objects = objects
        self.again = 0.0

    def wake(self, seconds):
        """Look again after a while, whatever happens."""
        self.again = min(self.again, time.time() + seconds)

    def set_status(self, kind, item, status):
        """Write a status that differs."""
        if item.get("status") != status:
            self.objects.update(kind, item["metadata"].get("namespace"), item["metadata"]["name"],
                                lambda old: {**old, "status": status}, "status", "kube-controller-manager")

    def make_pod(self, kind, owner, name, labels=None, node=None, generate=True):
        """Create one pod of an owner's template, for one node if a node is named."""
        template = owner["spec"]["template"]
        meta = template.get("metadata") or {}
        spec = json.loads(json.dumps(template["spec"]))
        if node:
            spec["affinity"] = {**(spec.get("affinity") or {}), "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": [
                    {"key": "metadata.name", "operator": "In", "values": [node]}]}]}}}
            spec.setdefault("tolerations", []).extend(daemon_tolerations(spec))
        self.objects.create(kinds.PODS, owner["metadata"]["namespace"], {
            "metadata": {**({"generateName": name} if generate else {"name": name}),
                         "labels": {**(meta.get("labels") or {}), **(labels or {})},
                         **({"annotations": meta["annotations"]} if meta.get("annotations") else {}),
                         "ownerReferences": [reference(kind, owner)]},
            "spec": spec}, "kube-controller-manager")

    def drop(self, pod):
        """Delete one pod."""
        self.objects.delete(kinds.PODS, pod["metadata"]["namespace"], pod["metadata"]["name"])

    def is_available(self, pod, least):
        """Whether a pod has been ready for long enough."""
        if not disruption.is_ready(pod):
            return False
        since = next(one["lastTransitionTime"] for one in pod["status"]["conditions"] if one["type"] == "Ready")
        left = podlife.moment(since) + (least or 0) - time.time()
        if least and left > 0:
            self.wake(left)
            return False
        return True
