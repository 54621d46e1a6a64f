"""kubectl's commands that read or change single objects."""

import json
import sys

from standin import kubeapply, kubedrain, kubeoutput, kuberollout
from standin.kubeclient import Failure, KubeClient, path_of, seconds
from standin.kubeget import chosen, expanded, fetch, get
from standin.kuberollout import dry, wait_gone
from standin.version import BUILD_DATE, VERSION

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
    mark = {"server": " (server dry run)", "client": " (dry run)"}.get(options.get("dry-run"), "")
    print(f'{shown} "{name}" {"force " if options.get("force") else ""}deleted{mark}', flush=True)
    if options.get("wait", "true") and not mark:
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
            if value is None and key not in old and field == "labels":
                print(f'{field[:-1]} "{key}" not found.')
        same = all(old.get(key) == value for key, value in changes.items())
        after = item if same else client.json("PATCH", path_of(
            kind, client.namespace, name, dryRun=dry(options)), {"metadata": {field: changes}}, MERGE)
        kubeoutput.say(client, after, kind, name, _mark_words(field, done, old, after, same, options), options)
    return command


def _mark_words(field, done, old, after, same, options):
    if field == "annotations":
        return done
    fewer = len(after["metadata"].get(field) or {}) < len(old) and not options.get("overwrite")
    return f"not {done}" if same else f"un{done}" if fewer else done


def _is_change(word):
    return "=" in word or word.endswith("-")


def taint(arguments, options):
    """kubectl taint nodes NAME key=value:Effect key:Effect- key-."""
    client = KubeClient(options)
    at = next((index for index, word in enumerate(arguments)
               if ":" in word or word.endswith("-") or "=" in word), len(arguments))
    changes = [_taint_change(word) for word in arguments[at:]]
    if not changes:
        raise Failure("error: at least one taint update is required")
    nodes, problems = list(expanded(client, arguments[:at], options)), []
    for kind, name in nodes:
        try:
            taint_one(client, kind, name, changes, options)
        except Failure as problem:
            problems.append(problem)
    for problem in problems:
        print(problem if len(problems) == 1 else problem.among_others, file=sys.stderr)
    return 1 if problems else 0


def _taint_change(word):
    """(key, value, effect, whether it goes)."""
    gone = word.endswith("-")
    pair, _, effect = word.rstrip("-").partition(":")
    key, _, value = pair.partition("=")
    if effect not in ("NoSchedule", "PreferNoSchedule", "NoExecute") and not (gone and not effect):
        raise Failure(f"error: invalid taint effect: {effect}, unsupported taint effect\n"
                      "See 'kubectl taint -h' for help and examples" if effect or not gone else
                      f"error: invalid taint spec: {word}")
    return key, value, effect, gone


def taint_one(client, kind, name, changes, options):
    """Change one node's taints."""
    old = client.json("GET", path_of(kind, None, name)).get("spec", {}).get("taints", [])
    new = list(old)
    for key, value, effect, gone in changes:
        same = [one for one in new if one["key"] == key and effect in ("", one["effect"])]
        if gone and not same:
            raise Failure(f'error: taint "{key}{":" + effect if effect else ""}" not found')
        if not gone and same and not options.get("overwrite"):
            raise Failure(f"error: node {name} already has {key} taint(s) with same effect(s) and --overwrite is false")
        new = [one for one in new if one not in same]
        if not gone:
            new.append({"key": key, "effect": effect, **({"value": value} if value else {})})
    after = client.json("PATCH", path_of(kind, None, name, dryRun=dry(options)),
                        {"spec": {"taints": new or None}}, MERGE)
    ways = {gone for _, _, _, gone in changes}
    kubeoutput.say(client, after, kind, name, "modified" if len(ways) == 2 or options.get("overwrite")
                   else "untainted" if True in ways else "tainted", {**options, "dry-run": ""})


def patch(arguments, options):
    """kubectl patch."""
    client = KubeClient(options)
    text = options.get("patch")
    if options.get("patch-file"):
        with open(options["patch-file"], encoding="utf-8") as file:
            text = file.read()
    if not text:
        raise Failure("error: must specify --patch or --patch-file containing the contents of the patch")
    types = {"json": "application/json-patch+json", "merge": MERGE, "strategic": STRATEGIC}
    try:
        change = json.loads(text)
    except ValueError:
        import yaml
        change = yaml.safe_load(text)
    for kind, name in chosen(client, arguments):
        way = options.get("type") or "strategic"
        path = path_of(kind, client.namespace, name, options.get("subresource", ""), dryRun=dry(options),
                       fieldManager=options.get("field-manager") or "kubectl-patch")
        before = _without_version(client.json("GET", path_of(kind, client.namespace, name)))
        after = client.json("PATCH", path, change, types[way])
        same = "" if before != _without_version(after) else " (no change)"
        kubeoutput.say(client, after, kind, name, f"patched{same}",
                       {**options, "dry-run": ""})


def _without_version(item):
    return {**item, "metadata": {key: value for key, value in item["metadata"].items()
                                 if key not in ("resourceVersion", "managedFields")}}


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
        try:
            made = client.json("POST", path_of(
                kind, namespace, fieldManager=options.get("field-manager") or "kubectl-create",
                dryRun=dry(options)), item)
        except Failure as problem:
            head, colon, text = str(problem).partition(": ")
            raise Failure(f"{head}: {where}{text}" if head.startswith("Error") else str(problem)) from None
        kubeoutput.say(client, made, kind, made["metadata"]["name"], "created", options)


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
    "wait": kuberollout.wait, "rollout": kuberollout.rollout, "scale": kuberollout.scale,
     "version": version, "apply": kubeapply.apply, "cordon": kubedrain.cordon,
    "uncordon": kubedrain.uncordon, "drain": kubedrain.drain,
}
