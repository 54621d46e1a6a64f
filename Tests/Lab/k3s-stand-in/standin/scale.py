"""The scale subresource: a workload seen as a number of replicas."""

from standin import patches
from standin.apierror import no_such_path

SCALED = ("deployments", "statefulsets", "replicasets")


def of(item):
    """A workload as a Scale."""
    meta = item["metadata"]
    labels = (item["spec"].get("selector") or {}).get("matchLabels") or {}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1",
            "metadata": {key: meta[key] for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
                         if key in meta},
            "spec": {"replicas": item["spec"].get("replicas", 0)},
            "status": {"replicas": (item.get("status") or {}).get("replicas", 0),
                       "selector": ",".join(f"{key}={labels[key]}" for key in sorted(labels))}}


def serve(objects, aim, method, body, manager, dry_run):
    """Read or change the number; returns the Scale."""
    if aim.kind.plural not in SCALED or method not in ("GET", "PUT", "PATCH"):
        raise no_such_path()
    if method == "GET":
        return of(objects.get(aim.kind, aim.namespace, aim.name))

    def change(old):
        wanted = body if method == "PUT" else patches.json_patch(of(old), body) if isinstance(body, list) else \
            patches.merge(of(old), body)
        old["spec"]["replicas"] = wanted["spec"]["replicas"]
        return old
    return of(objects.update(aim.kind, aim.namespace, aim.name, change, "", manager, dry_run))
