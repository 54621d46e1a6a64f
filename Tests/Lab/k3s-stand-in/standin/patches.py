"""The three classic patches: JSON merge, strategic merge and JSON patch."""

import copy

from standin.apierror import ApiError

# Lists that strategic merge joins by a key, by the name of their field.
MERGE_KEYS = {
    "containers": "name", "initContainers": "name", "ephemeralContainers": "name", "env": "name",
    "volumes": "name", "volumeMounts": "mountPath", "volumeDevices": "devicePath",
    "imagePullSecrets": "name", "conditions": "type", "addresses": "type",
    "ownerReferences": "uid", "hostAliases": "ip", "secrets": "name",
}
MERGE_PORTS = ("containerPort", "port")
MERGE_SETS = ("finalizers",)


def merge(target, patch):
    """Apply a JSON merge patch (RFC 7386)."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def strategic(target, patch):
    """Apply a strategic merge patch, with the lists above joined by key."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    directive = patch.get("$patch")
    if directive == "delete":
        return None
    result = {} if directive == "replace" or not isinstance(target, dict) else dict(target)
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            result[name] = [item for item in result.get(name, []) if item not in value]
        elif key.startswith("$"):
            continue
        elif value is None:
            result.pop(key, None)
        elif isinstance(value, list):
            result[key] = _strategic_list(key, result.get(key) or [], value)
        else:
            merged = strategic(result.get(key), value)
            if merged is None:
                result.pop(key, None)
            else:
                result[key] = merged
    return result


def _strategic_list(name, target, patch):
    if name in MERGE_SETS:
        return target + [item for item in patch if item not in target]
    merge_key = list_key(name, patch)
    if merge_key is None or any(item.get("$patch") == "replace" for item in patch):
        return [item for item in copy.deepcopy(patch) if not (isinstance(item, dict) and "$patch" in item)]
    result = list(target)
    for item in patch:
        place = next((index for index, old in enumerate(result) if old.get(merge_key) == item[merge_key]), None)
        if item.get("$patch") == "delete":
            if place is not None:
                del result[place]
        elif place is None:
            result.append(strategic({}, item))
        else:
            result[place] = strategic(result[place], item)
    return result


def list_key(name, items):
    """The key that joins a list's items, or None for a list that is replaced as a whole."""
    if not all(isinstance(item, dict) for item in items):
        return None
    choices = MERGE_PORTS if name == "ports" else (MERGE_KEYS.get(name),)
    for key in choices:
        if key and all(key in item or "$patch" in item for item in items):
            return key
    return None


def json_patch(target, operations):
    """Apply a JSON patch (RFC 6902)."""
    result = copy.deepcopy(target)
    for operation in operations:
        result = _json_step(result, operation)
    return result


def _json_step(document, operation):
    kind, path = operation["op"], _pointer(operation["path"])
    if kind == "test":
        if _at(document, path) != operation.get("value"):
            raise ApiError(422, f"the server rejected our request due to an error in our request: testing "
                           f"value {operation['path']} failed")
        return document
    if kind in ("move", "copy"):
        source = _pointer(operation["from"])
        value = copy.deepcopy(_at(document, source))
        if kind == "move":
            _remove(document, source)
        return _add(document, path, value)
    if kind == "remove":
        _remove(document, path)
        return document
    if kind == "replace":
        _at(document, path)
        if path:
            _remove(document, path)
    return _add(document, path, copy.deepcopy(operation.get("value")))


def _pointer(text):
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _at(document, path):
    for part in path:
        try:
            document = document[int(part)] if isinstance(document, list) else document[part]
        except (KeyError, IndexError, ValueError, TypeError):
            raise ApiError(422, f"the server rejected our request due to an error in our request: "
                           f"/{'/'.join(path)} is missing") from None
    return document


def _remove(document, path):
    _at(document, path)
    parent = _at(document, path[:-1])
    if isinstance(parent, list):
        del parent[int(path[-1])]
    else:
        del parent[path[-1]]


def _add(document, path, value):
    if not path:
        return value
    parent = _at(document, path[:-1])
    if isinstance(parent, list):
        parent.insert(len(parent) if path[-1] == "-" else int(path[-1]), value)
    else:
        parent[path[-1]] = value
    return document
