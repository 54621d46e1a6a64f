"""kubectl's jsonpath templates, as far as operators use them."""

import json
import re

_STEP = re.compile(r"""
    \.\.(?P<deep>[\w-]+) | \.(?P<name>(?:\\.|[^.\[\]{}'"\\\s])+) | \[\?\((?P<filter>.*?)\)\]
    | \['(?P<quoted>[^']*)'\] | \["(?P<double>[^"]*)"\] | \[(?P<index>[-\d:*,]*)\] | (?P<dot>\.)(?=$)
""", re.VERBOSE)
_FILTER = re.compile(r"""^\s*@(?P<path>[^=!<>\s]*)\s*(?:(?P<sign>==|!=)\s*(?P<value>.+?))?\s*$""")


class PathError(Exception):
    """A template that cannot be read."""


def render(template, value):
    """Fill in a template such as `{.items[*].metadata.name}`."""
    parts = re.findall(r"\{[^{}]*\}|[^{}]+", template)
    return _render(parts, value, value)


def _render(parts, root, current):
    out, place = [], 0
    while place < len(parts):
        part = parts[place]
        place += 1
        if not part.startswith("{"):
            out.append(part.replace("\\n", "\n").replace("\\t", "\t"))
            continue
        inner = part[1:-1].strip()
        if inner.startswith("range "):
            end = _end_of_range(parts, place)
            for item in evaluate(inner[6:].strip(), root, current):
                out.append(_render(parts[place:end], root, item))
            place = end + 1
        elif inner[:1] in "\"'" and inner:
            out.append(inner[1:-1].replace("\\n", "\n").replace("\\t", "\t"))
        else:
            out.append(" ".join(text(item) for item in evaluate(inner, root, current)))
    return "".join(out)


def _end_of_range(parts, place):
    depth = 1
    for index in range(place, len(parts)):
        inner = parts[index].strip("{} ")
        depth += inner.startswith("range ") - (inner == "end")
        if depth == 0:
            return index
    raise PathError("range without end")


def text(item):
    """A value as it stands in the output."""
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, str):
        return item
    return json.dumps(item, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def evaluate(path, root, current):
    """The values a path selects."""
    values = [root if path.startswith("$") else current]
    path = path.lstrip("$@")
    if path and path[0] not in ".[":
        path = "." + path
    place = 0
    while place < len(path):
        match = _STEP.match(path, place)
        if not match:
            raise PathError(f"unrecognized jsonpath at {path[place:]!r}")
        values = [found for value in values for found in _step(match, value)]
        place = match.end()
    return values


def _step(match, value):
    if match["deep"]:
        return _deep(match["deep"], value)
    if match["filter"] is not None:
        return [item for item in value if _matches(match["filter"], item)] if isinstance(value, list) else []
    if match["index"] is not None:
        return _index(match["index"], value)
    if match["dot"]:
        return [value]
    name = match["name"] or match["quoted"] or match["double"]
    name = re.sub(r"\\(.)", r"\1", name)
    if name == "*":
        return list(value.values()) if isinstance(value, dict) else list(value or [])
    return [value[name]] if isinstance(value, dict) and name in value else []


def _deep(name, value):
    children = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    own = [value[name]] if isinstance(value, dict) and name in value else []
    return own + [found for child in children for found in _deep(name, child)]


def _index(word, value):
    if not isinstance(value, list):
        return list(value.values()) if word == "*" and isinstance(value, dict) else []
    if word in ("*", ""):
        return value
    if ":" in word:
        start, _, end = word.partition(":")
        return value[int(start) if start else None:int(end) if end else None]
    return [value[int(one)] for one in word.split(",") if -len(value) <= int(one) < len(value)]


def _matches(condition, item):
    match = _FILTER.match(condition)
    if not match:
        raise PathError(f"unrecognized filter {condition!r}")
    found = evaluate(match["path"], item, item)
    if not match["sign"]:
        return bool(found)
    wanted = match["value"].strip("\"'")
    same = bool(found) and text(found[0]) == wanted
    return same == (match["sign"] == "==")
