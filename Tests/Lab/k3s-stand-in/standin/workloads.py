"""The leader's controllers of Deployments, ReplicaSets, StatefulSets, DaemonSets and their pods.

One thread looks at everything whenever the data changed, works out what should be, and writes only
what differs. Pods of Jobs are somebody else's; every other pod is scheduled here and its life is played.
"""

import time

from standin import deployments, disruption, kinds, log, namedsets, podlife, raft, timing, workloadkit
from standin.apierror import ApiError
from standin.datastore import Unavailable
from standin.disruption import controller
from standin.objects import now


class Workloads:
    """Works on the leader."""

    def __init__(self, objects):
        self.objects, self.hands = objects, workloadkit.Hands(objects)
        self.seen = None
        self.parts = [
            (deployments.Deployments(self.hands).sync, kinds.DEPLOYMENTS),
            (deployments.ReplicaSets(self.hands).sync, kinds.REPLICA_SETS),
            (namedsets.StatefulSets(self.hands).sync, kinds.STATEFUL_SETS),
            (namedsets.DaemonSets(self.hands).sync, kinds.DAEMON_SETS)]

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
        if self.objects.datastore.state.revision == self.seen and time.time() < self.hands.again:
            return
        world = workloadkit.World(self.objects)
        self.hands.again = time.time() + 30.0
        for item in world.definitions:
            self._each(self._establish, world, item)
        for part, kind in self.parts:
            for item in world.sets[kind]:
                self._each(part, world, item)
        life = podlife.PodLife(self.objects, world)
        for pod in world.pods:
            self._each(lambda _, one: life.look(one), world, pod)
        for budget in world.budgets:
            self._each(self._budget, world, budget)
        self._collect(world)
        self.hands.again = min(self.hands.again, life.again)
        self.seen = world.revision

    def _each(self, part, world, item):
        try:
            part(world, item)
        except ApiError as problem:
            if problem.code not in (404, 409):
                meta = item["metadata"]
                log.error(f'error syncing "{meta.get("namespace", "")}/{meta["name"]}": {problem}')

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
        self.hands.set_status(kinds.DEFINITIONS, item, status)

    def _budget(self, world, item):
        replicas = {one["metadata"]["uid"]: one["spec"].get("replicas", 1)
                    for kind in (kinds.REPLICA_SETS, kinds.STATEFUL_SETS) for one in world.sets[kind]}

        def wanted(pod):
            owner = controller(pod)
            uid = owner["uid"] if owner else pod["metadata"]["uid"]
            return uid, replicas.get(uid, 1)
        self.hands.set_status(kinds.BUDGETS, item, disruption.status_of(item, world.pods, wanted))

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
