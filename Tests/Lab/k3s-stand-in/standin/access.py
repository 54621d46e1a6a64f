"""What a service account may do, by the role bindings in the cluster.

The API itself asks nobody: certificates of the cluster may do all. This is for the workloads that the
stand-in plays itself, which in a real cluster fail without their rights.
"""

from standin import kinds

ROLES = kinds.BUILT_IN["rbac.authorization.k8s.io", "roles"]
ROLE_BINDINGS = kinds.BUILT_IN["rbac.authorization.k8s.io", "rolebindings"]
CLUSTER_ROLES = kinds.BUILT_IN["rbac.authorization.k8s.io", "clusterroles"]
CLUSTER_ROLE_BINDINGS = kinds.BUILT_IN["rbac.authorization.k8s.io", "clusterrolebindings"]


class Access:
    """The rights in a cluster; `listing(kind)` returns all objects of a kind."""

    def __init__(self, listing):
        self.bindings = [*listing(CLUSTER_ROLE_BINDINGS), *listing(ROLE_BINDINGS)]
        self.roles = {("ClusterRole", None, role["metadata"]["name"]): role for role in listing(CLUSTER_ROLES)}
        self.roles.update({("Role", role["metadata"]["namespace"], role["metadata"]["name"]): role
                           for role in listing(ROLES)})

    def denial(self, account, verb, group, resource, namespace=None):
        """The API server's sentence when (namespace, name) may not do something, or None."""
        if any(_covers(rule, verb, group, resource) for rule in self._rules(account, namespace)):
            return None
        where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
        return (f'{resource} is forbidden: User "system:serviceaccount:{account[0]}:{account[1]}" cannot {verb} '
                f'resource "{resource}" in API group "{group}" {where}')

    def _rules(self, account, namespace):
        for binding in self.bindings:
            own = binding["metadata"].get("namespace") if binding["kind"] == "RoleBinding" else None
            if own is not None and own != namespace:
                continue
            if not any(_is(subject, account) for subject in binding.get("subjects") or []):
                continue
            reference = binding["roleRef"]
            if (reference["kind"], reference["name"]) == ("ClusterRole", "cluster-admin"):
                yield {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
                continue
            key = (reference["kind"], own if reference["kind"] == "Role" else None, reference["name"])
            yield from self.roles.get(key, {}).get("rules") or []


def _is(subject, account):
    namespace, name = account
    kind = subject.get("kind")
    if kind == "Group":
        return subject.get("name") in ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return kind == "ServiceAccount" and (subject.get("namespace"), subject.get("name")) == (namespace, name)


def _covers(rule, verb, group, resource):
    return not rule.get("resourceNames") and all(
        word in (rule.get(field) or []) or "*" in (rule.get(field) or [])
        for field, word in (("verbs", verb), ("apiGroups", group), ("resources", resource)))
