"""kubectl's commands that read or change single objects."""

import json
import sys

from standin import kubeapply, kubedrain, kubeoutput, kuberollout
from standin.kubeclient import Failure, KubeClient, path_of, seconds
from standin.kubeget import chosen, expanded, fetch, get
from standin.kuberollout import wait_gone
from standin.version import VERSION

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


def delete(arguments, options):
    """kubectl delete: by name, by selector, by file; waits until the objects are gone."""
    client = KubeClient(options)
    doomed = []
    if options.get("filename"):
        for item in kubeapply.documents(options["filename"]):
            kind = client.kind_of(item)
            doomed.append((kind, item["metadata"].get("namespace") or client.namespace, item["metadata"]["name"]))
    else:
        for kind, name in chosen(client, arguments):
            if name is None and not (options.get("selector") or options.get("all")):
                raise Failure("error: resource(s) were provided, but no name was specified")
            names = [name] if name else [
                item["metadata"]["name"] for item in fetch(client, kind, None, options)["items"]]
            doomed += [(kind, client.namespace, one) for one in names]
    failed = 0
    for kind, namespace, name in doomed:
        try:
            delete_one(client, kind, namespace, name, options)
        except Failure as problem:
            print(problem, file=sys.stderr)
            failed = 1
    if not doomed:
        print("No resources found", file=sys.stdout if options.get("all-namespaces") else sys.stderr)
    return failed


def delete_one(client, kind, namespace, name, options):
    """Delete one object and wait for its end."""
    path = path_of(kind, namespace, name)
    cascade = (options.get("cascade") or "background").capitalize()
    wish = {"propagationPolicy": "Background" if cascade == "True" else cascade}
    if options.get("force") or options.get("now"):
        wish["gracePeriodSeconds"] = 0 if options.get("force") else 1
    elif options.get("grace-period", "-1") != "-1":
        wish["gracePeriodSeconds"] = int(options["grace-period"])
    if options.get("dry-run"):
        wish["dryRun"] = ["All"]
    try:
        if options.get("dry-run") != "client":
            client.json("DELETE", path, wish)
    except Failure as problem:
        if problem.status == 404 and options.get("ignore-not-found"):
            return
        raise
    shown = kubeoutput.label(kind, "").rstrip("/")
    dry = {"server": " (server dry run)", "client": " (dry run)"}.get(options.get("dry-run"), "")
    print(f'{shown} "{name}" {"force " if options.get("force") else ""}deleted{dry}', flush=True)
    if options.get("wait", "true") and not dry:
        wait_gone(client, path, seconds(options.get("timeout"), 0) or 86400.0, f"{kind.plural}/{name}")


def change_marks(field, done):
    """Make `label` or `annotate`."""
    def command(arguments, options):
        client = KubeClient(options)
        at = next((index for index, word in enumerate(arguments) if _is_change(word)), len(arguments))
        changes = {}
        for word in arguments[at:]:
            key, equals, value = word.partition("=")
            changes[key if equals else word.rstrip("-")] = value if equals else None
        if not changes:
            raise Failure(f"error: at least one {field[:-1]} update is required")
        for kind, name in expanded(client, arguments[:at], options):
            mark(client, kind, name, changes, options)
    def mark(client, kind, name, changes, options):
        path = path_of(kind, client.namespace, name)
        item = client.json("GET", path)
        old = item["metadata"].get(field) or {}
        for key, value in changes.items():
            if value is not None and old.get(key, value) != value and not options.get("overwrite"):
                raise Failure(f"error: '{key}' already has a value ({old[key]}), and --overwrite is false")
        same = all(old.get(key) == value for key, value in changes.items())
        if not same:
            client.json("PATCH", path, {"metadata": {field: changes}}, MERGE)
        print(f"{kubeoutput.label(kind, name)} {'not ' if same else ''}{done}")
    return command


def _is_change(word):
    return "=" in word or word.endswith("-")


def taint(arguments, options):
    """kubectl taint nodes NAME key=value:Effect key:Effect- key-."""
    client = KubeClient(options)
    at = next((index for index, word in enumerate(arguments) if ":" in word or word.endswith("-") or "=" in word), 0)
    for kind, name in expanded(client, arguments[:at], options):
        taints = client.json("GET", path_of(kind, None, name)).get("spec", {}).get("taints", [])
        removed = False
        for word in arguments[at:]:
            gone = word.endswith("-")
            pair, _, effect = word.rstrip("-").partition(":")
            key, _, value = pair.partition("=")
            same = [one for one in taints if one["key"] == key and effect in ("", one["effect"])]
            if gone and not same:
                raise Failure(f'error: taint "{word.rstrip("-")}" not found')
            if not gone and same and same[0].get("value", "") != value and not options.get("overwrite"):
                raise Failure(f"error: node {name} already has {key} taint(s) with same effect(s) and --overwrite "
                              "is false")
            taints = [one for one in taints if one not in same]
            if not gone:
                taints.append({"key": key, "effect": effect, **({"value": value} if value else {})})
            removed = removed or gone
        client.json("PATCH", path_of(kind, None, name), {"spec": {"taints": taints or None}}, MERGE)
        print(f"node/{name} {'untainted' if removed else 'tainted'}")


def patch(arguments, options):
    """kubectl patch."""
    client = KubeClient(options)
    if not options.get("patch"):
        raise Failure("error: must specify --patch or --patch-file containing the contents of the patch")
    types = {"json": "application/json-patch+json", "merge": MERGE, "strategic": STRATEGIC}
    try:
        change = json.loads(options["patch"])
    except ValueError:
        import yaml
        change = yaml.safe_load(options["patch"])
    for kind, name in chosen(client, arguments):
        way = options.get("type") or "strategic"
        path = path_of(kind, client.namespace, name, options.get("subresource", ""))
        before = client.json("GET", path_of(kind, client.namespace, name))["metadata"]["resourceVersion"]
        after = client.json("PATCH", path, change, types[way])["metadata"]["resourceVersion"]
        print(f"{kubeoutput.label(kind, name)} patched{'' if before != after else ' (no change)'}")


def create(arguments, options):
    """kubectl create -f FILE, create namespace NAME, create secret generic|configmap NAME --from-literal."""
    client = KubeClient(options)
    if options.get("filename"):
        items = kubeapply.documents(options["filename"])
    elif arguments[:1] in (["namespace"], ["ns"]) and len(arguments) == 2:
        items = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": arguments[1]}}]
    elif arguments[:2] == ["secret", "generic"] and len(arguments) == 3:
        items = [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": arguments[2]},
                  "stringData": _literals(options)}]
    elif arguments[:1] in (["configmap"], ["cm"]) and len(arguments) == 2:
        items = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": arguments[1]},
                  "data": _literals(options)}]
    else:
        raise Failure("error: the stand-in creates from -f, and namespace, secret generic, configmap")
    for item in items:
        kind = client.kind_of(item)
        namespace = item["metadata"].get("namespace") or client.namespace
        where = 'error when creating "STDIN": ' if options.get("filename") == ["-"] else ""
        dry = "All" if options.get("dry-run") else ""
        try:
            made = client.json("POST", path_of(
                kind, namespace, fieldManager=options.get("field-manager") or "kubectl-create", dryRun=dry), item)
        except Failure as problem:
            head, colon, text = str(problem).partition(": ")
            raise Failure(f"{head}: {where}{text}" if head.startswith("Error") else str(problem)) from None
        print(f"{kubeoutput.label(kind, made['metadata']['name'])} created{' (server dry run)' if dry else ''}")


def _literals(options):
    values = dict(word.partition("=")[::2] for word in options.get("from-literal", []))
    for word in options.get("from-file", []):
        key, equals, path = word.partition("=")
        with open(path if equals else word, encoding="utf-8") as file:
            values[key if equals else word.rpartition("/")[2]] = file.read()
    return values


def version(_, options):
    """kubectl version."""
    if options.get("client"):
        print(f"Client Version: {VERSION}")
        return
    server = KubeClient(options).json("GET", "/version")
    if options.get("output") == "json":
        print(json.dumps({"clientVersion": {"gitVersion": VERSION}, "serverVersion": server}, indent=2))
        return
    print(f"Client Version: {VERSION}\nServer Version: {server['gitVersion']}")


COMMANDS = {
    "get": get, "delete": delete, "label": change_marks("labels", "labeled"),
    "annotate": change_marks("annotations", "annotated"), "taint": taint, "patch": patch, "create": create,
    "wait": kuberollout.wait, "rollout": kuberollout.rollout, "scale": kuberollout.scale,
     "version": version, "apply": kubeapply.apply, "cordon": kubedrain.cordon,
    "uncordon": kubedrain.uncordon, "drain": kubedrain.drain,
}
