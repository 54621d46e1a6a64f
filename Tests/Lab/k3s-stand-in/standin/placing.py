"""On which node a pod may run: the scheduler's rules that Jobs need."""

UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
HOSTNAME = "kubernetes.io/hostname"


class SelectorError(Exception):
    """A selector that means nothing; the text is the API machinery's."""


def requirement_holds(requirement, labels):
    """Whether labels meet one requirement of matchExpressions."""
    key, word, values = requirement["key"], requirement.get("operator"), requirement.get("values") or []
    if word == "In":
        return labels.get(key) in values
    if word == "NotIn":
        return labels.get(key) not in values
    if word == "Exists":
        return key in labels
    if word == "DoesNotExist":
        return key not in labels
    if word in ("Gt", "Lt") and labels.get(key, "").lstrip("-").isdigit():
        return int(labels[key]) > int(values[0]) if word == "Gt" else int(labels[key]) < int(values[0])
    return False


def check_selector(selector):
    """Raise a SelectorError for a label selector that cannot be used."""
    for requirement in (selector or {}).get("matchExpressions") or []:
        word, values = requirement.get("operator"), requirement.get("values") or []
        if word not in ("In", "NotIn", "Exists", "DoesNotExist"):
            raise SelectorError(f'"{word}" is not a valid label selector operator')
        if word in ("In", "NotIn") and not values:
            raise SelectorError("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty")
        if word in ("Exists", "DoesNotExist") and values:
            raise SelectorError(f"values: Invalid value: {values}: values set must be empty for exists and "
                                "does not exist")


def selects(selector, labels):
    """Whether a label selector chooses an object with these labels; nothing chooses nothing."""
    if selector is None:
        return False
    return (selector.get("matchLabels") or {}).items() <= labels.items() and all(
        requirement_holds(one, labels) for one in selector.get("matchExpressions") or [])


def labels_of(item):
    """An object's labels, never None."""
    return item["metadata"].get("labels") or {}


def _affinity(pod, kind):
    return ((pod.get("affinity") or {}).get(kind) or {}).get("requiredDuringSchedulingIgnoredDuringExecution") or {}


def _is_wanted(pod, node):
    labels, name = labels_of(node), node["metadata"]["name"]
    if not (pod.get("nodeSelector") or {}).items() <= labels.items():
        return False
    terms = (_affinity(pod, "nodeAffinity") or {}).get("nodeSelectorTerms")
    return terms is None or any(
        all(requirement_holds(one, labels) for one in term.get("matchExpressions") or [])
        and all(requirement_holds(one, {"metadata.name": name}) for one in term.get("matchFields") or [])
        for term in terms if term.get("matchExpressions") or term.get("matchFields"))


def tolerates(pod, taint):
    """Whether a pod's spec tolerates a taint."""
    for one in pod.get("tolerations") or []:
        if one.get("effect") not in (None, "", taint["effect"]):
            continue
        if one.get("key") not in (None, "", taint["key"]):
            continue
        if one.get("operator") == "Exists" or (one.get("key") and one.get("value", "") == taint.get("value", "")):
            return True
    return False


def taints_of(node):
    """A node's taints, and the one that stands for a cordon."""
    spec = node.get("spec") or {}
    found = [taint for taint in spec.get("taints") or [] if taint["effect"] in ("NoSchedule", "NoExecute")]
    if spec.get("unschedulable") and all(taint["key"] != UNSCHEDULABLE for taint in found):
        found.append({"key": UNSCHEDULABLE, "effect": "NoSchedule"})
    return found


def _is_kept_away(pod, namespace, node, others):
    """Whether a running pod must not share the node with this one; only the hostname is a topology here."""
    near = [other for other in others if (other.get("spec") or {}).get("nodeName") == node["metadata"]["name"]
            and other["metadata"].get("namespace") == namespace]
    return any(selects(term.get("labelSelector"), labels_of(other))
               for term in _affinity(pod, "podAntiAffinity") or [] if term.get("topologyKey") == HOSTNAME
               for other in near)


def choose(pod, namespace, nodes, others):
    """(the node for a pod, None), or (None, why there is none) in the scheduler's words.

    `pod` is the spec; `others` are the pods that have not finished.
    """
    reasons = {}
    for node in sorted(nodes, key=lambda one: one["metadata"]["name"]):
        untolerated = next((taint for taint in taints_of(node) if not tolerates(pod, taint)), None)
        if not _is_wanted(pod, node):
            reason = "node(s) didn't match Pod's node affinity/selector"
        elif untolerated and untolerated["key"] == UNSCHEDULABLE:
            reason = "node(s) were unschedulable"
        elif untolerated:
            reason = f"node(s) had untolerated taint {{{untolerated['key']}: {untolerated.get('value', '')}}}"
        elif _is_kept_away(pod, namespace, node, others):
            reason = "node(s) didn't match pod anti-affinity rules"
        else:
            return node["metadata"]["name"], None
        reasons[reason] = reasons.get(reason, 0) + 1
    parts = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
    return None, f"0/{len(nodes)} nodes are available: {parts or 'no nodes available to schedule pods'}."
