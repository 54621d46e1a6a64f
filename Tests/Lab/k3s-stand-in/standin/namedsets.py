"""StatefulSets, whose pods have names and an order, and DaemonSets, whose pods have nodes."""

from standin import disruption, kinds, placing, podlife
from standin.disruption import is_active
from standin.workloadkit import daemon_tolerations, digest, share


class StatefulSets:
    """Pods from 0 upwards."""

    def __init__(self, hands):
        self.hands = hands

    def sync(self, world, item):
        """Take one set a step further."""
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
        available = sum(1 for pod in living
                        if is_active(pod) and self.hands.is_available(pod, spec.get("minReadySeconds")))
        self.hands.set_status(kinds.STATEFUL_SETS, item, {
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
                self.hands.make_pod(kinds.STATEFUL_SETS, item, name, {
                    "statefulset.kubernetes.io/pod-name": name, "apps.kubernetes.io/pod-index": str(place),
                    "controller-revision-hash": revision}, generate=False)
            elif pod["status"].get("phase") == "Failed":
                self.hands.drop(pod)
            if not parallel and (pod is None or not disruption.is_ready(pod) or not is_active(pod)) and not (
                    pod and is_active(pod) and _revision(pod) != update and place >= partition):
                return  # a pod of an older revision that never gets ready may be replaced
        for name in sorted((one for one in pods if one not in names), key=_ordinal, reverse=True):
            if is_active(pods[name]):
                self.hands.drop(pods[name])
            if not parallel:
                return
        if spec["updateStrategy"]["type"] != "RollingUpdate":
            return
        for place in range(len(names) - 1, partition - 1, -1):
            pod = pods.get(names[place])
            if pod is None or not is_active(pod):
                return
            if _revision(pod) != update:
                self.hands.drop(pod)
                return
            if not disruption.is_ready(pod):
                return


class DaemonSets:
    """A pod on every node that it may run on."""

    def __init__(self, hands):
        self.hands = hands

    def sync(self, world, item):
        """Take one set a step further."""
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
                self.hands.make_pod(kinds.DAEMON_SETS, item, meta["name"] + "-",
                               {"controller-revision-hash": mine, "pod-template-generation": str(meta["generation"])},
                               name)
        for name, pods in by_node.items():
            for pod in pods[0 if name not in wanted and name not in staying else 1:]:
                if is_active(pod):
                    self.hands.drop(pod)
            for pod in pods:
                if pod["status"].get("phase") in ("Failed", "Succeeded"):
                    self.hands.drop(pod)
        homes = [by_node[name][0] for name in wanted if by_node.get(name)]
        homes = [pod for pod in homes if is_active(pod)]
        self._renew(spec, homes, mine, len(wanted))
        ready = sum(1 for pod in homes if disruption.is_ready(pod))
        available = sum(1 for pod in homes if self.hands.is_available(pod, spec.get("minReadySeconds")))
        fresh = sum(1 for pod in homes if placing.labels_of(pod).get("controller-revision-hash") == mine)
        self.hands.set_status(kinds.DAEMON_SETS, item, {
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
                self.hands.drop(pod)  # it is missing already
            elif room > 0:
                self.hands.drop(pod)
                room -= 1


def _without_hints(node):
    """A node without the taints that only keep new pods away."""
    spec = node.get("spec") or {}
    return {**node, "spec": {"taints": [one for one in spec.get("taints") or [] if one["effect"] == "NoExecute"]}}


def _revision(pod):
    return placing.labels_of(pod).get("controller-revision-hash")


def _ordinal(name):
    return int(name.rpartition("-")[2])
