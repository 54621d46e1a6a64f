"""`k3s token`: bootstrap tokens for agents, and rotation of the server token."""

import base64
import re
import sys
import time

from standin import jointoken, kinds, log, paths, snapshot
from standin.httpclient import HTTPError, WireError
from standin.kubeclient import path_of

STAMP = "%Y-%m-%dT%H:%M:%SZ"
OPTIONS = ("ttl", "description", "token", "new-token", "data-dir", "output", "server", "kubeconfig", "groups", "usages")


def parse(arguments):
    """Split words into names and options."""
    words, options, rest = [], {}, list(arguments)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            words.append(word)
            continue
        name, equals, value = word.lstrip("-").partition("=")
        name = {"t": "token", "o": "output", "d": "data-dir"}.get(name, name)
        if name not in OPTIONS:
            log.fatal(f"flag provided but not defined: -{name}")
        options[name] = value if equals else rest.pop(0) if rest else ""
    return words, options


def run(arguments):
    """create, delete, generate, list, rotate."""
    words, options = parse(arguments)
    verb = words[0] if words else ""
    if verb == "generate":
        print(jointoken.random_bootstrap())
        return 0
    settings = snapshot.known_settings()
    layout = paths.Layout(options.get("data-dir") or settings["data-dir"])
    client = snapshot.local_client(layout, settings["https-listen-port"])
    commands = {"create": create, "list": list_all, "ls": list_all, "delete": delete, "rotate": rotate}
    if verb not in commands:
        print(f"No help topic for '{verb}'", file=sys.stderr)
        return 3
    try:
        return commands[verb](client, layout, words[1:], options)
    except (HTTPError, WireError) as problem:
        log.fatal(str(problem))


def seconds(text):
    """Read a Go duration; 0 is for ever."""
    if text in ("0", "0s"):
        return 0
    parts = re.findall(r"(\d+)([hms])", text)
    if "".join(number + unit for number, unit in parts) != text:
        log.fatal(f'invalid value "{text}" for flag -ttl: parse error')
    return sum(int(number) * {"h": 3600, "m": 60, "s": 1}[unit] for number, unit in parts)


def create(client, layout, words, options):
    """Make a bootstrap token and print its full form."""
    token = words[0] if words else jointoken.random_bootstrap()
    match = jointoken.BOOTSTRAP.match(token)
    if not match:
        log.fatal(f'the bootstrap token "{token}" is not of the form "\\A([a-z0-9]{{6}})\\.([a-z0-9]{{16}})\\z"')
    life = seconds(options.get("ttl") or "24h")
    data = {"token-id": match.group(1), "token-secret": match.group(2), "usage-bootstrap-authentication": "true",
            "usage-bootstrap-signing": "true", "description": options.get("description", ""),
            "auth-extra-groups": "system:bootstrappers:k3s:default-node-token"}
    if life:
        data["expiration"] = time.strftime(STAMP, time.gmtime(time.time() + life))
    client.json("POST", path_of(kinds.SECRETS, "kube-system"), {
        "apiVersion": "v1", "kind": "Secret", "type": "bootstrap.kubernetes.io/token", "stringData": data,
        "metadata": {"name": f"bootstrap-token-{match.group(1)}", "namespace": "kube-system"}})
    with open(layout.tls_file("server-ca.crt"), "rb") as file:
        print(f"{jointoken.PREFIX}{jointoken.ca_hash(file.read())}::{token}")
    return 0


def _known(client):
    for item in client.json("GET", path_of(kinds.SECRETS, "kube-system"))["items"]:
        if item.get("type") == "bootstrap.kubernetes.io/token":
            yield {key: base64.b64decode(value).decode() for key, value in item["data"].items()}


def list_all(client, _, __, ___):
    """Show the bootstrap tokens."""
    from standin.kubeoutput import aligned
    lines = [["TOKEN", "TTL", "EXPIRES", "DESCRIPTION"]]
    for data in _known(client):
        expires = data.get("expiration", "")
        left = "<forever>"
        if expires:
            import calendar
            rest = calendar.timegm(time.strptime(expires, STAMP)) - time.time()
            left = f"{int(rest // 3600)}h" if rest > 0 else "<invalid>"
        lines.append([f"{data['token-id']}.{data['token-secret']}", left, expires or "<never>",
                      data.get("description") or "<none>"])
    print(aligned(lines))
    return 0


def delete(client, _, words, __):
    """Delete bootstrap tokens by id or in full."""
    for word in words:
        name = word.partition(".")[0]
        client.json("DELETE", path_of(kinds.SECRETS, "kube-system", f"bootstrap-token-{name}"))
        print(f'bootstrap token "{name}" deleted')
    return 0


def rotate(client, _, __, options):
    """Change the server token; every server has to be restarted with the new one."""
    if not options.get("token"):
        log.fatal("The original token is required: --token")
    new = options.get("new-token") or jointoken.random_password()
    client.json("POST", "/v1-k3s/stand-in/token", {
        "old": jointoken.parse(options["token"]).password, "new": jointoken.parse(new).password})
    print(f"Token rotated, restart k3s nodes with new token: {new}" if not options.get("new-token")
          else "Token rotated, restart k3s nodes with new token")
    return 0
