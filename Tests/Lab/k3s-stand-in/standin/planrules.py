"""The rules of a Plan that need no cluster: hash, validation, choice of nodes, windows."""

import datetime
import hashlib
import json
import re

from standin import placing

GROUP = "upgrade.cattle.io"
DIGEST = GROUP + "/digest"
DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
NO_NODE = "disabled"
NEWEST = (99, 0)


class PlanError(Exception):
    """What makes a Plan invalid; the text is the controller's."""


def plan_label(name):
    """The label that a node carries once a Plan is done with it."""
    return f"plan.{GROUP}/{name}"


def controller_version(image):
    """(major, minor) of the controller by its image's tag; a tag that is no version counts as the newest."""
    match = re.search(r":v?(\d+)\.(\d+)\.\d+[^/]*$", image)
    return (int(match.group(1)), int(match.group(2))) if match else NEWEST


def tag(version):
    """A version as an image's tag can hold it."""
    return version.replace("+", "-")


# --- the hash ---------------------------------------------------------------------------------

def secret_hash(secret):
    """The ten letters by which kubectl names a Secret's content."""
    content = {"data": secret.get("data") or "", "kind": "Secret", "name": secret["metadata"]["name"],
               "type": secret.get("type", "")}
    if secret.get("immutable") is not None:
        content["immutable"] = secret["immutable"]
    text = json.dumps(content, separators=(",", ":"), sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    return digest.translate(str.maketrans("013ae", "ghkmt"))


def digest(plan, latest, secrets):
    """status.latestHash: of the version, the account, what the annotation names, and the secrets that count."""
    spec = plan["spec"]
    total = hashlib.sha224((latest + spec.get("serviceAccountName", "")).encode())
    named = (plan["metadata"].get("annotations") or {}).get(DIGEST)
    for path in named.split(",") if named else []:
        total.update(_text_at(plan, path.split(".")).encode())
    for one in spec.get("secrets") or []:
        if not one.get("ignoreUpdates"):
            total.update(secret_hash(secrets[one["name"]]).encode())
    return total.hexdigest()


def _text_at(value, path):
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return "" if value is None else _go(value)


def _go(value):
    """A value as Go prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{_go(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(_go(one) for one in value) + "]"
    return str(value)


# --- validation -------------------------------------------------------------------------------

def duration(text):
    """Seconds of a Go duration such as 5m or 1h30m."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)", text)
    if text.lstrip("-") != "".join(number + unit for number, unit in parts) or not parts:
        if text == "0":
            return 0.0
        raise PlanError(f'time: invalid duration "{text}"')
    units = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
    return sum(float(number) * units[unit] for number, unit in parts) * (-1 if text.startswith("-") else 1)


def validate(plan, version):
    """Raise a PlanError for a Plan that the controller of a version does not accept."""
    spec = plan["spec"]
    drain = spec.get("drain")
    if drain is not None:
        if drain.get("deleteEmptydirData") is not None and drain.get("deleteLocalData") is not None:
            raise PlanError("spec.drain cannot specify both deleteEmptydirData and deleteLocalData")
        try:
            placing.check_selector(drain.get("podSelector"))
        except placing.SelectorError as problem:
            raise PlanError(str(problem)) from None
    if version >= (0, 15):
        if spec.get("window") is not None:
            _check_window(spec["window"])
        if spec.get("postCompleteDelay") and duration(spec["postCompleteDelay"]) < 0:
            raise PlanError("spec.postCompleteDelay is negative")


def _check_window(window):
    try:
        _days(window.get("days") or [])
        _time(window.get("startTime") or "0:00")
        _time(window.get("endTime") or "23:59")
        _zone(window.get("timeZone"))
    except PlanError as problem:
        raise PlanError(f"[spec.window is invalid, {problem}]") from None


# --- windows ----------------------------------------------------------------------------------

def _days(words):
    found = set()
    for word in words:
        word = str(word).lower()
        matching = [index for index, day in enumerate(DAYS)
                    if word in (str(index), day, day[:3], day[:2])]
        if not matching:
            raise PlanError(f"Invalid weekday: {word}")
        found.update(matching)
    return found or set(range(7))


def _time(text):
    match = re.fullmatch(r"(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?\s*(am|pm)?h?", text.lower())
    hour = int(match.group(1)) if match else 99
    if match and match.group(4):
        hour = hour % 12 + (12 if match.group(4) == "pm" else 0)
    if hour > 23 or int(match.group(2) or 0) > 59:
        raise PlanError(f"Invalid time format: {text}")
    return datetime.time(hour, int(match.group(2) or 0), int(match.group(3) or 0))


def _zone(name):
    if name in (None, "", "UTC", "Etc/UTC"):
        return datetime.timezone.utc
    if name == "Local":
        return None
    import zoneinfo
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise PlanError(f"unknown time zone {name}") from None


def in_window(window, moment):
    """Whether a moment (with a time zone) lies in a Plan's window; one may pass midnight."""
    local = moment.astimezone(_zone(window.get("timeZone")))
    begin, end = _time(window.get("startTime") or "0:00"), _time(window.get("endTime") or "23:59:59")
    days, clock = _days(window.get("days") or []), local.time()
    today = (local.weekday() + 1) % 7
    if begin <= end:
        return today in days and begin <= clock <= end
    return (today in days and clock >= begin) or ((today - 1) % 7 in days and clock <= end)


# --- nodes ------------------------------------------------------------------------------------

def hostname(node):
    """The name under which a Plan knows a node."""
    return placing.labels_of(node).get(placing.HOSTNAME) or node["metadata"]["name"]


def select(plan, nodes):
    """The nodes to work on now: those under way first, then others in the order of their hashes."""
    spec, status, meta = plan["spec"], plan.get("status") or {}, plan["metadata"]
    latest, label = status.get("latestHash", ""), plan_label(meta["name"])
    candidates = [node for node in nodes if placing.selects(spec.get("nodeSelector"), placing.labels_of(node))
                  and placing.HOSTNAME in placing.labels_of(node)
                  and placing.labels_of(node).get(label) not in (NO_NODE, latest)]
    applying = status.get("applying") or []
    chosen = [node for node in candidates if placing.labels_of(node)[placing.HOSTNAME] in applying]
    rest = [node for node in candidates if placing.labels_of(node)[placing.HOSTNAME] not in applying]
    rest.sort(key=lambda node: hashlib.sha256(
        (node["metadata"]["uid"] + meta["uid"] + latest).encode()).hexdigest())
    chosen += rest[:max(0, (spec.get("concurrency") or 0) - len(chosen))]
    return sorted(chosen, key=lambda node: node["metadata"]["name"])


# --- conditions -------------------------------------------------------------------------------

def condition_of(status, kind):
    """A condition of a status, or an empty one."""
    return next((one for one in status.get("conditions") or [] if one["type"] == kind), {})


def set_condition(status, kind, value, reason, message, stamp):
    """Set a condition; its time moves only with its value or message."""
    found = condition_of(status, kind)
    if not found:
        found = {"type": kind}
        status.setdefault("conditions", []).append(found)
    if (found.get("status"), found.get("message", "")) != (value, message):
        found["lastUpdateTime"] = stamp
    found["status"] = value
    for key, word in (("reason", reason), ("message", message)):
        found.pop(key, None)
        if word:
            found[key] = word
