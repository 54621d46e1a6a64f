"""Kubernetes objects on the datastore: create, read, update, delete, and the rules between."""

import base64
import copy
import random
import re
import time
import uuid

from standin import defaults, kinds, ownership, schema, shapes
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
        self.services = "10.43.0.0/16"  # where addresses of Services are taken from

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
        item = self._completed(kind, item, None)
        meta = item["metadata"]
        if manages(kind):
            sets = sets or ownership.after_update(None, _spoken(kind, item), manager, shape(kind, item))
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

    def _completed(self, kind, item, before):
        """An object with defaults, pruned, and found to be valid."""
        if kind.custom:
            item = schema.pruned(kind.schema(item["apiVersion"].rpartition("/")[2]), item)
        complete(kind, item)
        if kind is kinds.SERVICES and before:
            old, spec = before.get("spec", {}), item.setdefault("spec", {})
            if spec.get("type", "ClusterIP") != "ExternalName":
                defaults.put(spec, **{key: old[key] for key in ("clusterIP", "clusterIPs") if key in old})
        if before is None or strip(before) != strip(item):
            defaults.fill(kind, item, self.services)
        if before is None or _said(before) != _said(item):
            schema.check(kind, item, before)
        return item

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
            if subresource != "status":
                after = self._completed(kind, after, before)
                count_generation(kind, before, after)
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
                sets = ownership.after_update(_spoken(kind, before), _spoken(kind, after), manager, shape(kind, after))
            meta["managedFields"] = ownership.write_sets(sets, after["apiVersion"], now(), old_managed)
        meta.pop("resourceVersion", None)
        if dry_run:
            return after
        key = kind.key(meta.get("namespace"), meta["name"])
        gone = meta.get("deletionTimestamp") and not meta.get("finalizers") and before["metadata"].get("finalizers")
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
        if config["metadata"].get("managedFields"):
            raise ApiError(400, "metadata.managedFields must be nil")
        config = _without_nulls(_spoken(kind, config))
        version = config["metadata"].pop("resourceVersion", None)
        schema.check_typed(kind, config, list(ownership.twice(config, shape(kind, config))))
        if self.find(kind, namespace, name) is None:
            if version:
                raise conflict(kind, name)
            seed = {"apiVersion": config["apiVersion"], "kind": config["kind"], "metadata": {}}
            item, sets = ownership.apply(seed, config, manager, force, shape(kind, config))
            item["metadata"].update({key: value for key, value in config["metadata"].items()
                                     if key in ("name", "namespace")})
            try:
                return self.create(kind, namespace, item, manager, dry_run, sets=sets), True
            except ApiError as problem:
                if problem.reason != "AlreadyExists":
                    raise

        def change(old):
            if version not in (None, "", old["metadata"]["resourceVersion"]):
                raise conflict(kind, name)
            return ownership.apply(old, config, manager, force, shape(kind, config))
        return self.update(kind, namespace, name, change, manager=manager, dry_run=dry_run), False

    def delete(self, kind, namespace, name, dry_run=False, preconditions=None, force=False):
        """Delete an object, or mark it while finalizers hold it; returns what it was.

        A pod on a silent node is only marked, unless `force`: nobody there can confirm its end.
        """
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
            if self._delete_now(kind, namespace, name, entry, force):
                return item
        raise conflict(kind, name)

    def orphan(self, kind, owner):
        """Let what an object owns stand by itself."""
        uid = owner["metadata"]["uid"]

        def change(old):
            meta = old["metadata"]
            meta["ownerReferences"] = [one for one in meta.get("ownerReferences", []) if one["uid"] != uid]
            if not meta["ownerReferences"]:
                del meta["ownerReferences"]
            return old
        for other in (kinds.PODS, kinds.REPLICA_SETS):
            for item in self.list(other, owner["metadata"].get("namespace"))[1] if kind.group == "apps" else ():
                if any(one["uid"] == uid for one in item["metadata"].get("ownerReferences", [])):
                    self.update(other, item["metadata"]["namespace"], item["metadata"]["name"], change)

    def _is_out_of_reach(self, pod):
        node = self.datastore.state.get(kinds.NODES.key(None, (pod.get("spec") or {}).get("nodeName") or ""))
        return node is not None and _ready(node["value"]) == "Unknown"

    def _delete_now(self, kind, namespace, name, entry, force):
        key = kind.key(namespace, name)
        meta = entry["value"]["metadata"]
        if meta.get("finalizers") or kind is kinds.PODS and not force and self._is_out_of_reach(entry["value"]):
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


def _ready(node):
    return next((one["status"] for one in (node.get("status") or {}).get("conditions") or []
                 if one["type"] == "Ready"), None)


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
    return after


def count_generation(kind, before, after):
    """A changed specification is a new generation."""
    old = before["metadata"].get("generation")
    if old is not None:
        same = after.get("spec") == before.get("spec") if kind.status else \
            {**strip(after), "metadata": 0} == {**strip(before), "metadata": 0}
        after["metadata"]["generation"] = old if same else old + 1


def shape(kind, item):
    """How an object of this kind merges."""
    return shapes.shape_of(kind, item["apiVersion"])


def _said(item):
    return {key: value for key, value in item.items() if key not in ("metadata", "status")}


def _spoken(kind, item):
    """What the main resource speaks of: not the status, where that has a place of its own."""
    return {key: value for key, value in item.items() if key != "status"} if kind.status else item


def _without_nulls(value):
    if isinstance(value, dict):
        return {key: _without_nulls(child) for key, child in value.items() if child is not None}
    return [_without_nulls(child) for child in value] if isinstance(value, list) else value


def complete(kind, item):
    """Fill in what the API server itself adds."""
    meta = item["metadata"]
    if "generation" not in meta and (kind.status and kind.group or kind.custom):
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
    if kind.status and not kind.custom and not kind.group.endswith(".cattle.io"):
        item.setdefault("status", {})


def _complete_definition(item):
    names = item["spec"]["names"]
    names.setdefault("singular", names["kind"].lower())
    names.setdefault("listKind", names["kind"] + "List")
    item.setdefault("status", {
        "acceptedNames": {"kind": "", "plural": ""}, "conditions": [],
        "storedVersions": [version["name"] for version in item["spec"]["versions"] if version.get("storage")]})
