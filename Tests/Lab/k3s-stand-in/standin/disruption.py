"""Disruption budgets: how many pods may go, and the eviction that asks them."""

import math

from standin import kinds, placing
from standin.apierror import ApiError
from standin.objects import now

REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."


def is_ready(pod):
    """Whether a pod's Ready condition holds."""
    return any(one["type"] == "Ready" and one["status"] == "True"
               for one in (pod.get("status") or {}).get("conditions") or [])


def is_active(pod):
    """Whether a pod has not ended and is not leaving."""
    return not pod["metadata"].get("deletionTimestamp") and \
        (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")


def controller(item):
    """The owner that manages an object, or None."""
    return next((one for one in item["metadata"].get("ownerReferences") or [] if one.get("controller")), None)


def chosen(budget, pods):
    """The living pods a budget speaks of."""
    selector = budget["spec"].get("selector")
    return [pod for pod in pods if pod["metadata"]["namespace"] == budget["metadata"]["namespace"]
            and placing.selects(selector, placing.labels_of(pod))]


def _share(amount, whole):
    """An amount such as 2 or 50%, rounded up as budgets do."""
    if isinstance(amount, str) and amount.endswith("%"):
        return math.ceil(int(amount[:-1]) * whole / 100)
    return int(amount)


def status_of(budget, pods, wanted):
    """The status of a budget; `wanted(pod)` is (controller's uid, the replicas it wants)."""
    spec, old = budget["spec"], budget.get("status") or {}
    mine = [pod for pod in chosen(budget, pods) if is_active(pod)]
    healthy = sum(1 for pod in mine if is_ready(pod))
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if most is not None or isinstance(least, str) and least.endswith("%"):
        expected = sum(dict(wanted(pod) for pod in mine).values())
        desired = max(0, expected - _share(most, expected)) if most is not None else _share(least, expected)
    else:
        expected, desired = len(mine), int(least or 0)
    allowed = max(0, healthy - desired) if expected > 0 else 0
    names = {pod["metadata"]["name"] for pod in mine}
    leaving = {name: stamp for name, stamp in (old.get("disruptedPods") or {}).items() if name in names}
    allowed = max(0, allowed - len(leaving))
    state, reason = ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
    before = next((one for one in old.get("conditions") or [] if one["status"] == state), None)
    return {"currentHealthy": healthy, "desiredHealthy": desired, "disruptionsAllowed": allowed,
            "expectedPods": expected, "observedGeneration": budget["metadata"].get("generation", 1),
            **({"disruptedPods": leaving} if leaving else {}),
            "conditions": [{"type": "DisruptionAllowed", "status": state, "reason": reason, "message": "",
                            "lastTransitionTime": before["lastTransitionTime"] if before else now(),
                            "observedGeneration": budget["metadata"].get("generation", 1)}]}


# --- the eviction subresource -----------------------------------------------------------------

def evict(objects, namespace, name, dry_run, options=None):
    """Delete a pod if its budget lets it go, or refuse."""
    pod = objects.get(kinds.PODS, namespace, name)
    if is_active(pod) and (pod.get("status") or {}).get("phase") != "Pending":
        budgets = [one for one in objects.list(kinds.BUDGETS, namespace)[1] if chosen(one, [pod])]
        if len(budgets) > 1:
            raise ApiError(500, "This pod has more than one PodDisruptionBudget, which the eviction subresource does "
                           "not support.")
        if budgets and not _is_sick_and_free(pod, budgets[0]):
            _spend(objects, budgets[0], name, dry_run)
    objects.delete(kinds.PODS, namespace, name, dry_run, (options or {}).get("preconditions"))


def _is_sick_and_free(pod, budget):
    """A pod that is not ready costs nothing, where the rest is healthy enough or the policy says so."""
    if is_ready(pod):
        return False
    status = budget.get("status") or {}
    return budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow" or \
        0 < status.get("desiredHealthy", 0) <= status.get("currentHealthy", 0)


def _spend(objects, budget, name, dry_run):
    meta = budget["metadata"]

    def change(old):
        status = old.get("status") or {}
        if status.get("observedGeneration", 0) < old["metadata"].get("generation", 1):
            raise _refused(f"The disruption budget {meta['name']} is still being processed by the server.")
        if status.get("disruptionsAllowed", 0) < 1:
            raise _refused(f"The disruption budget {meta['name']} needs {status.get('desiredHealthy', 0)} healthy pods "
                           f"and has {status.get('currentHealthy', 0)} currently")
        status["disruptionsAllowed"] -= 1
        status.setdefault("disruptedPods", {})[name] = now()
        old["status"] = status
        return old
    objects.update(kinds.BUDGETS, meta["namespace"], meta["name"], change, "status", dry_run=dry_run)


def _refused(reason):
    return ApiError(429, REFUSED, details={"causes": [{"reason": "DisruptionBudget", "message": reason}]})
