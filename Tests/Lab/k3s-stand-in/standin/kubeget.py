"""kubectl get: what a command line names, and how it is shown."""

import os
import sys

from standin import jsonpath, kinds, kubeapply, kubeoutput
from standin.kubeclient import Failure, KubeClient, path_of

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


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


def expanded(client, arguments, options):
    """The (kind, name) of every object that a command line names; objects of a selector are looked up."""
    for kind, name in chosen(client, arguments):
        if name:
            yield kind, name
        else:
            for item in fetch(client, kind, None, options)["items"]:
                yield kind, item["metadata"]["name"]


def fetch(client, kind, name, options, accept=None, namespace=None):
    """One object or a list; None when it is not there and that is fine."""
    if name and options.get("all-namespaces") and kind.namespaced:
        raise Failure("error: a resource cannot be retrieved by name across all namespaces")
    selection = {} if name else {"labelSelector": options.get("selector"),
                                 "fieldSelector": options.get("field-selector"),
                                 "limit": options.get("chunk-size") if accept is None else None}
    where = namespace or namespace_of(client, options, kind)
    path = path_of(kind, where, name, options.get("subresource", "") if name else "", **selection)
    try:
        answer = client.json("GET", path, accept=accept)
        page = answer
        while not name and (page.get("metadata") or {}).get("continue"):
            page = client.json("GET", path_of(kind, where, None, **{
                **selection, "continue": page["metadata"]["continue"]}))
            answer["items"] += page["items"]
        return answer
    except Failure as problem:
        if problem.status == 404 and name and options.get("ignore-not-found"):
            return None
        raise


def get(arguments, options):
    """kubectl get."""
    client = KubeClient(options)
    if options.get("raw"):
        sys.stdout.write(client.raw("GET", options["raw"]).decode())
        return 0
    form = options.get("output", "")
    wanted = list(_wanted(client, arguments, options))
    if form in ("", "wide"):
        return get_tables(client, wanted, options, form == "wide")
    found, failures = [], []
    for kind, name, namespace in wanted:
        try:
            item = fetch(client, kind, name, options, namespace=namespace)
        except Failure as problem:
            failures.append(problem)
            continue
        if item is not None:
            found += [(kind, item)] if name else [(kind, one) for one in item["items"]]
    files = options.get("filename")
    single = len(wanted) == 1 and wanted[0][1] is not None and (
        not files or len(files) == 1 and files[0] != "-" and not os.path.isdir(files[0]))
    _show(found, single, form, options)
    for problem in failures:
        print(problem, file=sys.stderr)
    return 1 if failures else 0


def _wanted(client, arguments, options):
    if options.get("filename"):
        for item in kubeapply.documents(options["filename"]):
            kind = client.kind_of(item)
            yield kind, item["metadata"]["name"], item["metadata"].get("namespace") if kind.namespaced else None
        return
    for kind, name in chosen(client, arguments):
        yield kind, name, None


def _show(found, single, form, options):
    if form == "name":
        for kind, item in found:
            print(kubeoutput.label(kind, item["metadata"]["name"]))
        return
    if not found and (single or options.get("ignore-not-found")):
        return
    for kind, item in found:
        item.setdefault("apiVersion", kind.api_version())
        item.setdefault("kind", kind.name)
    items = [item for _, item in found]
    if options.get("sort-by"):
        items = sort(items, options["sort-by"])
    value = items[0] if single and len(items) == 1 else {
        "apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}}
    text = kubeoutput.shown(value, form, options.get("show-managed-fields"))
    sys.stdout.write(text if form.startswith("jsonpath") else text + "\n")


def sort(items, path):
    """--sort-by: numbers as numbers, the rest as text; what lacks the field comes first."""
    path = path if path.startswith("{") else "{" + path + "}"

    def key(item):
        values = jsonpath.evaluate(path.strip("{}"), item, item)
        value = values[0] if values else None
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return (value is not None, value if number else 0, "" if number or value is None else str(value))
    return sorted(items, key=key)


def get_tables(client, wanted, options, wide):
    """Print tables, one per kind; with several kinds their names carry the kind."""
    merged, failures = {}, []
    for kind, name, namespace in wanted:
        try:
            table = fetch(client, kind, name, options, TABLE, namespace)
        except Failure as problem:
            failures.append(problem)
            continue
        if table is None:
            continue
        if kind.qualified in merged:
            merged[kind.qualified][1]["rows"] += table["rows"]
        else:
            merged[kind.qualified] = (kind, table)
    several = len({kind.qualified for kind, _, _ in wanted}) > 1
    blocks = []
    for kind, table in merged.values():
        if table["rows"]:
            for row in table["rows"] if several else ():
                row["cells"][0] = kubeoutput.label(kind, row["cells"][0])
            blocks.append(kubeoutput.rows(table, wide, not options.get("no-headers"),
                                          kind.namespaced and options.get("all-namespaces"),
                                          options.get("show-labels"),
                                          (options.get("label-columns") or "").split(",")))
    if blocks:
        print("\n\n".join(blocks))
    for problem in failures:
        print(problem, file=sys.stderr)
    if not blocks and not failures and wanted and not options.get("ignore-not-found"):
        where = "" if namespace_of(client, options, wanted[0][0]) is None else f" in {client.namespace} namespace."
        print(f"No resources found{where}", file=sys.stderr)
    return 1 if failures else 0
