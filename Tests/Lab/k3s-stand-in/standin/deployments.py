"""Deployments and ReplicaSets: new pods up, old pods down, as the strategy allows."""

import json
import time

from standin import disruption, kinds, placing, podlife
from standin.disruption import is_active
from standin.objects import now
from standin.workloadkit import condition, digest, reference, share

REVISION = "deployment.kubernetes.io/revision"


class ReplicaSets:
    """So many pods, wherever they fit."""

    def __init__(self, hands):
        self.hands = hands

    def sync(self, world, item):
        """Bring one set to its number."""
        if item["metadata"].get("deletionTimestamp"):
            return
        pods = [pod for pod in world.of(item) if is_active(pod)]
        missing = item["spec"]["replicas"] - len(pods)
        for _ in range(missing):
            self.hands.make_pod(kinds.REPLICA_SETS, item, item["metadata"]["name"] + "-")
        for pod in sorted(pods, key=_worth)[:max(0, -missing)]:
            self.hands.drop(pod)
        available = sum(1 for pod in pods if self.hands.is_available(pod, item["spec"].get("minReadySeconds", 0)))
        ready = sum(1 for pod in pods if disruption.is_ready(pod))
        self.hands.set_status(kinds.REPLICA_SETS, item, {
            "replicas": len(pods), "observedGeneration": item["metadata"]["generation"],
            **({"fullyLabeledReplicas": len(pods)} if pods else {}), **({"readyReplicas": ready} if ready else {}),
            **({"availableReplicas": available} if available else {})})


class Deployments:
    """One set of pods after the other."""

    def __init__(self, hands):
        self.hands, self.objects = hands, hands.objects

    def sync(self, world, item):
        """Take one rollout a step further."""
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
        self.hands.set_status(kinds.DEPLOYMENTS, item, self._deployment_status(item, current, olds))

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
                self.hands.wake(left)
                return old
            return condition("Progressing", "False", "ProgressDeadlineExceeded",
                             f'ReplicaSet "{name}" has timed out progressing.', before)
        new = condition("Progressing", "True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.', before)
        self.hands.wake(limit)
        return {**new, "lastUpdateTime": now()}


def _worth(pod):
    """Which pod goes first: not placed, then not ready, then the youngest."""
    return (bool(pod["spec"].get("nodeName")), disruption.is_ready(pod),
            -podlife.moment(pod["metadata"]["creationTimestamp"]), pod["metadata"]["name"])
