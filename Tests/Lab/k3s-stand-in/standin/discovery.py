"""What the API offers: versions, groups, resources and a minimal OpenAPI document."""

import sys

from standin import kinds, scale
from standin.version import BUILD_DATE, VERSION, minor

VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]


def version():
    """The answer of /version."""
    major, middle = minor(VERSION)
    return {"major": str(major), "minor": str(middle), "gitVersion": VERSION, "gitCommit": "stand-in",
            "gitTreeState": "clean", "buildDate": BUILD_DATE, "goVersion": "none",
            "compiler": f"python{sys.version_info.major}.{sys.version_info.minor}", "platform": "linux/amd64"}


def answer(state, path, accept):
    """Return (content type, content) of a discovery path, or None when it is not one."""
    if path == "/api":
        return "application/json", {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    if path == "/apis":
        return "application/json", {"kind": "APIGroupList", "apiVersion": "v1", "groups": [
            group(name, versions) for name, versions in sorted(kinds.groups(state).items()) if name]}
    if path == "/openapi/v2":
        return openapi(accept)
    if path == "/openapi/v3":
        return "application/json", {"paths": {}}
    parts = path.strip("/").split("/")
    if parts == ["api", "v1"]:
        return "application/json", resources(state, "", "v1")
    groups = kinds.groups(state)
    if parts[0] == "apis" and len(parts) == 2 and parts[1] in groups:
        return "application/json", {"kind": "APIGroup", "apiVersion": "v1", **group(parts[1], groups[parts[1]])}
    if parts[0] == "apis" and len(parts) == 3 and parts[2] in groups.get(parts[1], []):
        return "application/json", resources(state, parts[1], parts[2])
    return None


def group(name, versions):
    """One APIGroup."""
    entries = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": entries, "preferredVersion": entries[0]}


def resources(state, name, version):
    """The APIResourceList of a group and version."""
    found = []
    for kind in kinds.of_group(state, name, version):
        entry = {"name": kind.plural, "singularName": kind.name.lower(), "namespaced": kind.namespaced,
                 "kind": kind.name, "verbs": VERBS}
        if kind.short:
            entry["shortNames"] = kind.short
        if kind.plural in kinds.ALL:
            entry["categories"] = ["all"]
        found.append(entry)
        if kind.status:
            found.append({"name": kind.plural + "/status", "singularName": "", "namespaced": kind.namespaced,
                          "kind": kind.name, "verbs": ["get", "patch", "update"]})
        if kind.group == "apps" and kind.plural in scale.SCALED:
            found.append({"name": kind.plural + "/scale", "singularName": "", "namespaced": True, "kind": "Scale",
                          "group": "autoscaling", "version": "v1", "verbs": ["get", "patch", "update"]})
        if kind is kinds.PODS:
            found.append({"name": "pods/eviction", "singularName": "", "namespaced": True, "group": "policy",
                          "version": "v1", "kind": "Eviction", "verbs": ["create"]})
    return {"kind": "APIResourceList", "apiVersion": "v1",
            "groupVersion": f"{name}/{version}" if name else version, "resources": found}


def openapi(accept):
    """A document without definitions: kubectl then validates nothing and asks us to."""
    if "protobuf" in accept:
        info = b"\x0a\x0aKubernetes\x12" + bytes([len(VERSION)]) + VERSION.encode()
        return ("application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
                b"\x0a\x032.0\x12" + bytes([len(info)]) + info)
    return "application/json", {"swagger": "2.0", "info": {"title": "Kubernetes", "version": VERSION}, "paths": {}}
