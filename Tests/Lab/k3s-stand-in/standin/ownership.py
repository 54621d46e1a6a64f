"""Server-side apply: who owns which field, merging, and conflicts between owners.

A field set is a set of paths; a path is a tuple of parts as managedFields writes them: `f:name`
for a field, `k:{...}` for an item of a list joined by keys, `v:...` for an item of a set. Listed
are leaves, and items of joined lists.
"""

import copy
import json

from standin import shapes
from standin.apierror import ApiError

UNOWNED = {("f:apiVersion",), ("f:kind",)} | {("f:metadata", "f:" + name) for name in (
    "name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp",
    "managedFields", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generateName")}
ITEM = ("an item of a joined list",)  # stands for a value where a path names an item itself


def fields(value, shape, path=()):
    """Yield (path, value) of every leaf and every joined item of an object."""
    if path in UNOWNED:
        return
    if isinstance(value, dict) and value and not shape.whole:
        for key, child in value.items():
            yield from fields(child, shape.field(key), path + ("f:" + key,))
        return
    if isinstance(value, list) and value and shape.is_set:
        for item in value:
            yield path + ("v:" + json.dumps(item),), item
        return
    if isinstance(value, list) and value and shape.keys:
        parts = [shapes.item_key(shape.keys, item) for item in value]
        if None not in parts:
            for part, item in zip(parts, value):
                yield path + (part,), ITEM
                for key, child in item.items():
                    yield from fields(child, shape.item().field(key), path + (part, "f:" + key))
            return
    yield path, value


def twice(value, shape, path=()):
    """Yield the places of joined lists that name one item twice."""
    if isinstance(value, dict) and not shape.whole:
        for key, child in value.items():
            yield from twice(child, shape.field(key), path + ("f:" + key,))
    elif isinstance(value, list) and shape.keys:
        parts = [shapes.item_key(shape.keys, item) for item in value]
        for part in dict.fromkeys(part for part in parts if part and parts.count(part) > 1):
            yield f"{shown(path)}: duplicate entries for key {shown((part,))}"
        for part, item in zip(parts, value):
            if part and isinstance(item, dict):
                for key, child in item.items():
                    yield from twice(child, shape.item().field(key), path + (part, "f:" + key))


def read_sets(managed):
    """managedFields -> {(manager, operation): set of paths}; entries of a subresource are left alone."""
    sets = {}
    for entry in managed or []:
        if not entry.get("subresource"):
            sets[entry["manager"], entry["operation"]] = set(_paths(entry.get("fieldsV1", {})))
    return sets


def _paths(tree, path=()):
    for part, child in tree.items():
        if part == ".":
            if path and path[-1].startswith("k:"):
                yield path
            continue
        if child and any(name != "." for name in child):
            yield from _paths(child, path + (part,))
        else:
            yield path + (part,)


def write_sets(sets, api_version, now, before):
    """The other way round; an entry whose paths did not change keeps its time."""
    known = {(entry["manager"], entry["operation"]): entry for entry in before or [] if not entry.get("subresource")}
    old_sets = read_sets(before)
    managed = [entry for entry in before or [] if entry.get("subresource")]
    for (manager, operation), owned in sets.items():
        if not owned:
            continue
        old = known.get((manager, operation)) if old_sets.get((manager, operation)) == owned else None
        managed.append({
            "manager": manager, "operation": operation, "apiVersion": old["apiVersion"] if old else api_version,
            "time": old["time"] if old else now, "fieldsType": "FieldsV1", "fieldsV1": _tree(owned)})
    return sorted(managed, key=lambda entry: (entry["operation"], entry["time"] or "", entry["manager"]))


def _tree(owned):
    tree = {}
    for path in sorted(owned, key=len):
        node = tree
        for part in path:
            node = node.setdefault(part, {})
    for path in owned:
        node = tree
        for part in path:
            node = node[part]
        if path[-1].startswith("k:") and node:
            node["."] = {}
    return tree


def apply(live, config, manager, force, shape):
    """Merge a configuration into the live object; return (object, field sets) or raise a conflict."""
    mine = (manager, "Apply")
    sets = read_sets(live.get("metadata", {}).get("managedFields"))
    wanted = dict(fields(config, shape))
    clashes = _clashes(wanted, dict(fields(live, shape)), sets, mine)
    if clashes and not force:
        raise _conflict(clashes, live)
    for owner, path in clashes:
        sets[owner] = sets[owner] - {path}
    before = sets.get(mine, set())
    sets[mine] = set(wanted)
    result = copy.deepcopy(live)
    for path, value in wanted.items():
        _set(result, path, value, path[-1][2:] in shapes.WHOLE or isinstance(value, list) and not _joins(shape, path))
    kept = _with_parents(set().union(*sets.values()))
    gone = []
    for path in sorted(_with_parents(before) - kept, key=len):
        if not any(path[:len(other)] == other for other in gone):
            gone.append(path)
            _remove(result, path)
    return result, sets


def _joins(shape, path):
    """Whether the list at a path is joined, item by item."""
    for part in path:
        shape = shape.field(part[2:]) if part.startswith("f:") else shape.item()
    return bool(shape.keys or shape.is_set)


def _clashes(wanted, current, sets, mine):
    """Pairs (owner, path) of what others own and this configuration changes."""
    found = []
    for path, value in wanted.items():
        if path not in current or current[path] == value or value is ITEM:
            continue  # what is added to a map or a list is in nobody's way
        found += [(owner, path) for owner, owned in sets.items() if owner != mine and path in owned]
    return sorted(found)


def _with_parents(paths):
    """A field set and the named fields around its members: what holds nothing of anybody's is not kept."""
    return {path[:length] for path in paths for length in range(1, len(path) + 1)
            if length == len(path) or path[length - 1].startswith("f:")}


def _conflict(clashes, live):
    versions = {(entry["manager"], entry["operation"]): entry.get("apiVersion", "")
                for entry in live["metadata"].get("managedFields") or []}

    def named(owner):
        return f'"{owner[0]}"' + (f" using {versions.get(owner, '')}" if owner[1] == "Update" else "")
    causes = [{"reason": "FieldManagerConflict", "message": f"conflict with {named(owner)}", "field": shown(path)}
              for owner, path in clashes]
    if len(causes) == 1:
        message = f'Apply failed with 1 conflict: {causes[0]["message"]}: {causes[0]["field"]}'
    else:
        lines = []
        for owner in dict.fromkeys(owner for owner, _ in clashes):
            lines.append(f"conflicts with {named(owner)}:")
            lines += [f"- {shown(path)}" for one, path in clashes if one == owner]
        message = f"Apply failed with {len(causes)} conflicts: " + "\n".join(lines)
    return ApiError(409, message, details={"causes": causes})


def shown(path):
    """A path as people read it: .spec.containers[name="a"].image."""
    text = ""
    for part in path:
        if part.startswith("f:"):
            text += "." + part[2:]
        elif part.startswith("v:"):
            text += f"[={part[2:]}]"
        else:
            text += "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in json.loads(part[2:]).items()) + "]"
    return text


def after_update(before, after, manager, shape):
    """Field sets after an ordinary write: what changed belongs to its writer."""
    sets = read_sets(before.get("metadata", {}).get("managedFields") if before else None)
    old = dict(fields(before, shape)) if before else {}
    new = dict(fields(after, shape))
    changed = {path for path, value in new.items() if path not in old or old[path] != value}
    mine = (manager, "Update")
    for owner in sets:
        sets[owner] = {path for path in sets[owner] if path in new and (owner == mine or path not in changed)}
    sets[mine] = sets.get(mine, set()) | changed
    return sets


def _step(node, part):
    if part.startswith("f:"):
        return node.get(part[2:]) if isinstance(node, dict) else None
    if not isinstance(node, list):
        return None
    if part.startswith("v:"):
        value = json.loads(part[2:])
        return value if value in node else None
    keys = json.loads(part[2:])
    return next((item for item in node if shapes.item_key(tuple(keys), item) == part), None)


def _set(document, path, value, whole=False):
    node = document
    for part, after in zip(path, path[1:]):
        child = _step(node, part)
        if not isinstance(child, dict if after.startswith("f:") else list):
            child = {} if after.startswith("f:") else []
            _attach(node, part, child)
            child = _step(node, part)
        node = child
    if value is ITEM:
        if _step(node, path[-1]) is None:
            _attach(node, path[-1], {})
        return
    if value in ({}, []) and isinstance(_step(node, path[-1]), type(value)) and not whole:
        return  # an empty map asks for a map, not for its emptiness
    _attach(node, path[-1], copy.deepcopy(value))


def _attach(node, part, value):
    if part.startswith("f:"):
        node[part[2:]] = value
    elif part.startswith("v:"):
        if value not in node:
            node.append(value)
    else:
        node.append({**json.loads(part[2:]), **value})


def _remove(document, path):
    node = document
    for part in path[:-1]:
        node = _step(node, part)
        if node is None:
            return
    last = path[-1]
    if last.startswith("f:"):
        if isinstance(node, dict):
            node.pop(last[2:], None)
        return
    item = _step(node, last)
    if item is not None:
        node.remove(item)
