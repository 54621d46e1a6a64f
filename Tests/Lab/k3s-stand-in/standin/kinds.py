"""The kinds this API knows: built in, or declared by a CustomResourceDefinition."""

GROUP_VERSIONS = {
    "": ["v1"], "apps": ["v1"], "batch": ["v1"], "policy": ["v1", "v1beta1"],
    "coordination.k8s.io": ["v1"], "rbac.authorization.k8s.io": ["v1"],
    "apiextensions.k8s.io": ["v1"], "storage.k8s.io": ["v1"], "networking.k8s.io": ["v1"],
    "scheduling.k8s.io": ["v1"], "autoscaling": ["v2"], "apiregistration.k8s.io": ["v1"],
    "admissionregistration.k8s.io": ["v1"], "discovery.k8s.io": ["v1"], "node.k8s.io": ["v1"],
    "flowcontrol.apiserver.k8s.io": ["v1", "v1beta3"],
    "helm.cattle.io": ["v1"], "k3s.cattle.io": ["v1"],
}


# (group, version) -> deprecated in, gone in, what to use. policy/v1beta1 is gone in 1.25 in truth: it is kept here
# so that a test has a deprecated API to ask for.
DEPRECATED = {("policy", "v1beta1"): ("1.21", "1.25", "v1"),
              ("flowcontrol.apiserver.k8s.io", "v1beta3"): ("1.29", "1.32", "v1")}


class Kind:
    """One resource: its names, its place, its versions."""

    def __init__(self, group, plural, name, namespaced=True, short=(), versions=None, columns=None, status=True):
        self.group, self.plural, self.name = group, plural, name
        self.namespaced, self.short = namespaced, list(short)
        self.versions = versions or GROUP_VERSIONS[group]
        self.columns = columns  # additionalPrinterColumns of a custom resource
        self.schemas = {}  # version -> openAPIV3Schema of a custom resource
        self.status = status
        self.custom = versions is not None

    @property
    def qualified(self):
        """The name as kubectl and error messages write it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def api_version(self, version=None):
        """The apiVersion of an object of this kind."""
        version = version or self.versions[0]
        return f"{self.group}/{version}" if self.group else version

    def schema(self, version):
        """The schema of a version, or one that allows everything."""
        return self.schemas.get(version) or {"x-kubernetes-preserve-unknown-fields": True}

    def prefix(self, namespace=None):
        """Where the objects lie in the datastore."""
        base = f"/registry/{self.group or 'core'}/{self.plural}/"
        return f"{base}{namespace}/" if namespace and self.namespaced else base

    def key(self, namespace, name):
        """Where one object lies in the datastore."""
        return f"{self.prefix()}{namespace if self.namespaced else '-'}/{name}"


def _kinds():
    yield Kind("", "nodes", "Node", False, ["no"])
    yield Kind("", "namespaces", "Namespace", False, ["ns"])
    yield Kind("", "pods", "Pod", short=["po"])
    yield Kind("", "secrets", "Secret", status=False)
    yield Kind("", "configmaps", "ConfigMap", short=["cm"], status=False)
    yield Kind("", "services", "Service", short=["svc"])
    yield Kind("", "endpoints", "Endpoints", short=["ep"], status=False)
    yield Kind("", "serviceaccounts", "ServiceAccount", short=["sa"], status=False)
    yield Kind("", "events", "Event", short=["ev"], status=False)
    yield Kind("", "persistentvolumes", "PersistentVolume", False, ["pv"])
    yield Kind("", "persistentvolumeclaims", "PersistentVolumeClaim", short=["pvc"])
    yield Kind("", "resourcequotas", "ResourceQuota", short=["quota"])
    yield Kind("", "limitranges", "LimitRange", short=["limits"], status=False)
    yield Kind("apps", "deployments", "Deployment", short=["deploy"])
    yield Kind("apps", "daemonsets", "DaemonSet", short=["ds"])
    yield Kind("apps", "statefulsets", "StatefulSet", short=["sts"])
    yield Kind("apps", "replicasets", "ReplicaSet", short=["rs"])
    yield Kind("apps", "controllerrevisions", "ControllerRevision", status=False)
    yield Kind("batch", "jobs", "Job")
    yield Kind("batch", "cronjobs", "CronJob", short=["cj"])
    yield Kind("policy", "poddisruptionbudgets", "PodDisruptionBudget", short=["pdb"])
    yield Kind("coordination.k8s.io", "leases", "Lease", status=False)
    yield Kind("rbac.authorization.k8s.io", "roles", "Role", status=False)
    yield Kind("rbac.authorization.k8s.io", "rolebindings", "RoleBinding", status=False)
    yield Kind("rbac.authorization.k8s.io", "clusterroles", "ClusterRole", False, status=False)
    yield Kind("rbac.authorization.k8s.io", "clusterrolebindings", "ClusterRoleBinding", False, status=False)
    yield Kind("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition",
               False, ["crd", "crds"])
    yield Kind("storage.k8s.io", "storageclasses", "StorageClass", False, ["sc"], status=False)
    yield Kind("networking.k8s.io", "ingresses", "Ingress", short=["ing"])
    yield Kind("networking.k8s.io", "networkpolicies", "NetworkPolicy", short=["netpol"])
    yield Kind("networking.k8s.io", "ingressclasses", "IngressClass", False, status=False)
    yield Kind("scheduling.k8s.io", "priorityclasses", "PriorityClass", False, ["pc"], status=False)
    yield Kind("autoscaling", "horizontalpodautoscalers", "HorizontalPodAutoscaler", short=["hpa"])
    yield Kind("apiregistration.k8s.io", "apiservices", "APIService", False)
    yield Kind("admissionregistration.k8s.io", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration",
               False, status=False)
    yield Kind("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration",
               False, status=False)
    yield Kind("discovery.k8s.io", "endpointslices", "EndpointSlice", status=False)
    yield Kind("node.k8s.io", "runtimeclasses", "RuntimeClass", False, status=False)
    yield Kind("storage.k8s.io", "csidrivers", "CSIDriver", False, status=False)
    yield Kind("flowcontrol.apiserver.k8s.io", "flowschemas", "FlowSchema", False)
    yield Kind("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations", "PriorityLevelConfiguration", False)
    yield Kind("helm.cattle.io", "helmcharts", "HelmChart")
    yield Kind("helm.cattle.io", "helmchartconfigs", "HelmChartConfig")
    yield Kind("k3s.cattle.io", "addons", "Addon")
    yield Kind("k3s.cattle.io", "etcdsnapshotfiles", "ETCDSnapshotFile", False)


ALL = ("pods", "services", "daemonsets", "deployments", "replicasets", "statefulsets", "jobs", "cronjobs")
BUILT_IN = {(kind.group, kind.plural): kind for kind in _kinds()}
NODES = BUILT_IN["", "nodes"]
NAMESPACES = BUILT_IN["", "namespaces"]
PODS = BUILT_IN["", "pods"]
SECRETS = BUILT_IN["", "secrets"]
LEASES = BUILT_IN["coordination.k8s.io", "leases"]
DEFINITIONS = BUILT_IN["apiextensions.k8s.io", "customresourcedefinitions"]
ADDONS = BUILT_IN["k3s.cattle.io", "addons"]
SNAPSHOT_FILES = BUILT_IN["k3s.cattle.io", "etcdsnapshotfiles"]
BUDGETS = BUILT_IN["policy", "poddisruptionbudgets"]
DEPLOYMENTS = BUILT_IN["apps", "deployments"]
DAEMON_SETS = BUILT_IN["apps", "daemonsets"]
STATEFUL_SETS = BUILT_IN["apps", "statefulsets"]
REPLICA_SETS = BUILT_IN["apps", "replicasets"]
SERVICES = BUILT_IN["", "services"]


def custom(state):
    """Kinds declared by the CustomResourceDefinitions in the datastore, once they are established."""
    for _, entry in state.list(DEFINITIONS.prefix())[1]:
        if not is_established(entry["value"]):
            continue
        spec = entry["value"]["spec"]
        names = spec["names"]
        served = [version for version in spec["versions"] if version.get("served", True)]
        first = sorted(served, key=lambda version: not version.get("storage"))
        kind = Kind(spec["group"], names["plural"], names["kind"], spec["scope"] == "Namespaced",
                    names.get("shortNames", ()), [version["name"] for version in first],
                    first[0].get("additionalPrinterColumns"),
                    any("status" in version.get("subresources", {}) for version in first))
        kind.schemas = {version["name"]: (version.get("schema") or {}).get("openAPIV3Schema") for version in first}
        yield kind


def is_established(definition):
    """Whether a CustomResourceDefinition is served already."""
    return any(one["type"] == "Established" and one["status"] == "True"
               for one in (definition.get("status") or {}).get("conditions") or [])


def find(state, group, plural):
    """The kind at a path, or None."""
    built_in = BUILT_IN.get((group, plural))
    if built_in:
        return built_in
    return next((kind for kind in custom(state) if (kind.group, kind.plural) == (group, plural)), None)


def find_by_name(state, api_version, name):
    """The kind of an object by its apiVersion and kind, or None."""
    group, _, version = api_version.rpartition("/")
    for kind in [*BUILT_IN.values(), *custom(state)]:
        if kind.group == group and kind.name == name and version in kind.versions:
            return kind
    return None


def groups(state):
    """Group name -> versions, built-in and custom."""
    found = dict(GROUP_VERSIONS)
    for kind in custom(state):
        known = found.setdefault(kind.group, [])
        found[kind.group] = known + [version for version in kind.versions if version not in known]
    return found


def of_group(state, group, version):
    """The kinds served under one group and version."""
    return [kind for kind in [*BUILT_IN.values(), *custom(state)]
            if kind.group == group and version in kind.versions]
