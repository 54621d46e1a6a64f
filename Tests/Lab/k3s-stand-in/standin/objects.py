"""Kubernetes objects on the datastore: create, read, update, delete, and the rules between."""

import base64
import copy
import random
import re
import time
import uuid

from standin import kinds, ownership
from standin.apierror import ApiError, already_exists, conflict, invalid, not_found, unavailable
from standin.datastore import Unavailable

RETRIES = 20
NAME = re.compile(r"^[a-z0-9]([a-z0-9.:_-]*[a-z0-9])?$")


def now():
    """The time as Kubernetes writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Objects:
    """The object store of one server."""

    def __init__(self, datastore):
        self.datastore = datastore

    def state(self):
        """The data, current as of now."""
        try:
            return self.datastore.read()
        except Unavailable as problem:
            raise unavailable(str(problem)) from None

    def _write(self, command):
        try:
            return self.datastore.write(command)
        except Unavailable as problem:
            raise unavailable(str(problem)) from None

    # --- reading ------------------------------------------------------------------------------

    def get(self, kind, namespace, name, state=None):
        """One object, or a NotFound."""
        entry = (state or self.state()).get(kind.key(namespace, name))
        if entry is None:
            raise not_found(kind, name)
        return shown(entry)

    def find(self, kind, namespace, name):
        """One object, or None."""
        entry = self.state().get(kind.key(namespace, name))
        return shown(entry) if entry else None

    def list(self, kind, namespace=None, state=None):
        """(revision, objects) of one kind."""
        revision, entries = (state or self.state()).list(kind.prefix(namespace))
        return revision, [shown(entry) for _, entry in entries]

    # --- writing ------------------------------------------------------------------------------

    def create(self, kind, namespace, item, manager="k3s", dry_run=False, operation="Update", sets=None):
        """Store a new object."""
        item = copy.deepcopy(item)
        meta = item.setdefault("metadata", {})
        name = meta.get("name") or self._generated(kind, meta)
        if not NAME.match(name) or len(name) > 253:
            raise invalid(kind, name, f'metadata.name: Invalid value: "{name}": a lowercase RFC 1123 subdomain '
                          "must consist of lower case alphanumeric characters, '-' or '.'")
        self._require_namespace(kind, namespace, item)
        meta.update({"uid": str(uuid.uuid4()), "creationTimestamp": now()})
        meta.pop("resourceVersion", None)
        item.setdefault("apiVersion", kind.api_version())
        item.setdefault("kind", kind.name)
        complete(kind, item)
        if manages(kind):
            sets = sets or ownership.after_update(None, item, manager, kind.custom)
            meta["managedFields"] = ownership.write_sets(sets, item["apiVersion"], now(), None)
        if dry_run:
            return item
        key = kind.key(namespace, name)
        result = self._write({"if": {key: 0}, "put": {key: item}})
        if not result["done"]:
            raise already_exists(kind, name)
        return {**item, "metadata": {**meta, "resourceVersion": str(result["revision"])}}

    def _generated(self, kind, meta):
        if not meta.get("generateName"):
            raise invalid(kind, "", "metadata.name: Required value: name or generateName is required")
        meta["name"] = meta["generateName"] + "".join(random.choices("bcdfghjklmnpqrstvwxz2456789", k=5))
        return meta["name"]

    def _require_namespace(self, kind, namespace, item):
        meta = item["metadata"]
        if not kind.namespaced:
            meta.pop("namespace", None)
            return
        if meta.setdefault("namespace", namespace) != namespace:
            raise ApiError(400, "the namespace of the provided object does not match the namespace sent "
                           "on the request")
        if self.state().get(kinds.NAMESPACES.key(None, namespace)) is None:
            raise not_found(kinds.NAMESPACES, namespace)

    def update(self, kind, namespace, name, change, subresource="", manager="k3s", dry_run=False):
        """Change an object: `change(old)` returns the new one; done again when another writer was faster."""
        for _ in range(RETRIES):
            entry = self.state().get(kind.key(namespace, name))
            if entry is None:
                raise not_found(kind, name)
            before = shown(entry)
            changed = change(copy.deepcopy(before))
            sets = None
            if isinstance(changed, tuple):
                changed, sets = changed
            wanted = changed.get("metadata", {}).get("resourceVersion")
            if wanted and wanted != before["metadata"]["resourceVersion"]:
                raise conflict(kind, name)
            after = settle(kind, before, changed, subresource)
            done = self._replace(kind, entry, before, after, subresource, manager, sets, dry_run)
            if done is not None:
                return done
        raise conflict(kind, name)

    def _replace(self, kind, entry, before, after, subresource, manager, sets, dry_run):
        meta = after["metadata"]
        old = strip(before)
        old_managed = before["metadata"].get("managedFields")
        if strip(after) == old and (sets is None or sets == ownership.read_sets(old_managed)):
            return before
        if manages(kind) and subresource != "status":
            if sets is None:
                sets = ownership.after_update(before, after, manager, kind.custom)
            meta["managedFields"] = ownership.write_sets(sets, after["apiVersion"], now(), old_managed)
        meta.pop("resourceVersion", None)
        if dry_run:
            return after
        key = kind.key(meta.get("namespace"), meta["name"])
        gone = meta.get("deletionTimestamp") and not meta.get("finalizers")
        change = {"delete": doomed_with(kind, key, meta["name"])} if gone else {"put": {key: after}}
        result = self._write({"if": {key: entry["mod"]}, **change})
        if not result["done"]:
            return None
        return {**after, "metadata": {**meta, "resourceVersion": str(result["revision"])}}

    def apply(self, kind, namespace, name, config, manager, force=False, dry_run=False):
        """Server-side apply; returns (object, whether it is new)."""
        config.setdefault("metadata", {})["name"] = name
        if kind.namespaced:
            config["metadata"].setdefault("namespace", namespace)
        config["metadata"].pop("managedFields", None)
        if self.find(kind, namespace, name) is None:
            seed = {"apiVersion": config["apiVersion"], "kind": config["kind"], "metadata": {}}
            item, sets = ownership.apply(seed, config, manager, force, kind.custom)
            item["metadata"].update({key: value for key, value in config["metadata"].items()
                                     if key in ("name", "namespace")})
            try:
                return self.create(kind, namespace, item, manager, dry_run, sets=sets), True
            except ApiError as problem:
                if problem.reason != "AlreadyExists":
                    raise

        def change(old):
            config["metadata"].pop("resourceVersion", None)
            return ownership.apply(old, config, manager, force, kind.custom)
        return self.update(kind, namespace, name, change, manager=manager, dry_run=dry_run), False

    def delete(self, kind, namespace, name, dry_run=False, preconditions=None):
        """Delete an object, or mark it while finalizers hold it; returns what it was."""
        for _ in range(RETRIES):
            entry = self.state().get(kind.key(namespace, name))
            if entry is None:
                raise not_found(kind, name)
            item = shown(entry)
            wanted = (preconditions or {}).get("uid")
            if wanted and wanted != item["metadata"]["uid"]:
                raise conflict(kind, name)
            if dry_run:
                return item
            if self._delete_now(kind, namespace, name, entry):
                return item
        raise conflict(kind, name)

    def _delete_now(self, kind, namespace, name, entry):
        key = kind.key(namespace, name)
        meta = entry["value"]["metadata"]
        if meta.get("finalizers"):
            if meta.get("deletionTimestamp"):
                return True
            marked = {**entry["value"], "metadata": {**meta, "deletionTimestamp": now(),
                                                     "deletionGracePeriodSeconds": 0}}
            return self._write({"if": {key: entry["mod"]}, "put": {key: marked}})["done"]
        doomed = doomed_with(kind, key, name)
        if kind is kinds.NAMESPACES:
            if name in ("default", "kube-system", "kube-public"):
                raise ApiError(403, f'namespaces "{name}" is forbidden: this namespace may not be deleted')
            doomed += [other for other, value in self.state().list("/registry/")[1]
                       if value["value"].get("metadata", {}).get("namespace") == name]
        if kind is kinds.DEFINITIONS:
            spec = entry["value"]["spec"]
            doomed += [other for other, _ in
                       self.state().list(f"/registry/{spec['group']}/{spec['names']['plural']}/")[1]]
        return self._write({"if": {key: entry["mod"]}, "delete": doomed})["done"]


def doomed_with(kind, key, name):
    """What goes with an object: a node's password and lease, so that its name is free again."""
    if kind is not kinds.NODES:
        return [key]
    return [key, kinds.SECRETS.key("kube-system", f"{name}.node-password.k3s"),
            kinds.LEASES.key("kube-node-lease", name)]


def shown(entry):
    """An object with its resourceVersion, safe to change at the top and in metadata."""
    item = dict(entry["value"])
    item["metadata"] = {**item["metadata"], "resourceVersion": str(entry["mod"])}
    return item


def strip(item):
    """An object without what changes at every write."""
    meta = {key: value for key, value in item["metadata"].items()
            if key not in ("resourceVersion", "managedFields")}
    return {**item, "metadata": meta}


def manages(kind):
    """Leases change every other second; nobody asks who owns their fields."""
    return kind is not kinds.LEASES


def settle(kind, before, after, subresource):
    """Keep what a writer may not change."""
    after = copy.deepcopy(after)
    if subresource == "status":
        return {**before, "status": after.get("status", {})}
    if kind.status and "status" in before:
        after["status"] = before["status"]
    meta, old = after.setdefault("metadata", {}), before["metadata"]
    for key in ("uid", "creationTimestamp", "name", "namespace", "deletionTimestamp", "generation"):
        if key in old:
            meta[key] = old[key]
        else:
            meta.pop(key, None)
    for key in ("labels", "annotations", "finalizers"):
        if key in meta and not meta[key]:
            del meta[key]
    after.setdefault("apiVersion", before["apiVersion"])
    after.setdefault("kind", before["kind"])
    complete(kind, after)
    if after.get("spec") != before.get("spec") and "generation" in old:
        meta["generation"] = old["generation"] + 1
    return after


def complete(kind, item):
    """Fill in what the API server itself adds."""
    meta = item["metadata"]
    if kind.status and "generation" not in meta and kind.group:
        meta["generation"] = 1
    if kind is kinds.NAMESPACES:
        item.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
        item["status"] = item.get("status") or {"phase": "Active"}
        meta.setdefault("labels", {})["kubernetes.io/metadata.name"] = meta["name"]
    elif kind is kinds.SECRETS:
        texts = item.pop("stringData", None) or {}
        if texts:
            item["data"] = {**(item.get("data") or {}), **{
                key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}}
        item.setdefault("type", "Opaque")
    elif kind is kinds.PODS:
        item["status"] = item.get("status") or {"phase": "Pending"}
    elif kind is kinds.DEFINITIONS:
        _complete_definition(item)


def _complete_definition(item):
    names = item["spec"]["names"]
    names.setdefault("singular", names["kind"].lower())
    names.setdefault("listKind", names["kind"] + "List")
    if not item.get("status", {}).get("conditions"):
        stamp = now()
        item["status"] = {
            "acceptedNames": names,
            "storedVersions": [version["name"] for version in item["spec"]["versions"] if version.get("storage")],
            "conditions": [
                {"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": stamp}
                for kind, reason, message in (
                    ("NamesAccepted", "NoConflicts", "no conflicts found"),
                    ("Established", "InitialNamesAccepted", "the initial names have been accepted"))]}
