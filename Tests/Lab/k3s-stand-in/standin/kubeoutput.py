"""How kubectl shows objects."""

import json

from standin import jsonpath
from standin.kubeclient import Failure


def label(kind, name):
    """`node/w1`, `deployment.apps/web`."""
    return f"{kind.name.lower()}{'.' + kind.group if kind.group else ''}/{name}"


def rows(table, wide, headers, namespaces, labels, columns=()):
    """A Table as aligned text."""
    places = [index for index, column in enumerate(table["columnDefinitions"])
              if wide or not column.get("priority")]
    lines = [[table["columnDefinitions"][index]["name"].upper() for index in places]] if headers else []
    for row in table["rows"]:
        lines.append([str(row["cells"][index]) for index in places])
    metas = [row["object"]["metadata"] for row in table["rows"]]
    if namespaces:
        first = [["NAMESPACE"]] if headers else []
        lines = [extra + line for extra, line in zip(first + [[meta.get("namespace", "")] for meta in metas], lines)]
    for label in filter(None, columns):
        last = [[label.rpartition("/")[2].upper()]] if headers else []
        lines = [line + extra for extra, line in zip(
            last + [[(meta.get("labels") or {}).get(label, "")] for meta in metas], lines)]
    if labels:
        last = [["LABELS"]] if headers else []
        texts = [[",".join(f"{key}={value}" for key, value in sorted((meta.get("labels") or {}).items())) or "<none>"]
                 for meta in metas]
        lines = [line + extra for extra, line in zip(last + texts, lines)]
    return aligned(lines)


def aligned(lines):
    """Columns three spaces apart, and six wide at least."""
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(lines[0]))] if lines else []
    return "\n".join("   ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def say(client, path, kind, name, done, options):
    """Tell of a change, in the form that was asked for; `path` is where the object now stands."""
    form = options.get("output", "")
    if form == "name":
        print(label(kind, name), flush=True)
    elif form:
        text = shown(client.json("GET", path) if isinstance(path, str) else path, form,
                     options.get("show-managed-fields"))
        print(text, end="" if form.startswith("jsonpath") else "\n", flush=True)
    else:
        dry = {"server": " (server dry run)", "client": " (dry run)"}.get(options.get("dry-run"), "")
        print(f"{label(kind, name)} {done}{dry}", flush=True)


def shown(value, form, managed):
    """An object or list in a form that is not a table."""
    if not managed:
        for item in value.get("items", [value]):
            item["metadata"].pop("managedFields", None)
    if form == "json":
        return json.dumps(value, indent=4, sort_keys=True, ensure_ascii=False)
    if form == "yaml":
        import yaml
        return yaml.dump(value, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=True).rstrip("\n")
    kind, _, template = form.partition("=")
    try:
        if kind == "jsonpath":
            return jsonpath.render(template, value)
        if kind == "custom-columns":
            return custom_columns(template, value)
    except jsonpath.PathError as problem:
        raise Failure(f"error: error parsing jsonpath {template}, {problem}") from None
    raise Failure(f"error: unable to match a printer suitable for the output format \"{form}\"")


def custom_columns(spec, value):
    """-o custom-columns=NAME:.metadata.name,..."""
    columns = [column.partition(":")[::2] for column in spec.split(",")]
    lines = [[title for title, _ in columns]]
    for item in value.get("items", [value]):
        cells = [jsonpath.evaluate(path.strip("{}"), item, item) for _, path in columns]
        lines.append([",".join(jsonpath.text(one) for one in cell) or "<none>" for cell in cells])
    return aligned(lines)
