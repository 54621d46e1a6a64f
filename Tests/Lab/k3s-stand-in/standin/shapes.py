"""Where an object's lists are joined by keys, which are sets, and which fields are one whole."""

import json

KEYED = {
    "containers": ("name",), "initContainers": ("name",), "ephemeralContainers": ("name",), "env": ("name",),
    "volumes": ("name",), "volumeMounts": ("mountPath",), "volumeDevices": ("devicePath",),
    "conditions": ("type",), "addresses": ("type",), "ownerReferences": ("uid",), "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"), "webhooks": ("name",), "podIPs": ("ip",),
    "resourceClaims": ("name",), "schedulingGates": ("name",),
}
# The same name joins in one place and is replaced as a whole in another: (what holds the field, field).
KEYED_IN = {
    ("containers", "ports"): ("containerPort", "protocol"), ("initContainers", "ports"): ("containerPort", "protocol"),
    ("Service.spec", "ports"): ("port", "protocol"), ("ServiceAccount", "secrets"): ("name",),
    ("spec", "imagePullSecrets"): ("name",),
}
SETS = ("finalizers", "podCIDRs")
WHOLE = ("selector", "nodeSelector", "labelSelector", "namespaceSelector", "objectSelector", "podSelector",
         "secretKeyRef", "configMapKeyRef", "fieldRef", "resourceFieldRef", "roleRef", "scaleTargetRef",
         "claimRef", "targetRef", "involvedObject", "secretRef", "dataSource")
KEY_DEFAULTS = {"protocol": "TCP"}


class BuiltIn:
    """A place inside an object of Kubernetes' own kinds."""

    def __init__(self, name="", holder=""):
        self.name, self.holder = name, holder
        self.whole = name in WHOLE
        self.is_set = name in SETS
        self.keys = KEYED_IN.get((holder, name)) or KEYED_IN.get((holder.rpartition(".")[2], name)) or \
            KEYED.get(name, ())

    def field(self, name):
        """The place of one field."""
        if name == "spec" and self.holder == "":
            return BuiltIn(name, self.name)
        return BuiltIn(name, f"{self.holder}.spec" if self.name == "spec" and self.holder else self.name)

    def item(self):
        """The place of an item of this list."""
        return self


class Custom:
    """A place inside a custom resource, as its schema describes it."""

    def __init__(self, schema):
        self.schema = schema or {}
        kind = self.schema.get("x-kubernetes-list-type")
        self.whole = self.schema.get("x-kubernetes-map-type") == "atomic"
        self.is_set = kind == "set"
        self.keys = tuple(self.schema.get("x-kubernetes-list-map-keys", ())) if kind == "map" else ()

    def field(self, name):
        """The place of one field; metadata is the same in all kinds."""
        if name == "metadata":
            return BuiltIn("metadata")
        known = self.schema.get("properties", {}).get(name)
        rest = self.schema.get("additionalProperties")
        return Custom(known if known is not None else rest if isinstance(rest, dict) else {})

    def item(self):
        """The place of an item of this list."""
        return Custom(self.schema.get("items"))


def shape_of(kind, api_version=""):
    """The shape of a kind's objects."""
    if kind.custom:
        return Custom(kind.schema(api_version.rpartition("/")[2]))
    return BuiltIn(kind.name)


def item_key(keys, item):
    """How a list's item is named in a path, or None when it lacks a key."""
    found = {}
    for key in keys:
        value = item.get(key, KEY_DEFAULTS.get(key)) if isinstance(item, dict) else None
        if value is None:
            return None
        found[key] = value
    return "k:" + json.dumps(dict(sorted(found.items())), separators=(",", ":"))
