"""Server-side apply: who owns which field, merging, and conflicts between owners.

A field set is a set of paths; a path is a tuple of parts as managedFields writes them: `f:name`
for a field, `k:{...}` for an item of a list joined by key. Only leaves are listed.
"""

import copy
import json

from standin.apierror import ApiError
from standin.patches import list_key

UNOWNED = {("f:apiVersion",), ("f:kind",)} | {("f:metadata", "f:" + name) for name in (
    "name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp",
    "managedFields", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generateName")}


def leaves(value, custom, path=()):
    """Yield (path, value) of every leaf of an object."""
    if path in UNOWNED:
        return
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from leaves(child, custom, path + ("f:" + key,))
        return
    if isinstance(value, list) and value and not custom:
        key = list_key(path[-1][2:], value)
        if key:
            for item in value:
                part = "k:" + json.dumps({key: item[key]}, separators=(",", ":"))
                yield from leaves(item, custom, path + (part,))
            return
    yield path, value


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
            continue
        if child and any(name != "." for name in child):
            yield from _paths(child, path + (part,))
        else:
            yield path + (part,)


def write_sets(sets, api_version, now, before):
    """The other way round; an entry whose paths did not change keeps its time."""
    old_times = {(entry["manager"], entry["operation"]): entry for entry in before or []}
    old_sets = read_sets(before)
    managed = [entry for entry in before or [] if entry.get("subresource")]
    for (manager, operation), owned in sets.items():
        if not owned:
            continue
        same = old_sets.get((manager, operation)) == owned
        tree = {}
        for path in sorted(owned):
            node = tree
            for part in path:
                node = node.setdefault(part, {})
        managed.append({
            "manager": manager, "operation": operation, "apiVersion": api_version,
            "time": old_times[manager, operation]["time"] if same else now,
            "fieldsType": "FieldsV1", "fieldsV1": tree})
    return managed


def apply(live, config, manager, force, custom):
    """Merge a configuration into the live object; return (object, field sets) or raise a conflict."""
    mine = (manager, "Apply")
    sets = read_sets(live.get("metadata", {}).get("managedFields"))
    wanted = dict(leaves(config, custom))
    current = dict(leaves(live, custom))
    clashes = {}
    for path, value in wanted.items():
        if current.get(path, value) == value and not _covered(path, current):
            continue
        for owner, owned in sets.items():
            if owner != mine and any(_touch(path, other) for other in owned):
                clashes.setdefault(owner, []).append(path)
    if clashes and not force:
        raise _conflict(clashes, config)
    for owner, paths in clashes.items():
        sets[owner] = {other for other in sets[owner] if not any(_touch(path, other) for path in paths)}
    result = copy.deepcopy(live)
    others = set().union(*(owned for owner, owned in sets.items() if owner != mine))
    for path in sorted(sets.get(mine, set()) - set(wanted) - others, key=_key_last):
        _remove(result, path)
    for path, value in wanted.items():
        _set(result, path, copy.deepcopy(value))
    sets[mine] = set(wanted)
    return result, sets


def _covered(path, current):
    return any(_touch(path, other) and path != other for other in current)


def _touch(one, other):
    """Whether two paths are the same or one lies inside the other."""
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def _conflict(clashes, config):
    causes = []
    for (manager, _), paths in sorted(clashes.items()):
        for path in paths:
            causes.append({"reason": "FieldManagerConflict", "field": shown(path),
                           "message": f'conflict with "{manager}" using {config["apiVersion"]}'})
    count = len(causes)
    first = f'{causes[0]["message"]}: {causes[0]["field"]}' if count == 1 else \
        "conflicts with " + ", ".join(f'"{manager}"' for manager, _ in sorted(clashes)) + ": " + \
        ", ".join("- " + cause["field"] for cause in causes)
    message = f"Apply failed with {count} conflict{'s' if count > 1 else ''}: {first}"
    return ApiError(409, message, details={"causes": causes})


def shown(path):
    """A path as people read it: .spec.containers[name="a"].image."""
    text = ""
    for part in path:
        if part.startswith("f:"):
            text += "." + part[2:]
        else:
            key, value = next(iter(json.loads(part[2:]).items()))
            text += f"[{key}={json.dumps(value)}]"
    return text


def after_update(before, after, manager, custom):
    """Field sets after an ordinary write: what changed belongs to its writer."""
    sets = read_sets(before.get("metadata", {}).get("managedFields") if before else None)
    old = dict(leaves(before, custom)) if before else {}
    new = dict(leaves(after, custom))
    changed = {path for path, value in new.items() if path not in old or old[path] != value}
    mine = (manager, "Update")
    for owner in sets:
        sets[owner] = {path for path in sets[owner] if path in new and (owner == mine or path not in changed)}
    sets[mine] = sets.get(mine, set()) | changed
    return sets


def _step(node, part):
    if part.startswith("f:"):
        return node.get(part[2:]) if isinstance(node, dict) else None
    key, value = next(iter(json.loads(part[2:]).items()))
    items = node if isinstance(node, list) else []
    return next((item for item in items if item.get(key) == value), None)


def _set(document, path, value):
    node = document
    for part, after in zip(path, path[1:]):
        child = _step(node, part)
        if child is None or not isinstance(child, (dict, list)):
            child = {} if after.startswith("f:") else []
            _attach(node, part, child)
            child = _step(node, part)
        node = child
    _attach(node, path[-1], value)


def _attach(node, part, value):
    if part.startswith("f:"):
        node[part[2:]] = value
        return
    node.append({**json.loads(part[2:]), **(value if isinstance(value, dict) else {})})


def _remove(document, path):
    trail = [document]
    for part in path[:-1]:
        child = _step(trail[-1], part)
        if child is None:
            return
        trail.append(child)
    item, last = trail[-1], path[-1]
    if len(path) > 1 and path[-2].startswith("k:") and last[2:] in json.loads(path[-2][2:]):
        if len(item) == 1:  # only the joining key is left: the list's item goes
            trail[-2].remove(item)
        return
    item.pop(last[2:], None) if last.startswith("f:") else item.remove(_step(item, last))
    for node, part in reversed(list(zip(trail, path[:-1]))):
        if part.startswith("f:") and not node[part[2:]]:
            del node[part[2:]]
        else:
            return


def _key_last(path):
    return len(path) > 1 and path[-2].startswith("k:") and path[-1][2:] in json.loads(path[-2][2:])
