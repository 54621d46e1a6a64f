"""The Table form of objects: the columns kubectl shows."""

import calendar
import time

from standin import jsonpath


def table(kind, items, revision="", include="Metadata"):
    """A meta.k8s.io/v1 Table of some objects."""
    columns = columns_of(kind)
    rows = []
    for item in items:
        rows.append({"cells": [cell(item) for _, _, cell in columns], "object": _part(item, include)})
    definitions = [{"name": name, "type": "string", "format": "name" if name == "Name" else "",
                    "description": "", "priority": priority} for name, priority, _ in columns]
    return {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": str(revision)},
            "columnDefinitions": definitions, "rows": rows}


def _part(item, include):
    if include == "Object":
        return item
    if include == "None":
        return None
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": item["metadata"]}


def columns_of(kind):
    """(title, priority, function of the object) of a kind's columns."""
    own = {
        ("", "nodes"): NODE, ("", "pods"): POD, ("", "namespaces"): NAMESPACE, ("", "secrets"): SECRET,
        ("", "configmaps"): CONFIGMAP, ("apps", "deployments"): DEPLOYMENT,
        ("apps", "statefulsets"): STATEFULSET, ("apps", "replicasets"): REPLICASET, ("", "services"): SERVICE,
        ("policy", "poddisruptionbudgets"): BUDGET, ("apps", "daemonsets"): DAEMONSET,
        ("batch", "jobs"): JOB, ("coordination.k8s.io", "leases"): LEASE,
        ("apiextensions.k8s.io", "customresourcedefinitions"): DEFINITION,
    }.get((kind.group, kind.plural))
    if own:
        return own
    if kind.columns:
        return [NAME] + [_custom(column) for column in kind.columns]
    return [NAME, AGE]


def _custom(column):
    def cell(item):
        found = jsonpath.evaluate(column["jsonPath"], item, item)
        item = found[0] if found else None
        if column.get("type") == "date":
            return age(item)
        return "" if item is None else item if isinstance(item, (int, float)) else str(item)
    return (column["name"], column.get("priority", 0), cell)


def age(stamp):
    """How long ago, as kubectl writes durations."""
    if not stamp:
        return "<unknown>"
    seconds = max(0, int(time.time() - calendar.timegm(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S"))))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    return f"{days}d"


def _meta(name):
    return lambda item: item["metadata"].get(name, "")


def _path(*names, default="<none>"):
    def cell(item):
        for name in names:
            item = item.get(name) if isinstance(item, dict) else None
        return default if item in (None, "") else item
    return cell


def node_status(node):
    """Ready, NotReady or Unknown, and whether it may be scheduled on."""
    ready = next((condition["status"] for condition in node.get("status", {}).get("conditions", [])
                  if condition["type"] == "Ready"), None)
    words = ["Unknown" if ready is None else "Ready" if ready == "True" else "NotReady"]
    if node.get("spec", {}).get("unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def _roles(node):
    prefix = "node-role.kubernetes.io/"
    roles = sorted(label[len(prefix):] for label in node["metadata"].get("labels", {}) if label.startswith(prefix))
    return ",".join(roles) or "<none>"


def _address(kind):
    def cell(node):
        found = [address["address"] for address in node.get("status", {}).get("addresses", [])
                 if address["type"] == kind]
        return found[0] if found else "<none>"
    return cell


def _info(name):
    return _path("status", "nodeInfo", name, default="<unknown>")


def _pod_ready(pod):
    statuses = pod.get("status", {}).get("containerStatuses", [])
    ready = sum(1 for status in statuses if status.get("ready"))
    return f"{ready}/{len(pod.get('spec', {}).get('containers', []))}"


def _pod_status(pod):
    """The phase, or what says more: why a container waits, or that the pod is leaving."""
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating"
    status = pod.get("status") or {}
    for one in status.get("containerStatuses") or []:
        waiting = (one.get("state") or {}).get("waiting") or {}
        if waiting.get("reason"):
            return waiting["reason"]
    return "Completed" if status.get("phase") == "Succeeded" else status.get("reason") or status.get("phase", "")


def _service_ports(item):
    ports = [f'{one["port"]}{":" + str(one["nodePort"]) if one.get("nodePort") else ""}/{one.get("protocol", "TCP")}'
             for one in item.get("spec", {}).get("ports") or []]
    return ",".join(ports) or "<none>"


def _external(item):
    found = [one.get("ip") or one.get("hostname") for one in
             ((item.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []]
    waits = item.get("spec", {}).get("type") == "LoadBalancer"
    return ",".join(found) or ("<pending>" if waits else "<none>")


def _ready_of(workload):
    status = workload.get("status", {})
    return f"{status.get('readyReplicas', 0)}/{workload.get('spec', {}).get('replicas', 1)}"


def _count(*names):
    return _path(*names, default=0)


NAME = ("Name", 0, _meta("name"))
AGE = ("Age", 0, lambda item: age(item["metadata"].get("creationTimestamp")))
NODE = [
    NAME, ("Status", 0, node_status), ("Roles", 0, _roles), AGE,
    ("Version", 0, _info("kubeletVersion")),
    ("Internal-IP", 1, _address("InternalIP")), ("External-IP", 1, _address("ExternalIP")),
    ("OS-Image", 1, _info("osImage")), ("Kernel-Version", 1, _info("kernelVersion")),
    ("Container-Runtime", 1, _info("containerRuntimeVersion")),
]
POD = [
    NAME, ("Ready", 0, _pod_ready), ("Status", 0, _pod_status),
    ("Restarts", 0, lambda pod: "0"), AGE,
    ("IP", 1, _path("status", "podIP")), ("Node", 1, _path("spec", "nodeName")),
]
NAMESPACE = [NAME, ("Status", 0, _path("status", "phase")), AGE]
SECRET = [NAME, ("Type", 0, _path("type")), ("Data", 0, lambda item: len(item.get("data") or {})), AGE]
CONFIGMAP = [NAME, ("Data", 0, lambda item: len(item.get("data") or {})), AGE]
DEPLOYMENT = [
    NAME, ("Ready", 0, _ready_of), ("Up-to-date", 0, _count("status", "updatedReplicas")),
    ("Available", 0, _count("status", "availableReplicas")), AGE,
]
DAEMONSET = [
    NAME, ("Desired", 0, _count("status", "desiredNumberScheduled")),
    ("Current", 0, _count("status", "currentNumberScheduled")), ("Ready", 0, _count("status", "numberReady")),
    ("Up-to-date", 0, _count("status", "updatedNumberScheduled")),
    ("Available", 0, _count("status", "numberAvailable")), ("Node Selector", 0, lambda item: ",".join(
        f"{key}={value}" for key, value in sorted((item.get("spec", {}).get("template", {}).get("spec", {}).get(
            "nodeSelector") or {}).items())) or "<none>"), AGE,
]
STATEFULSET = [NAME, ("Ready", 0, _ready_of), AGE]
REPLICASET = [NAME, ("Desired", 0, _count("spec", "replicas")), ("Current", 0, _count("status", "replicas")),
              ("Ready", 0, _count("status", "readyReplicas")), AGE]
SERVICE = [NAME, ("Type", 0, _path("spec", "type")), ("Cluster-IP", 0, _path("spec", "clusterIP")),
           ("External-IP", 0, _external), ("Port(s)", 0, _service_ports), AGE]
BUDGET = [NAME, ("Min Available", 0, _path("spec", "minAvailable", default="N/A")),
          ("Max Unavailable", 0, _path("spec", "maxUnavailable", default="N/A")),
          ("Allowed Disruptions", 0, _count("status", "disruptionsAllowed")), AGE]
JOB = [
    NAME, ("Completions", 0, lambda job: f"{job.get('status', {}).get('succeeded', 0)}/"
           f"{job.get('spec', {}).get('completions', 1)}"), AGE,
]
LEASE = [NAME, ("Holder", 0, _path("spec", "holderIdentity", default="")), AGE]
DEFINITION = [NAME, ("Created At", 0, lambda item: item["metadata"].get("creationTimestamp", ""))]
