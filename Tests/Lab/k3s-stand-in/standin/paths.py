"""Where k3s keeps its files, and how ours are written: whole, or not at all."""

import json
import os

NODE_PASSWORD = "/etc/rancher/node/password"


class Layout:
    """The files under one data-dir."""

    def __init__(self, data_dir):
        self.data = data_dir
        self.server = os.path.join(data_dir, "server")
        self.tls = os.path.join(self.server, "tls")
        self.db = os.path.join(self.server, "db")
        self.etcd = os.path.join(self.db, "etcd")
        self.wal = os.path.join(self.etcd, "member", "wal")
        self.snap = os.path.join(self.etcd, "member", "snap")
        self.snapshots = os.path.join(self.db, "snapshots")
        self.manifests = os.path.join(self.server, "manifests")
        self.cred = os.path.join(self.server, "cred")
        self.agent = os.path.join(data_dir, "agent")
        self.tombstone = os.path.join(self.etcd, "tombstone")
        self.reset_flag = os.path.join(self.db, "reset-flag")

    def tls_file(self, name):
        """A file under server/tls."""
        return os.path.join(self.tls, name)

    def token_file(self, name):
        """A file beside server/token."""
        return os.path.join(self.server, name)


def write(path, content, mode=0o600):
    """Replace a file durably: temporary name, fsync, rename, fsync of the folder."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if isinstance(content, str):
        content = content.encode()
    partial = path + ".tmp"
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(handle, view):]
        os.fchmod(handle, mode)
        os.fsync(handle)
    finally:
        os.close(handle)
    os.replace(partial, path)
    sync_folder(os.path.dirname(path))


def sync_folder(path):
    """Make a rename or a new file survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(path):
    """Return a file's text, or None when it is not there."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def read_json(path):
    """Return a JSON file's value, or None when it is not there."""
    content = read(path)
    return None if content is None else json.loads(content)
