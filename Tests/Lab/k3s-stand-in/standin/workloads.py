"""The leader's controllers of Deployments, ReplicaSets, StatefulSets, DaemonSets and their pods.

One thread looks at everything whenever the data changed, works out what should be, and writes only
what differs. Pods of Jobs are somebody else's; every other pod is scheduled here and its life is played.
"""

import hashlib
import json
import math
import time

from standin import disruption, kinds, log, placing, podlife, raft, timing
from standin.apierror import ApiError
from standin.datastore import Unavailable
from standin.disruption import controller, is_active
from standin.objects import now

LETTERS = "bcdfghjklmnpqrstvwxz2456789"
REVISION = "deployment.kubernetes.io/revision"
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


class World:
    """Everything the controllers look at, of one moment."""

    def __init__(self, objects):
        state = objects.datastore.state
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


class Workloads:
    """Works on the leader."""

    def __init__(self, objects):
        self.objects = objects
        self.seen, self.again = None, 0.0

    def run(self):
        """Work for ever; a lost majority only means to try again."""
        while True:
            time.sleep(timing.WORKLOAD_PERIOD)
            try:
                self.step()
            except (ApiError, Unavailable):
                continue
            except Exception as problem:  # one odd object must not stop the work on all others
                log.error(f"error syncing workloads: {type(problem).__name__}: {problem}")

    def step(self):
        """One round, when something changed or a moment has come."""
        if self.objects.datastore.member.role != raft.LEADER:
            self.seen = None
            return
        if self.objects.datastore.state.revision == self.seen and time.time() < self.again:
            return
        world = World(self.objects)
        self.again = time.time() + 30.0
        parts = [(self._establish, world.definitions), (self._deployment, world.sets[kinds.DEPLOYMENTS]),
                 (self._replica_set, world.sets[kinds.REPLICA_SETS]),
                 (self._stateful_set, world.sets[kinds.STATEFUL_SETS]),
                 (self._daemon_set, world.sets[kinds.DAEMON_SETS])]
        for part, items in parts:
            for item in items:
                self._each(part, world, item)
        life = podlife.PodLife(self.objects, world)
        for pod in world.pods:
            self._each(lambda _, one: life.look(one), world, pod)
        for budget in world.budgets:
            self._each(self._budget, world, budget)
        self._collect(world)
        self.again = min(self.again, life.again)
        self.seen = world.revision

    def _each(self, part, world, item):
        try:
            part(world, item)
        except ApiError as problem:
            if problem.code not in (404, 409):
                meta = item["metadata"]
                log.error(f'error syncing "{meta.get("namespace", "")}/{meta["name"]}": {problem}')

    def wake(self, seconds):
        """Look again after a while, whatever happens."""
        self.again = min(self.again, time.time() + seconds)

    # --- writing ------------------------------------------------------------------------------

    def _set_status(self, kind, item, status):
        if item.get("status") != status:
            self.objects.update(kind, item["metadata"].get("namespace"), item["metadata"]["name"],
                                lambda old: {**old, "status": status}, "status", "kube-controller-manager")

    def _make_pod(self, kind, owner, name, labels=None, node=None, generate=True):
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

    def _drop(self, pod):
        self.objects.delete(kinds.PODS, pod["metadata"]["namespace"], pod["metadata"]["name"])

    # --- Deployments --------------------------------------------------------------------------

    def _deployment(self, world, item):
        if item["metadata"].get("deletionTimestamp"):
            return
        spec, meta = item["spec"], item["metadata"]
        mine = digest(spec["template"])
        olds = [one for one in world.of(item) if one["kind"] == "ReplicaSet"]
        current = next((one for one in olds if placing.labels_of(one).get("pod-template-hash") == mine), None)
        olds = [one for one in olds if one is not current]
        if not spec.get("paused") and current is None:
            self._new_set(item, mine, olds)
        elif current is not None:
            self._roll(spec, current, olds)
            self._forget(spec, olds)
        number = ((current or {"metadata": {}})["metadata"].get("annotations") or {}).get(REVISION)
        if number and (meta.get("annotations") or {}).get(REVISION) != number:
            def note(old):
                old["metadata"].setdefault("annotations", {})[REVISION] = number
                return old
            self.objects.update(kinds.DEPLOYMENTS, meta["namespace"], meta["name"], note)
        self._set_status(kinds.DEPLOYMENTS, item, self._deployment_status(item, current, olds))

    def _new_set(self, item, mine, olds):
        meta, spec = item["metadata"], item["spec"]
        number = 1 + max([int((one["metadata"].get("annotations") or {}).get(REVISION, 0)) for one in olds] or [0])
        extra = {"pod-template-hash": mine}
        template = json.loads(json.dumps(spec["template"]))
        template["metadata"]["labels"] = {**template["metadata"].get("labels", {}), **extra}
        before = sum(one["spec"]["replicas"] for one in olds)
        surge = share((spec["strategy"].get("rollingUpdate") or {}).get("maxSurge"), spec["replicas"], True)
        first = max(0, spec["replicas"] + surge - before) if before else spec["replicas"]
        if spec["strategy"]["type"] == "Recreate" and before:
            first = 0
        self.objects.create(kinds.REPLICA_SETS, meta["namespace"], {
            "metadata": {"name": f'{meta["name"]}-{mine}', "labels": template["metadata"]["labels"],
                         "annotations": {REVISION: str(number)}, "ownerReferences": [
                             reference(kinds.DEPLOYMENTS, item)]},
            "spec": {"replicas": min(first, spec["replicas"]), "minReadySeconds": spec.get("minReadySeconds", 0),
                     "selector": {**spec["selector"],
                                  "matchLabels": {**(spec["selector"].get("matchLabels") or {}), **extra}},
                     "template": template}}, "kube-controller-manager")

    def _roll(self, spec, current, olds):
        """Bring the new set up and the old ones down, within what the strategy allows."""
        wanted, running = spec["replicas"], [one for one in olds if one["spec"]["replicas"]]
        if spec.get("paused"):
            if not running:
                self._scale(current, wanted)
            return
        if spec["strategy"]["type"] == "Recreate":
            for one in running:
                self._scale(one, 0)
            if not running and not any((one.get("status") or {}).get("replicas") for one in olds):
                self._scale(current, wanted)
            return
        rolling = spec["strategy"].get("rollingUpdate") or {}
        surge = share(rolling.get("maxSurge"), wanted, True)
        missing = share(rolling.get("maxUnavailable"), wanted, False) or (0 if surge else 1)
        total = current["spec"]["replicas"] + sum(one["spec"]["replicas"] for one in running)
        new = wanted if not running else min(wanted, current["spec"]["replicas"] + max(0, wanted + surge - total))
        self._scale(current, max(new, min(current["spec"]["replicas"], wanted)))
        ready = {one["metadata"]["uid"]: (one.get("status") or {}).get("availableReplicas", 0)
                 for one in [current, *running]}
        room = total - (wanted - missing) - (current["spec"]["replicas"] - ready[current["metadata"]["uid"]])
        for one in running:  # pods that never came up go first: nobody misses them
            sick = max(0, one["spec"]["replicas"] - ready[one["metadata"]["uid"]])
            less = max(0, min(one["spec"]["replicas"], max(room, 0), max(sick, 0)))
            less = max(less, min(one["spec"]["replicas"], sum(ready.values()) - (wanted - missing), room))
            if less > 0:
                self._scale(one, one["spec"]["replicas"] - less)
                room -= less
                ready[one["metadata"]["uid"]] -= max(0, less - sick)

    def _scale(self, one, replicas):
        if one["spec"]["replicas"] == replicas:
            return

        def change(old):
            old["spec"]["replicas"] = replicas
            return old
        self.objects.update(kinds.REPLICA_SETS, one["metadata"]["namespace"], one["metadata"]["name"], change,
                            manager="kube-controller-manager")

    def _forget(self, spec, olds):
        idle = sorted((one for one in olds if not one["spec"]["replicas"] and not (one.get("status") or {}).get(
            "replicas")), key=lambda one: int((one["metadata"].get("annotations") or {}).get(REVISION, 0)))
        for one in idle[:max(0, len(idle) - spec.get("revisionHistoryLimit", 10))]:
            self.objects.delete(kinds.REPLICA_SETS, one["metadata"]["namespace"], one["metadata"]["name"])

    def _deployment_status(self, item, current, olds):
        spec, old, meta = item["spec"], item.get("status") or {}, item["metadata"]
        sets = [one for one in [current, *olds] if one]
        count = {name: sum((one.get("status") or {}).get(name, 0) for one in sets)
                 for name in ("replicas", "readyReplicas", "availableReplicas")}
        updated = (current or {}).get("status", {}).get("replicas", 0)
        wanted = spec["replicas"]
        rolling = spec["strategy"].get("rollingUpdate") or {}
        least = wanted - share(rolling.get("maxUnavailable"), wanted, False)
        status = {"observedGeneration": meta["generation"], **{key: value for key, value in count.items() if value}}
        if updated:
            status["updatedReplicas"] = updated
        if count["availableReplicas"] < wanted:
            status["unavailableReplicas"] = wanted - count["availableReplicas"]
        good = count["availableReplicas"] >= least
        before = old.get("conditions")
        status["conditions"] = [condition(
            "Available", "True" if good else "False",
            "MinimumReplicasAvailable" if good else "MinimumReplicasUnavailable",
            f"Deployment {'has' if good else 'does not have'} minimum availability.", before)]
        status["conditions"].append(self._progress(item, status, current, wanted, before))
        return status

    def _progress(self, item, status, current, wanted, before):
        name = current["metadata"]["name"] if current else ""
        old = next((one for one in before or [] if one["type"] == "Progressing"), {})
        done = status.get("updatedReplicas", 0) == wanted == status.get("availableReplicas", 0) == \
            status.get("replicas", 0)
        if done and current:
            return condition("Progressing", "True", "NewReplicaSetAvailable",
                             f'ReplicaSet "{name}" has successfully progressed.', before)
        if old.get("reason") == "NewReplicaSetAvailable" and name and f'"{name}"' in old["message"]:
            return old  # a rollout that once was done is not begun again by a pod that falls
        counts = [status.get(key, 0) for key in ("updatedReplicas", "readyReplicas", "availableReplicas", "replicas")]
        was = [(item.get("status") or {}).get(key, 0)
               for key in ("updatedReplicas", "readyReplicas", "availableReplicas", "replicas")]
        limit = item["spec"].get("progressDeadlineSeconds", 600)
        if old and was == counts and f'"{name}"' in old.get("message", ""):
            left = podlife.moment(old["lastUpdateTime"]) + limit - time.time()
            if left > 0:
                self.wake(left)
                return old
            return condition("Progressing", "False", "ProgressDeadlineExceeded",
                             f'ReplicaSet "{name}" has timed out progressing.', before)
        new = condition("Progressing", "True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.', before)
        self.wake(limit)
        return {**new, "lastUpdateTime": now()}

    # --- ReplicaSets --------------------------------------------------------------------------

    def _replica_set(self, world, item):
        if item["metadata"].get("deletionTimestamp"):
            return
        pods = [pod for pod in world.of(item) if is_active(pod)]
        missing = item["spec"]["replicas"] - len(pods)
        for _ in range(missing):
            self._make_pod(kinds.REPLICA_SETS, item, item["metadata"]["name"] + "-")
        for pod in sorted(pods, key=_worth)[:max(0, -missing)]:
            self._drop(pod)
        available = sum(1 for pod in pods if self._is_available(pod, item["spec"].get("minReadySeconds", 0)))
        ready = sum(1 for pod in pods if disruption.is_ready(pod))
        self._set_status(kinds.REPLICA_SETS, item, {
            "replicas": len(pods), "observedGeneration": item["metadata"]["generation"],
            **({"fullyLabeledReplicas": len(pods)} if pods else {}), **({"readyReplicas": ready} if ready else {}),
            **({"availableReplicas": available} if available else {})})

    def _is_available(self, pod, least):
        """Whether a pod has been ready for long enough."""
        if not disruption.is_ready(pod):
            return False
        since = next(one["lastTransitionTime"] for one in pod["status"]["conditions"] if one["type"] == "Ready")
        left = podlife.moment(since) + (least or 0) - time.time()
        if least and left > 0:
            self.wake(left)
            return False
        return True

    # --- StatefulSets -------------------------------------------------------------------------

    def _stateful_set(self, world, item):
        if item["metadata"].get("deletionTimestamp"):
            return
        spec, meta, old = item["spec"], item["metadata"], item.get("status") or {}
        update = f'{meta["name"]}-{digest(spec["template"])}'
        current = old.get("currentRevision") or update
        pods = {pod["metadata"]["name"]: pod for pod in world.of(item)}
        names = [f'{meta["name"]}-{place}' for place in range(spec["replicas"])]
        self._order(item, pods, names, update, current)
        living = [pod for name, pod in pods.items() if name in names]
        updated = sum(1 for pod in living if _revision(pod) == update)
        ready = sum(1 for pod in living if disruption.is_ready(pod) and is_active(pod))
        if updated == len(names) == ready:
            current = update
        available = sum(1 for pod in living if is_active(pod) and self._is_available(pod, spec.get("minReadySeconds")))
        self._set_status(kinds.STATEFUL_SETS, item, {
            "observedGeneration": meta["generation"], "replicas": len(pods), "collisionCount": 0,
            "availableReplicas": available, **({"readyReplicas": ready} if ready else {}),
            **({"updatedReplicas": updated} if updated else {}),
            **({"currentReplicas": len(living) if current == update else len(living) - updated} if living else {}),
            "currentRevision": current, "updateRevision": update})

    def _order(self, item, pods, names, update, current):
        """Make pods from the first to the last, take them away from the last to the first, one at a time."""
        spec, parallel = item["spec"], item["spec"].get("podManagementPolicy") == "Parallel"
        partition = (spec["updateStrategy"].get("rollingUpdate") or {}).get("partition") or 0
        for place, name in enumerate(names):
            pod = pods.get(name)
            if pod is None:
                revision = current if place < partition else update
                self._make_pod(kinds.STATEFUL_SETS, item, name, {
                    "statefulset.kubernetes.io/pod-name": name, "apps.kubernetes.io/pod-index": str(place),
                    "controller-revision-hash": revision}, generate=False)
            elif pod["status"].get("phase") == "Failed":
                self._drop(pod)
            if not parallel and (pod is None or not disruption.is_ready(pod) or not is_active(pod)) and not (
                    pod and is_active(pod) and _revision(pod) != update and place >= partition):
                return  # a pod of an older revision that never gets ready may be replaced
        for name in sorted((one for one in pods if one not in names), key=_ordinal, reverse=True):
            if is_active(pods[name]):
                self._drop(pods[name])
            if not parallel:
                return
        if spec["updateStrategy"]["type"] != "RollingUpdate":
            return
        for place in range(len(names) - 1, partition - 1, -1):
            pod = pods.get(names[place])
            if pod is None or not is_active(pod):
                return
            if _revision(pod) != update:
                self._drop(pod)
                return
            if not disruption.is_ready(pod):
                return

    # --- DaemonSets ---------------------------------------------------------------------------

    def _daemon_set(self, world, item):
        if item["metadata"].get("deletionTimestamp"):
            return
        spec, meta = item["spec"], item["metadata"]
        mine = digest(spec["template"])
        pod_spec = {**spec["template"]["spec"]}
        pod_spec["tolerations"] = (pod_spec.get("tolerations") or []) + daemon_tolerations(pod_spec)
        by_node, spare = {}, []
        for pod in world.of(item):
            home = podlife.home(pod)
            (by_node.setdefault(home, []) if home else spare).append(pod)
        wanted = [node["metadata"]["name"] for node in world.nodes
                  if placing.choose(pod_spec, meta["namespace"], [node], [])[0]]
        staying = {node["metadata"]["name"] for node in world.nodes
                   if placing.choose(pod_spec, meta["namespace"], [_without_hints(node)], [])[0]}
        for name in wanted:
            if not by_node.get(name):
                self._make_pod(kinds.DAEMON_SETS, item, meta["name"] + "-",
                               {"controller-revision-hash": mine, "pod-template-generation": str(meta["generation"])},
                               name)
        for name, pods in by_node.items():
            for pod in pods[0 if name not in wanted and name not in staying else 1:]:
                if is_active(pod):
                    self._drop(pod)
            for pod in pods:
                if pod["status"].get("phase") in ("Failed", "Succeeded"):
                    self._drop(pod)
        homes = [by_node[name][0] for name in wanted if by_node.get(name)]
        homes = [pod for pod in homes if is_active(pod)]
        self._renew(spec, homes, mine, len(wanted))
        ready = sum(1 for pod in homes if disruption.is_ready(pod))
        available = sum(1 for pod in homes if self._is_available(pod, spec.get("minReadySeconds")))
        fresh = sum(1 for pod in homes if placing.labels_of(pod).get("controller-revision-hash") == mine)
        self._set_status(kinds.DAEMON_SETS, item, {
            "currentNumberScheduled": len(homes), "desiredNumberScheduled": len(wanted), "numberReady": ready,
            "numberMisscheduled": sum(1 for name in by_node if name not in wanted),
            "observedGeneration": meta["generation"], **({"updatedNumberScheduled": fresh} if fresh else {}),
            **({"numberAvailable": available} if available else {}),
            **({"numberUnavailable": len(wanted) - available} if available < len(wanted) else {})})

    def _renew(self, spec, homes, mine, wanted):
        if spec["updateStrategy"]["type"] != "RollingUpdate":
            return
        most = share((spec["updateStrategy"].get("rollingUpdate") or {}).get("maxUnavailable", 1), wanted, True) or 1
        old = [pod for pod in homes if placing.labels_of(pod).get("controller-revision-hash") != mine]
        room = most - (wanted - sum(1 for pod in homes if disruption.is_ready(pod)))
        for pod in sorted(old, key=disruption.is_ready):
            if not disruption.is_ready(pod):
                self._drop(pod)  # it is missing already
            elif room > 0:
                self._drop(pod)
                room -= 1

    # --- the rest -----------------------------------------------------------------------------

    def _establish(self, _, item):
        """Serve a new CustomResourceDefinition a moment after it was made."""
        if kinds.is_established(item):
            return
        names = item["spec"]["names"]
        status = {**(item.get("status") or {}), "acceptedNames": names, "conditions": [
            {"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now()}
            for kind, reason, message in (
                ("NamesAccepted", "NoConflicts", "no conflicts found"),
                ("Established", "InitialNamesAccepted", "the initial names have been accepted"))]}
        self._set_status(kinds.DEFINITIONS, item, status)

    def _budget(self, world, item):
        replicas = {one["metadata"]["uid"]: one["spec"].get("replicas", 1)
                    for kind in (kinds.REPLICA_SETS, kinds.STATEFUL_SETS) for one in world.sets[kind]}

        def wanted(pod):
            owner = controller(pod)
            uid = owner["uid"] if owner else pod["metadata"]["uid"]
            return uid, replicas.get(uid, 1)
        self._set_status(kinds.BUDGETS, item, disruption.status_of(item, world.pods, wanted))

    def _collect(self, world):
        """What belonged to a workload that is gone goes too."""
        there = {one["metadata"]["uid"] for items in world.sets.values() for one in items}
        for item in world.pods + world.sets[kinds.REPLICA_SETS]:
            owner = controller(item)
            if owner and owner["kind"] in ("ReplicaSet", "Deployment", "StatefulSet", "DaemonSet") and \
                    owner["uid"] not in there:
                kind = kinds.PODS if item["kind"] == "Pod" else kinds.REPLICA_SETS
                self._each(lambda _, one, kind=kind: self.objects.delete(
                    kind, one["metadata"]["namespace"], one["metadata"]["name"]), world, item)


def reference(kind, owner):
    """The ownerReference of what an object makes."""
    return {"apiVersion": kind.api_version(), "kind": kind.name, "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True}


def daemon_tolerations(spec):
    """What pods of a DaemonSet put up with, beyond what they say."""
    keys = OWNED_BY_SERVER if spec.get("hostNetwork") else OWNED_BY_SERVER[:-1]
    return [{"key": f"node.kubernetes.io/{key}", "operator": "Exists",
             "effect": "NoExecute" if key in OWNED_BY_SERVER[:2] else "NoSchedule"} for key in keys]


def _without_hints(node):
    """A node without the taints that only keep new pods away."""
    spec = node.get("spec") or {}
    return {**node, "spec": {"taints": [one for one in spec.get("taints") or [] if one["effect"] == "NoExecute"]}}


def _worth(pod):
    """Which pod goes first: not placed, then not ready, then the youngest."""
    return (bool(pod["spec"].get("nodeName")), disruption.is_ready(pod),
            -podlife.moment(pod["metadata"]["creationTimestamp"]), pod["metadata"]["name"])


def _revision(pod):
    return placing.labels_of(pod).get("controller-revision-hash")


def _ordinal(name):
    return int(name.rpartition("-")[2])
