"""The lives of pods that nothing really runs: placed, pulled, ready, lost with their node."""

import calendar
import time

from standin import kinds, placing, quantity, timing
from standin.objects import now

BROKEN = "broken"  # an image whose name contains this never arrives


def moment(stamp):
    """A time as Kubernetes writes it, in seconds."""
    return calendar.timegm(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S"))


def home(pod):
    """The node a pod is on, or bound for by its affinity."""
    if pod["spec"].get("nodeName"):
        return pod["spec"]["nodeName"]
    terms = (((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms") or []
    for term in terms:
        for field in term.get("matchFields") or []:
            if field["key"] == "metadata.name" and len(field.get("values", [])) == 1:
                return field["values"][0]
    return None


def ready_state(node):
    """True, False or Unknown, as the node's Ready condition says."""
    return next((one["status"] for one in (node.get("status") or {}).get("conditions") or []
                 if one["type"] == "Ready"), "Unknown")


def is_jobs(pod):
    """Whether a pod is really run, by a node of its own."""
    return any(owner["kind"] == "Job" for owner in pod["metadata"].get("ownerReferences") or [])


class PodLife:
    """One look at every pod."""

    def __init__(self, objects, world):
        self.objects, self.world = objects, world
        self.nodes = {node["metadata"]["name"]: node for node in world.nodes}
        self.again = time.time() + 30.0
        self.living = [pod for pod in world.pods if (pod.get("status") or {}).get("phase") not in (
            "Succeeded", "Failed")]

    def look(self, pod):
        """Let one pod take its next step."""
        name, leaving = pod["spec"].get("nodeName"), pod["metadata"].get("deletionTimestamp")
        if name and name not in self.nodes:
            self._end(pod)  # its node was deleted
        elif is_jobs(pod):
            return
        elif not name:
            if leaving:
                self._end(pod)
            else:
                self._place(pod)
        elif ready_state(self.nodes[name]) == "Unknown":
            self._lose(pod, self.nodes[name])
        elif leaving:
            self._end(pod)
        elif not self._is_driven_out(pod, self.nodes[name]):
            self._live(pod, self.nodes[name])

    def _end(self, pod):
        self.objects.delete(kinds.PODS, pod["metadata"]["namespace"], pod["metadata"]["name"], force=True)

    def _set_status(self, pod, status):
        old = pod.get("status") or {}
        for one in status.get("conditions") or []:
            known = next((two for two in old.get("conditions") or [] if two["type"] == one["type"]), {})
            one["lastProbeTime"] = None
            one["lastTransitionTime"] = known["lastTransitionTime"] \
                if known.get("status") == one["status"] and "lastTransitionTime" in known else now()
        if old != status:
            self.objects.update(kinds.PODS, pod["metadata"]["namespace"], pod["metadata"]["name"],
                                lambda item: {**item, "status": status}, "status", "kubelet")

    # --- placing ------------------------------------------------------------------------------

    def _place(self, pod):
        """Choose the emptiest node that the pod may run on."""
        spec, meta = pod["spec"], pod["metadata"]
        load = {name: 0 for name in self.nodes}
        for other in self.living:
            if other["spec"].get("nodeName") in load:
                same = placing.labels_of(other) == placing.labels_of(pod)
                load[other["spec"]["nodeName"]] += 1000 if same else 1
        fitting = [node for node in self.world.nodes if self._has_room(spec, node)]
        for node in sorted(fitting, key=lambda one: (load[one["metadata"]["name"]], one["metadata"]["name"])):
            if placing.choose(spec, meta["namespace"], [node], self.living)[0]:
                self._bind(pod, node["metadata"]["name"])
                return
        _, reason = placing.choose(spec, meta["namespace"], self.world.nodes, self.living)
        count = len(self.world.nodes)
        reason = reason or f"0/{count} nodes are available: {count} Insufficient cpu or memory."
        self._set_status(pod, {**pod.get("status", {}), "phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": reason}]})

    def _has_room(self, spec, node):
        wanted = _requests(spec)
        have = (node.get("status") or {}).get("allocatable") or {}
        for name in wanted:
            used = sum(_requests(other["spec"]).get(name, 0) for other in self.living
                       if other["spec"].get("nodeName") == node["metadata"]["name"])
            if name in have and used + wanted[name] > quantity.value(have[name]):
                return False
        return True

    def _bind(self, pod, node):
        def change(old):
            old["spec"]["nodeName"] = node
            return old
        bound = self.objects.update(kinds.PODS, pod["metadata"]["namespace"], pod["metadata"]["name"], change,
                                    manager="kube-scheduler")
        pod["spec"] = bound["spec"]  # the next pod of this round must see it
        self._set_status(bound, {"phase": "Pending", "qosClass": "BestEffort", "conditions": [
            {"type": "PodScheduled", "status": "True"}]})

    # --- living -------------------------------------------------------------------------------

    def _live(self, pod, node):
        """What the kubelet of a living node makes of the pod."""
        status = pod.get("status") or {}
        if status.get("phase") in ("Succeeded", "Failed"):
            return
        network = ready_state(node) == "True" or pod["spec"].get("hostNetwork")
        if status.get("phase") != "Running":
            if not network:
                return
            bound = next((one.get("lastTransitionTime") for one in status.get("conditions") or []
                          if one["type"] == "PodScheduled"), None)
            start = moment(bound or pod["metadata"]["creationTimestamp"])
            if time.time() < start + timing.POD_START:
                self.again = min(self.again, start + timing.POD_START)
                return
        missing = [one for one in pod["spec"]["containers"] + (pod["spec"].get("initContainers") or [])
                   if BROKEN in one.get("image", "")]
        self._set_status(pod, self._status(pod, node, missing, status))

    def _status(self, pod, node, missing, old):
        good = "False" if missing else "True"
        names = [one["name"] for one in missing]
        why = {} if not missing else {"reason": "ContainersNotReady",
                                      "message": f"containers with unready status: [{' '.join(names)}]"}
        address = next((one["address"] for one in (node.get("status") or {}).get("addresses") or []
                        if one["type"] == "InternalIP"), "")
        start = old.get("startTime") or now()
        return {
            "phase": "Pending" if missing else "Running", "hostIP": address, "hostIPs": [{"ip": address}],
            "startTime": start, "qosClass": old.get("qosClass", "BestEffort"),
            **({} if missing else {"podIP": _address(pod, address), "podIPs": [{"ip": _address(pod, address)}]}),
            "conditions": [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": good, **why},
                           {"type": "ContainersReady", "status": good, **why},
                           {"type": "PodScheduled", "status": "True"}],
            "containerStatuses": [_container(pod, one, one in missing, start) for one in pod["spec"]["containers"]]}

    # --- losing -------------------------------------------------------------------------------

    def _lose(self, pod, node):
        """The node is silent: the pod counts as not ready, and is given up when its patience ends."""
        status = pod.get("status") or {}
        conditions = [dict(one) for one in status.get("conditions") or []]
        for one in conditions:
            if one["type"] == "Ready" and one["status"] == "True":
                one["status"] = "False"
        self._set_status(pod, {**status, "conditions": conditions})
        self._is_driven_out(pod, node)

    def _is_driven_out(self, pod, node):
        """Give up a pod that does not tolerate its node's NoExecute taints (any longer)."""
        if pod["metadata"].get("deletionTimestamp"):
            return True
        for taint in (node.get("spec") or {}).get("taints") or []:
            if taint["effect"] != "NoExecute":
                continue
            ways = [one for one in pod["spec"].get("tolerations") or [] if placing.tolerates({"tolerations": [one]},
                                                                                            taint)]
            limits = [one["tolerationSeconds"] for one in ways if one.get("tolerationSeconds") is not None]
            if ways and not limits:
                continue
            patience = min(limits) if limits else 0
            if patience == 300:
                patience = timing.POD_PATIENCE
            end = (moment(taint["timeAdded"]) if taint.get("timeAdded") else 0) + patience
            if time.time() >= end:
                self.objects.delete(kinds.PODS, pod["metadata"]["namespace"], pod["metadata"]["name"])
                return True
            self.again = min(self.again, end)
        return False


def _requests(spec):
    """What the scheduler counts for a pod."""
    total = {}
    for one in spec.get("containers") or []:
        for name, amount in ((one.get("resources") or {}).get("requests") or {}).items():
            total[name] = total.get(name, 0) + quantity.value(amount)
    return total


def _address(pod, host):
    """An address of the pod's own, always the same."""
    if pod["spec"].get("hostNetwork"):
        return host
    number = int(pod["metadata"]["uid"].replace("-", "")[:4], 16)
    return f"10.42.{number // 256 % 250}.{number % 250 + 2}"


def _container(pod, one, missing, start):
    shown = {"name": one["name"], "image": one["image"], "ready": not missing, "started": not missing,
             "restartCount": 0, "lastState": {}, "imageID": "", "state": {"running": {"startedAt": start}}}
    if missing:
        shown["state"] = {"waiting": {"reason": "ImagePullBackOff",
                                      "message": f'Back-off pulling image "{one["image"]}"'}}
    else:
        shown["imageID"] = one["image"] + "@sha256:" + "0" * 64
        shown["containerID"] = "containerd://" + pod["metadata"]["uid"].replace("-", "") * 2
    return shown
