"""`k3s etcd-snapshot` and the files it makes: the whole state of this member at one moment."""

import gzip
import json
import os
import sys
import time

from standin import httpclient, log, paths, settings as config
from standin.version import VERSION

OPTIONS = {"name": "", "dir": "", "etcd-snapshot-dir": "", "snapshot-retention": "5", "data-dir": "",
           "node-name": "", "output": "", "snapshot-compress": ""}
SHORT = {"o": "output", "d": "data-dir"}


# --- on the server ----------------------------------------------------------------------------

def folder(settings, layout):
    """Where snapshots lie."""
    return settings["etcd-snapshot-dir"] or layout.snapshots


def save(server_settings, layout, datastore, objects, wanted):
    """Write a snapshot of our own member and declare it as an object; a lost majority does not prevent the file."""
    node = config.node_name(server_settings)
    name = f"{wanted.get('name') or 'on-demand'}-{node}-{int(time.time())}"
    place = wanted.get("dir") or folder(server_settings, layout)
    content = json.dumps({"format": "k3s-stand-in-snapshot", "version": VERSION,
                          "state": datastore.state.dump()}).encode()
    if wanted.get("compress") or server_settings["etcd-snapshot-compress"]:
        name, content = name + ".gz", gzip.compress(content)
    os.makedirs(place, mode=0o700, exist_ok=True)
    path = os.path.join(place, name)
    paths.write(path, content)
    log.info(f"Saving etcd snapshot to {path}")
    declare(objects, name, node, path, len(content))
    return {"name": name, "path": path, "size": len(content)}


def declare(objects, name, node, path, size):
    """Make the ETCDSnapshotFile object of a file."""
    from standin import kinds
    from standin.apierror import ApiError
    from standin.objects import now
    try:
        objects.create(kinds.SNAPSHOT_FILES, None, {
            "apiVersion": "k3s.cattle.io/v1", "kind": "ETCDSnapshotFile", "metadata": {"name": f"local-{name}"},
            "spec": {"snapshotName": name, "nodeName": node, "location": f"file://{path}"},
            "status": {"readyToUse": True, "size": str(size), "creationTime": now()}})
    except ApiError as problem:
        log.warning(f"Failed to record snapshot {name}: {problem.message}")


def forget(objects, name):
    """Drop the object of a deleted file."""
    from standin import kinds
    from standin.apierror import ApiError
    try:
        objects.delete(kinds.SNAPSHOT_FILES, None, f"local-{name}")
    except ApiError as problem:
        log.warning(f"Failed to forget snapshot {name}: {problem.message}")


def read(path):
    """The state inside a snapshot file."""
    with open(path, "rb") as file:
        content = file.read()
    if path.endswith(".gz"):
        content = gzip.decompress(content)
    value = json.loads(content)
    if value.get("format") != "k3s-stand-in-snapshot":
        raise ValueError("not a snapshot of the stand-in")
    return value["state"]


# --- the command ------------------------------------------------------------------------------

def local_client(layout, port=6443):
    """The running server of this machine, as its administrator."""
    pair = tuple(layout.tls_file("client-admin" + ending) for ending in (".crt", ".key"))
    ca_pem = paths.read(layout.tls_file("server-ca.crt"))
    if ca_pem is None or not os.path.exists(pair[0]):
        log.fatal(f"see server log for details: no k3s server has run on {layout.data}")
    return httpclient.Client(f"https://127.0.0.1:{port}", httpclient.context(ca_pem, pair), 30.0)


def parse(arguments):
    """Split words into names and options; S3 is refused, since the stand-in knows no object store."""
    words, options, rest = [], dict(OPTIONS), list(arguments)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            words.append(word)
            continue
        name, equals, value = word.lstrip("-").partition("=")
        name = SHORT.get(name, name)
        if name.startswith(("s3", "etcd-s3")):
            if name.endswith("s3") and value == "false":
                continue
            log.fatal("the stand-in keeps snapshots in local files only: S3 is not supported")
        if name not in OPTIONS:
            log.fatal(f"flag provided but not defined: -{name}")
        options[name] = value if equals else "true" if name == "snapshot-compress" else rest.pop(0)
    return words, options


def known_settings():
    """The server's configuration file, which this command reads too."""
    try:
        return config.load("server", [])
    except config.SettingsError as problem:
        log.fatal(str(problem))


def files(place):
    """Snapshot files, oldest first."""
    names = os.listdir(place) if os.path.isdir(place) else []
    found = [os.path.join(place, name) for name in names if not name.endswith(".tmp")]
    return sorted(found, key=lambda path: (os.path.getmtime(path), path))


def run(arguments):
    """save, ls, delete, prune."""
    words, options = parse(arguments)
    settings = known_settings()
    layout = paths.Layout(options["data-dir"] or settings["data-dir"])
    place = options["dir"] or options["etcd-snapshot-dir"] or folder(settings, layout)
    verb = words[0] if words else "save"
    if verb == "save":
        return command_save(layout, settings, options)
    if verb in ("ls", "list", "l"):
        return command_list(place, options)
    if verb == "delete":
        return command_delete(layout, settings, place, words[1:])
    if verb == "prune":
        return command_prune(layout, settings, place, options)
    print(f"No help topic for '{verb}'", file=sys.stderr)
    return 3


def ask(layout, settings, path, value):
    """Let the running server do the work, since the datastore is in its hands."""
    try:
        return local_client(layout, settings["https-listen-port"]).json("POST", path, value)
    except httpclient.HTTPError as problem:
        log.fatal(f"see server log for details: {problem}")
    except httpclient.WireError as problem:
        log.fatal(f"see server log for details: {problem}")


def command_save(layout, settings, options):
    """Save now."""
    done = ask(layout, settings, "/v1-k3s/stand-in/snapshot", {
        "name": options["name"], "dir": options["dir"] or options["etcd-snapshot-dir"],
        "compress": bool(options["snapshot-compress"])})
    log.info(f"Snapshot {done['name']} saved.")
    return 0


def command_list(place, options):
    """Show what is there."""
    rows = [(os.path.basename(path), f"file://{path}", os.path.getsize(path),
             time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(os.path.getmtime(path)))) for path in files(place)]
    if options["output"] == "json":
        items = [{"apiVersion": "k3s.cattle.io/v1", "kind": "ETCDSnapshotFile", "metadata": {"name": f"local-{name}"},
                  "spec": {"snapshotName": name, "location": location},
                  "status": {"readyToUse": True, "size": str(size), "creationTime": created}}
                 for name, location, size, created in rows]
        print(json.dumps({"apiVersion": "k3s.cattle.io/v1", "kind": "ETCDSnapshotFileList", "items": items}, indent=2))
        return 0
    from standin.kubeoutput import aligned
    print(aligned([["Name", "Location", "Size", "Created"], *([str(cell) for cell in row] for row in rows)]))
    return 0


def command_delete(layout, settings, place, names):
    """Delete by name."""
    for name in names:
        path = os.path.join(place, name)
        if not os.path.exists(path):
            log.fatal(f"snapshot {name} not found")
        os.unlink(path)
        ask(layout, settings, "/v1-k3s/stand-in/snapshot", {"forget": name})
        log.info(f"Snapshot {name} deleted.")
    return 0


def command_prune(layout, settings, place, options):
    """Keep the newest of one base name."""
    prefix = (options["name"] or "on-demand") + "-"
    mine = [path for path in files(place) if os.path.basename(path).startswith(prefix)]
    keep = int(options["snapshot-retention"])
    return command_delete(layout, settings, place, [os.path.basename(path) for path in mine[:max(0, len(mine) - keep)]])
