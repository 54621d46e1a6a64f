"""kubectl's way to the API: kubeconfig, requests, and the words of its errors."""

import base64
import copy
import json
import os
import sys
import urllib.parse

from standin import httpclient, kinds

DEFAULT = "/etc/rancher/k3s/k3s.yaml"


class Failure(Exception):
    """What kubectl prints before it exits with 1."""

    def __init__(self, message, status=None, among_others=None):
        super().__init__(message)
        self.among_others = among_others or message.removeprefix("error: ")  # kubectl's words beside other failures
        self.status = status  # the HTTP status, when the server answered


def seconds(text, default):
    """Read a duration such as 30s, 5m or 0."""
    if not text:
        return default
    units = {"s": 1, "m": 60, "h": 3600}
    return float(text[:-1]) * units[text[-1]] if text[-1] in units else float(text)


class KubeClient:
    """One kubeconfig's current context."""

    def __init__(self, options):
        import yaml
        path = options.get("kubeconfig") or os.environ.get("KUBECONFIG") or DEFAULT
        try:
            with open(path, encoding="utf-8") as file:
                config = yaml.load(file, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except FileNotFoundError:
            raise Failure("The connection to the server localhost:8080 was refused - did you specify the right "
                          "host or port?") from None
        except OSError as problem:
            raise Failure(f"error: error loading config file \"{path}\": {problem.strerror.lower()}") from None
        name = options.get("context") or config["current-context"]
        context = _named(config, "contexts", name)["context"]
        cluster = _named(config, "clusters", context["cluster"])["cluster"]
        user = _named(config, "users", context["user"])["user"]
        self.namespace = options.get("namespace") or context.get("namespace") or "default"
        tls = httpclient.context(base64.b64decode(cluster["certificate-authority-data"]), _identity(user))
        url = options.get("server") or cluster["server"]
        self.http = httpclient.Client(url, tls, seconds(options.get("request-timeout"), 32.0) or 32.0,
                                      {"User-Agent": "kubectl/v1.29 (stand-in)", "Accept": "application/json"})

    def raw(self, method, path, body=None, headers=None):
        """Return the bytes of a good answer, or fail with kubectl's words."""
        try:
            status, fields, data = self.http.request(method, path, body, headers)
        except httpclient.WireError as problem:
            if isinstance(problem.__cause__, ConnectionRefusedError):
                raise Failure(f"The connection to the server {self.http.host}:{self.http.port} was refused - did you "
                              "specify the right host or port?") from None
            raise Failure(f"Unable to connect to the server: {str(problem).partition(': ')[2]}") from None
        self._warn(fields)
        if 200 <= status < 300:
            return data
        try:
            answer = json.loads(data)
            raise Failure(_words(answer), status, _plain_words(answer))
        except (ValueError, KeyError, TypeError):
            raise Failure(f"Error from server: {data.decode(errors='replace').strip()}", status) from None

    def _warn(self, fields):
        """Pass on what the server warns of."""
        for name, value in fields.items():
            if name.lower() == "warning" and value.startswith("299 - "):
                print("Warning: " + value[6:].strip('"').replace('\\"', '"'), file=sys.stderr)

    def json(self, method, path, value=None, kind="application/json", accept=None):
        """Send and receive JSON."""
        headers = {"Content-Type": kind, **({"Accept": accept} if accept else {})}
        body = None if value is None else json.dumps(value).encode()
        return json.loads(self.raw(method, path, body, headers))

    def kind(self, word):
        """The kind of a word such as `no`, `nodes`, `deployments.apps`."""
        word = word.lower()
        for kind in kinds.BUILT_IN.values():
            if word in names(kind):
                return kind
        for kind in self._custom():
            if word in names(kind):
                return kind
        plural, _, rest = word.partition(".")
        version, _, group = rest.partition(".")
        for kind in (*kinds.BUILT_IN.values(), *self._custom()):
            if (kind.plural, kind.group) == (plural, group) and version in kind.versions:
                found = copy.copy(kind)
                found.versions = [version]
                return found
        raise Failure(f'error: the server doesn\'t have a resource type "{word}"')

    def kind_of(self, item, source="STDIN"):
        """The kind of an object in a file."""
        version, name = item.get("apiVersion", ""), item.get("kind", "")
        item.pop("\0source", None)
        group, _, part = version.rpartition("/")
        found = kinds.find_by_name(_Definitions([]), version, name) or \
            next((kind for kind in self._custom()
                  if (kind.name, kind.group) == (name, group) and part in kind.versions), None)
        if found is None:
            raise Failure(f'error: resource mapping not found for name: "{item.get("metadata", {}).get("name")}" '
                          f'namespace: "{item.get("metadata", {}).get("namespace", "")}" from "{source}": '
                          f'no matches for kind "{name}" in version "{version}"\n'
                          "ensure CRDs are installed first")
        return found

    def _custom(self):
        items = self.json("GET", path_of(kinds.DEFINITIONS, None))["items"]
        return list(kinds.custom(_Definitions(items)))


def _plain_words(answer):
    reason = f" ({answer['reason']})" if answer["reason"] else ""
    return f"Error from server{reason}: {answer['message']}"


def _words(answer):
    """A Status object as kubectl tells it."""
    details = answer.get("details") or {}
    if answer["reason"] != "Invalid" or not details.get("causes"):
        return _plain_words(answer)
    causes = [f"{one['field']}: {one['message']}" for one in details["causes"]]
    begin = f'The {details.get("kind")} "{details.get("name")}" is invalid: '
    return begin + causes[0] if len(causes) == 1 else begin + "".join("\n* " + cause for cause in causes)


class _Definitions:
    """A list of CustomResourceDefinitions in the shape the datastore has."""

    def __init__(self, items):
        self.items = items

    def list(self, _):
        """All of them."""
        return 0, [("", {"value": item}) for item in self.items]


def names(kind):
    """All words for a kind."""
    words = {kind.plural, kind.name.lower(), *kind.short}
    if kind.group:
        words |= {f"{kind.plural}.{kind.group}", f"{kind.name.lower()}.{kind.group}"}
    return words


def _named(config, section, name):
    for entry in config.get(section) or []:
        if entry["name"] == name:
            return entry
    raise Failure(f'error: {section[:-1]} "{name}" does not exist')


def _identity(user):
    """Hand the client certificate to OpenSSL without it touching a disk."""
    if "client-certificate" in user:
        return user["client-certificate"], user["client-key"]
    if "client-certificate-data" not in user:
        return None
    handle = os.memfd_create("identity")
    os.write(handle, base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"]))
    return f"/proc/self/fd/{handle}", f"/proc/self/fd/{handle}"


def path_of(kind, namespace, name=None, subresource="", version=None, **query):
    """The URL path of a kind, an object or its subresource."""
    base = f"/apis/{kind.group}/{version or kind.versions[0]}" if kind.group else "/api/v1"
    if kind.namespaced and namespace:
        base += f"/namespaces/{namespace}"
    path = f"{base}/{kind.plural}"
    if name:
        path += "/" + urllib.parse.quote(name)
    if subresource:
        path += "/" + subresource
    query = {key: value for key, value in query.items() if value}
    return path + ("?" + urllib.parse.urlencode(query) if query else "")
