"""kubectl apply, by the client's three-way merge or by the server."""

import glob
import json
import os
import re
import sys

from standin import kubeoutput, patches
from standin.kubeclient import Failure, KubeClient, path_of

SOURCE = "\0source"  # where a document came from, until it is used
ADVICE = ("Please review the fields above--they currently have other managers; --force-conflicts takes them over,\n"
          "and a manifest without them leaves them be.")
LAST = "kubectl.kubernetes.io/last-applied-configuration"


def documents(names):
    """Read the objects of files, folders and `-`; lists are opened."""
    found = []
    for name in names:
        files = sorted(path for ending in ("yaml", "yml", "json") for path in glob.glob(f"{name}/*.{ending}")) \
            if os.path.isdir(name) else [name]
        for path in files:
            for value in _read(path):
                found += _opened(value, "STDIN" if path == "-" else path)
    return found


def _loader():
    """YAML as kubectl reads it: y and n are truth values, too."""
    import yaml
    words = {"yes": True, "true": True, "on": True, "y": True, "no": False, "false": False, "off": False, "n": False}
    loader = type("Loader", (getattr(yaml, "CSafeLoader", yaml.SafeLoader),), {})
    loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^[yYnN]$"), list("yYnN"))
    loader.add_constructor("tag:yaml.org,2002:bool", lambda self, node: words[node.value.lower()])
    loader.add_constructor("tag:yaml.org,2002:timestamp", lambda self, node: node.value)
    return loader


def _read(path):
    import yaml
    try:
        text = sys.stdin.read() if path == "-" else open(path, encoding="utf-8").read()
        return list(yaml.load_all(text, _loader()))
    except OSError:
        raise Failure(f'error: the path "{path}" does not exist') from None
    except yaml.YAMLError as problem:
        raise Failure(f"error: error parsing {'STDIN' if path == '-' else path}: error converting YAML to JSON: "
                      f"yaml: {_yaml_words(problem)}") from None


def _yaml_words(problem):
    mark = getattr(problem, "problem_mark", None)
    return f"line {mark.line}: {problem.problem}" if mark else str(problem)


def _opened(value, source):
    if not value:
        return
    if not isinstance(value, dict):
        raise Failure(f'error: unable to decode "{source}": json: cannot unmarshal {_go_name(value)} into Go value of '
                      "type unstructured.detector")
    for word, shown in (("apiVersion", "apiVersion"), ("kind", "kind")):
        if not value.get(word):
            raise Failure(f'error: error validating "{source}": error validating data: {shown} not set; if you choose '
                          "to ignore these errors, turn validation off with --validate=false")
    if value["kind"].endswith("List") and isinstance(value.get("items"), list):
        for item in value["items"]:
            yield from _opened(item, source)
        return
    if not isinstance(value.get("metadata"), dict):
        value["metadata"] = {}
    value[SOURCE] = source
    yield value


def _go_name(value):
    return {list: "array", str: "string", bool: "bool"}.get(type(value), "number")


def apply(_, options):
    """kubectl apply -f …; goes on after a failure and then fails."""
    client = KubeClient(options)
    if not options.get("filename"):
        raise Failure("error: must specify one of -f and -k")
    if options.get("force-conflicts") and not options.get("server-side"):
        raise Failure("error: --force-conflicts only works with --server-side")
    items = documents(options["filename"])
    if not items:
        raise Failure("error: no objects passed to apply")
    made, failures = [], []
    for item in items:
        try:
            made.append(apply_one(client, item, options))
        except Failure as problem:
            failures.append(problem)
    failures.sort(key=lambda one: "resource mapping not found" not in str(one))
    for problem in failures:
        print(problem if len(failures) == 1 else problem.among_others, file=sys.stderr)
    if failures:
        return 1
    form = options.get("output", "")
    if form and form != "name":
        value = made[0] if len(made) == 1 else {"apiVersion": "v1", "items": made, "kind": "List", "metadata": {}}
        text = kubeoutput.shown(value, form, options.get("show-managed-fields"))
        sys.stdout.write(text if form.startswith("jsonpath") else text + "\n")
    return 0


def apply_one(client, item, options):
    """Apply one object and say so; returns what the server answered."""
    source = item.pop(SOURCE)
    kind = client.kind_of(item, source)
    name = item["metadata"].get("name")
    if not name:
        raise Failure(f"error: error when retrieving current configuration of: resource name may not be empty: {source}"
                      if not options.get("server-side") else "error: resource name may not be empty")
    namespace = item["metadata"].get("namespace") or client.namespace
    if kind.namespaced and options.get("namespace") and namespace != options["namespace"]:
        raise Failure(f'error: the namespace from the provided object "{namespace}" does not match the namespace '
                      f'"{options["namespace"]}". You must pass \'--namespace={namespace}\' to perform this operation.')
    if kind.namespaced:
        item["metadata"]["namespace"] = namespace
    work = by_server if options.get("server-side") else by_client
    done, answer = work(client, kind, namespace, name, item, options)
    form = options.get("output", "")
    if form == "name":
        print(kubeoutput.label(kind, name), flush=True)
    elif not form:
        dry = {"server": " (server dry run)", "client": " (dry run)"}.get(options.get("dry-run"), "")
        print(f"{kubeoutput.label(kind, name)} {done}{dry}", flush=True)
    return answer


def _dry(options):
    return "All" if options.get("dry-run") else ""


def by_server(client, kind, namespace, name, item, options):
    """Let the server merge."""
    if options.get("dry-run") == "client":
        raise Failure("error: --dry-run=client doesn't work with --server-side (did you mean --dry-run=server "
                      "instead?)")
    path = path_of(kind, namespace, name, version=item["apiVersion"].rpartition("/")[2],
                   fieldManager=options.get("field-manager") or "kubectl",
                   force="true" if options.get("force-conflicts") else "false", dryRun=_dry(options))
    try:
        return "serverside-applied", client.json("PATCH", path, item, "application/apply-patch+yaml")
    except Failure as problem:
        if problem.status == 409:
            text = str(problem).partition(": ")[2]
            raise Failure(f"error: {text}\n{ADVICE}", 409) from None
        raise


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
        if options.get("dry-run") == "client":
            return "created", item
        return "created", client.json(
            "POST", path_of(kind, namespace, fieldManager=manager, dryRun=_dry(options)), item)
    last = json.loads((live["metadata"].get("annotations") or {}).get(LAST) or "{}")
    patch = three_way(last, item)
    way = "application/merge-patch+json" if kind.custom else "application/strategic-merge-patch+json"
    after = client.json(
        "PATCH", path_of(kind, namespace, name, fieldManager=manager, dryRun=_dry(options)), patch, way)
    same = {**after, "metadata": {**after["metadata"], "resourceVersion": ""}} == \
        {**live, "metadata": {**live["metadata"], "resourceVersion": ""}}
    return "unchanged" if same else "configured", after


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
