"""kubectl's commands that read or change single objects."""

import json
import sys
import time

from standin import jsonpath, kinds, kubeapply, kubedrain, kubeoutput
from standin.kubeclient import Failure, KubeClient, path_of, seconds
from standin.version import BUILD_DATE, VERSION

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


def chosen(client, arguments):
    """Read `nodes a b`, `node/a pod/b`, `pods,nodes` into [(kind, name or None)]."""
    if not arguments:
        raise Failure("error: you must specify the type of resource to get")
    if "/" in arguments[0]:
        pairs = [argument.partition("/")[::2] for argument in arguments]
        return [(client.kind(word), name) for word, name in pairs]
    words = ",".join(kinds.ALL) if arguments[0] == "all" else arguments[0]
    found = [client.kind(word) for word in words.split(",")]
    return [(kind, name) for kind in found for name in (arguments[1:] or [None])]


def namespace_of(client, options, kind):
    """The namespace to ask, or None for all of them."""
    return client.namespace if kind.namespaced and not options.get("all-namespaces") else None


def get(arguments, options):
    """kubectl get."""
    client = KubeClient(options)
    if options.get("raw"):
        sys.stdout.write(client.raw("GET", options["raw"]).decode())
        return
    form = options.get("output", "")
    if form in ("", "wide"):
        return get_tables(client, chosen(client, arguments), options, form == "wide")
    found, single = [], False
    for kind, name in chosen(client, arguments):
        item = fetch(client, kind, name, options)
        if item is None:
            continue
        single = name is not None
        found += [(kind, item)] if name else [(kind, one) for one in item["items"]]
    if form == "name":
        for kind, item in found:
            print(kubeoutput.label(kind, item["metadata"]["name"]))
        return
    if single and not found:
        return
    for kind, item in found:
        item.setdefault("apiVersion", kind.api_version())
        item.setdefault("kind", kind.name)
    value = found[0][1] if single and len(found) == 1 else {
        "apiVersion": "v1", "items": [item for _, item in found], "kind": "List", "metadata": {"resourceVersion": ""}}
    text = kubeoutput.shown(value, form, options.get("show-managed-fields"))
    sys.stdout.write(text if form.startswith("jsonpath") else text + "\n")


def fetch(client, kind, name, options, accept=None):
    """One object or a list; None when it is not there and that is fine."""
    path = path_of(kind, namespace_of(client, options, kind), name,
                   labelSelector=options.get("selector"), fieldSelector=options.get("field-selector"))
    try:
        return client.json("GET", path, accept=accept)
    except Failure as problem:
        if problem.status == 404 and name and options.get("ignore-not-found"):
            return None
        raise


def get_tables(client, wanted, options, wide):
    """Print tables, one per kind."""
    merged = {}
    for kind, name in wanted:
        table = fetch(client, kind, name, options, TABLE)
        if table is None:
            continue
        if kind.plural in merged:
            merged[kind.plural][1]["rows"] += table["rows"]
        else:
            merged[kind.plural] = (kind, table)
    blocks = []
    for kind, table in merged.values():
        if table["rows"]:
            blocks.append(kubeoutput.rows(table, wide, not options.get("no-headers"),
                                          kind.namespaced and options.get("all-namespaces"),
                                          options.get("show-labels")))
    if blocks:
        print("\n\n".join(blocks))
    elif wanted and not options.get("ignore-not-found"):
        where = "" if namespace_of(client, options, wanted[0][0]) is None else f" in {client.namespace} namespace"
        print(f"No resources found{where}" + ("" if where else "."), file=sys.stderr)


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
    for kind, namespace, name in doomed:
        delete_one(client, kind, namespace, name, options)


def delete_one(client, kind, namespace, name, options):
    """Delete one object and wait for its end."""
    path = path_of(kind, namespace, name)
    try:
        client.json("DELETE", path, {"propagationPolicy": "Background"})
    except Failure as problem:
        if problem.status == 404 and options.get("ignore-not-found"):
            return
        raise
    shown = kubeoutput.label(kind, "").rstrip("/")
    print(f'{shown} "{name}" deleted', flush=True)
    if options.get("wait", "true"):
        wait_gone(client, path, seconds(options.get("timeout"), 0) or 86400.0, f"{kind.plural}/{name}")


def wait_gone(client, path, timeout, name):
    """Wait until an object is not found any more."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        try:
            client.json("GET", path)
        except Failure as problem:
            if problem.status == 404:
                return
            raise
        time.sleep(0.25)
    raise Failure(f"error: timed out waiting for the condition on {name}")


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
        for kind, name in _expanded(client, arguments[:at], options):
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


def _expanded(client, arguments, options):
    for kind, name in chosen(client, arguments):
        if name:
            yield kind, name
        else:
            for item in fetch(client, kind, None, options)["items"]:
                yield kind, item["metadata"]["name"]


def taint(arguments, options):
    """kubectl taint nodes NAME key=value:Effect key:Effect- key-."""
    client = KubeClient(options)
    at = next((index for index, word in enumerate(arguments) if ":" in word or word.endswith("-") or "=" in word), 0)
    for kind, name in _expanded(client, arguments[:at], options):
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
        made = client.json("POST", path_of(kind, namespace, fieldManager="kubectl-create"), item)
        print(f"{kubeoutput.label(kind, made['metadata']['name'])} created")


def _literals(options):
    values = dict(word.partition("=")[::2] for word in options.get("from-literal", []))
    for word in options.get("from-file", []):
        key, equals, path = word.partition("=")
        with open(path if equals else word, encoding="utf-8") as file:
            values[key if equals else word.rpartition("/")[2]] = file.read()
    return values


def wait(arguments, options):
    """kubectl wait --for=condition=Ready|delete|jsonpath=…."""
    client = KubeClient(options)
    word = options.get("for", "")
    end = time.monotonic() + seconds(options.get("timeout"), 30.0)
    for kind, name in _expanded(client, arguments, options):
        path = path_of(kind, client.namespace, name)
        if word == "delete":
            wait_gone(client, path, end - time.monotonic(), f"{kind.plural}/{name}")
        while word != "delete" and not _holds(client.json("GET", path), word):
            if time.monotonic() > end:
                raise Failure(f"error: timed out waiting for the condition on {kind.plural}/{name}")
            time.sleep(0.25)
        print(f"{kubeoutput.label(kind, name)} condition met")


def _holds(item, word):
    kind, _, rest = word.partition("=")
    if kind == "condition":
        name, _, wanted = rest.partition("=")
        return any(one["type"].lower() == name.lower() and one["status"].lower() == (wanted or "true").lower()
                   for one in item.get("status", {}).get("conditions", []))
    if kind == "jsonpath":
        path, _, wanted = rest.rpartition("=")
        return jsonpath.render(path, item) == wanted
    raise Failure(f'error: unrecognized condition: "{word}"')


def version(_, options):
    """kubectl version."""
    if options.get("client"):
        own = {"clientVersion": {"buildDate": BUILD_DATE, "gitVersion": VERSION}}
        forms = {"json": json.dumps(own, indent=2),
                 "yaml": f'clientVersion:\n  buildDate: "{BUILD_DATE}"\n  gitVersion: {VERSION}'}
        print(forms.get(options.get("output"), f"Client Version: {VERSION}"))
        return
    server = KubeClient(options).json("GET", "/version")
    if options.get("output") == "json":
        print(json.dumps({"clientVersion": {"gitVersion": VERSION}, "serverVersion": server}, indent=2))
        return
    print(f"Client Version: {VERSION}\nServer Version: {server['gitVersion']}")


COMMANDS = {
    "get": get, "delete": delete, "label": change_marks("labels", "labeled"),
    "annotate": change_marks("annotations", "annotated"), "taint": taint, "patch": patch, "create": create,
    "wait": wait, "version": version, "apply": kubeapply.apply, "cordon": kubedrain.cordon,
    "uncordon": kubedrain.uncordon, "drain": kubedrain.drain,
}
