"""kubectl apply, by the client's three-way merge or by the server."""

import glob
import json
import os
import sys

from standin import kubeoutput, patches
from standin.kubeclient import Failure, KubeClient, path_of

LAST = "kubectl.kubernetes.io/last-applied-configuration"


def documents(names):
    """Read the objects of files, folders and `-`."""
    import yaml
    found = []
    for name in names:
        files = sorted(path for ending in ("yaml", "yml", "json") for path in glob.glob(f"{name}/*.{ending}")) \
            if os.path.isdir(name) else [name]
        for path in files:
            try:
                text = sys.stdin.read() if path == "-" else open(path, encoding="utf-8").read()
                values = list(yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
            except OSError:
                raise Failure(f'error: the path "{path}" does not exist') from None
            except yaml.YAMLError as problem:
                raise Failure(f"error: error parsing {path}: error converting YAML to JSON: {problem}") from None
            for value in values:
                found += value["items"] if value and value.get("kind") == "List" else [value] if value else []
    if not found:
        raise Failure("error: no objects passed to apply")
    return found


def apply(_, options):
    """kubectl apply -f …; goes on after a failure and then fails."""
    client = KubeClient(options)
    if not options.get("filename"):
        raise Failure("error: must specify one of -f and -k")
    failed = None
    for item in documents(options["filename"]):
        try:
            kind = client.kind_of(item)
            name = item.get("metadata", {}).get("name")
            namespace = item["metadata"].get("namespace") or client.namespace
            work = by_server if options.get("server-side") else by_client
            done = work(client, kind, namespace, name, item, options)
            dry = " (server dry run)" if options.get("dry-run") else ""
            print(f"{kubeoutput.label(kind, name)} {done}{dry}")
        except Failure as problem:
            print(problem, file=sys.stderr)
            failed = problem
    return 1 if failed else 0


def _dry(options):
    return "All" if options.get("dry-run") else ""


def by_server(client, kind, namespace, name, item, options):
    """Let the server merge."""
    path = path_of(kind, namespace, name, fieldManager=options.get("field-manager") or "kubectl",
                   force="true" if options.get("force-conflicts") else "", dryRun=_dry(options))
    client.json("PATCH", path, item, "application/apply-patch+yaml")
    return "serverside-applied"


def by_client(client, kind, namespace, name, item, options):
    """Merge what was applied last, what is there and what is wanted."""
    item = json.loads(json.dumps(item))
    marks = item["metadata"].setdefault("annotations", {}) or {}
    marks.pop(LAST, None)
    marks[LAST] = json.dumps(item, separators=(",", ":")) + "\n"
    item["metadata"]["annotations"] = marks
    manager = options.get("field-manager") or "kubectl-client-side-apply"
    try:
        live = client.json("GET", path_of(kind, namespace, name))
    except Failure as problem:
        if problem.status != 404:
            raise
        client.json("POST", path_of(kind, namespace, fieldManager=manager, dryRun=_dry(options)), item)
        return "created"
    last = json.loads((live["metadata"].get("annotations") or {}).get(LAST) or "{}")
    patch = three_way(last, item)
    way = "application/merge-patch+json" if kind.custom else "application/strategic-merge-patch+json"
    after = client.json(
        "PATCH", path_of(kind, namespace, name, fieldManager=manager, dryRun=_dry(options)), patch, way)
    return "unchanged" if after["metadata"]["resourceVersion"] == live["metadata"]["resourceVersion"] else "configured"


def three_way(last, wanted):
    """What is wanted, with what was applied before and is not wanted any more marked for removal."""
    patch = {}
    for key, value in wanted.items():
        old = last.get(key) if isinstance(last, dict) else None
        if isinstance(value, dict):
            patch[key] = three_way(old if isinstance(old, dict) else {}, value)
        elif isinstance(value, list) and isinstance(old, list):
            patch[key] = _list(key, old, value)
        else:
            patch[key] = value
    for key in last if isinstance(last, dict) else ():
        if key not in wanted:
            patch[key] = None
    return patch


def _list(name, old, wanted):
    key = patches.list_key(name, old + wanted)
    if key is None:
        return wanted
    before = {item[key]: item for item in old}
    kept = [three_way(before.get(item[key], {}), item) for item in wanted]
    names = {item[key] for item in wanted}
    return kept + [{"$patch": "delete", key: gone} for gone in before if gone not in names]
