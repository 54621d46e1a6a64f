"""Label and field selectors."""

import re

from standin.apierror import ApiError

_SET = re.compile(r"^\s*(\S+)\s+(in|notin)\s+\(([^)]*)\)\s*$")


def labels(selector):
    """Return a test for an object's labels."""
    tests = [_label_test(part) for part in _split(selector)]
    return lambda item: all(test(item["metadata"].get("labels") or {}) for test in tests)


def _split(selector):
    return [part for part in re.split(r",(?![^(]*\))", selector or "") if part.strip()]


def _label_test(part):
    match = _SET.match(part)
    if match:
        key, word, values = match.group(1), match.group(2), {value.strip() for value in match.group(3).split(",")}
        if word == "in":
            return lambda found: found.get(key) in values
        return lambda found: found.get(key) not in values
    if "!=" in part:
        key, _, value = part.partition("!=")
        return lambda found: found.get(key.strip()) != value.strip()
    if "=" in part:
        key, _, value = part.replace("==", "=").partition("=")
        return lambda found: found.get(key.strip()) == value.strip()
    if part.strip().startswith("!"):
        return lambda found: part.strip()[1:] not in found
    return lambda found: part.strip() in found


def fields(selector):
    """Return a test for an object's fields, by dotted path."""
    tests = []
    for part in _split(selector):
        match = re.match(r"^([\w.]+)(==|=|!=)(.*)$", part.strip())
        if not match:
            raise ApiError(400, f'invalid field selector "{part}"')
        tests.append(match.groups())

    def matches(item):
        return all((str(_dig(item, path) or "") == value) == (sign != "!=") for path, sign, value in tests)
    return matches


def _dig(item, path):
    for name in path.split("."):
        item = item.get(name) if isinstance(item, dict) else None
    return item
