"""What the API server adds to objects of its own kinds before it stores them."""

import hashlib
import ipaddress

from standin import quantity
from standin.apierror import ApiError

# Fields that the API leaves out when they are empty.
OMITTED = {"labels", "annotations", "finalizers", "ownerReferences", "nodeSelector", "tolerations", "volumes", "env",
           "envFrom", "args", "command", "ports", "volumeMounts", "initContainers", "imagePullSecrets", "hostAliases",
           "topologySpreadConstraints", "limits", "requests", "matchLabels", "matchExpressions", "externalIPs",
           "loadBalancerSourceRanges", "volumeClaimTemplates"}
TOLERATED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def put(target, **values):
    """Set what is not there."""
    for key, value in values.items():
        if target.get(key) is None:
            target[key] = value


def fill(kind, item, services="10.43.0.0/16"):
    """Complete an object in place."""
    spec = item.get("spec") if isinstance(item.get("spec"), dict) else None
    drop_empty(item["metadata"])
    if kind.custom:
        return
    drop_empty(item)
    if kind.name in ("ConfigMap", "Secret"):
        for name in ("data", "binaryData"):
            if name in item and not item[name]:
                del item[name]
    if kind.group == "" and kind.name == "Pod" and spec is not None:
        pod_spec(spec)
        admit_pod(spec)
    elif kind.name in WORKLOADS and spec is not None:
        WORKLOADS[kind.name](spec)
    elif kind.name == "Service" and kind.group == "":
        service(item, item.setdefault("spec", {}), services)
    elif kind.name in OTHERS:
        OTHERS[kind.name](item)


def drop_empty(value):
    """Take empty fields out, where the API would not keep them."""
    if isinstance(value, list):
        for item in value:
            drop_empty(item)
    for name in list(value) if isinstance(value, dict) else ():
        if name in OMITTED and value[name] in ({}, [], None):
            del value[name]
        elif name != "openAPIV3Schema":
            drop_empty(value[name])


def _canonical(values):
    for name, text in list((values or {}).items()):
        try:
            values[name] = quantity.canonical(text)
        except quantity.QuantityError as problem:
            raise ApiError(400, f'unable to parse quantity "{text}": {problem}') from None


# --- pods -------------------------------------------------------------------------------------

def template(spec):
    """A pod template."""
    inner = spec.setdefault("template", {})
    meta = inner.setdefault("metadata", {})
    meta.setdefault("creationTimestamp", None)
    pod_spec(inner.setdefault("spec", {}))


def pod_spec(spec):
    """The body of a pod."""
    put(spec, restartPolicy="Always", dnsPolicy="ClusterFirst", schedulerName="default-scheduler",
        securityContext={}, terminationGracePeriodSeconds=30)
    if spec.get("serviceAccountName"):
        put(spec, serviceAccount=spec["serviceAccountName"])
    elif spec.get("serviceAccount"):
        put(spec, serviceAccountName=spec["serviceAccount"])
    for group in ("initContainers", "containers"):
        for one in spec.get(group) or []:
            container(one, spec)
    for volume in spec.get("volumes") or []:
        _volume(volume)


def container(one, spec):
    """One container."""
    image = one.get("image", "").rpartition("/")[2]
    tag = image.partition(":")[2] if "@" not in image else image
    put(one, imagePullPolicy="Always" if tag in ("", "latest") else "IfNotPresent", resources={},
        terminationMessagePath="/dev/termination-log", terminationMessagePolicy="File")
    for port in one.get("ports") or []:
        put(port, protocol="TCP")
        if spec.get("hostNetwork"):
            put(port, hostPort=port.get("containerPort"))
    resources = one["resources"]
    for part in ("limits", "requests"):
        _canonical(resources.get(part))
    for name, amount in (resources.get("limits") or {}).items():
        if name not in (resources.get("requests") or {}):
            resources.setdefault("requests", {})[name] = amount
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if one.get(name):
            _probe(one[name])
    for hook in (one.get("lifecycle") or {}).values():
        if "httpGet" in hook:
            put(hook["httpGet"], path="/", scheme="HTTP")
    for variable in one.get("env") or []:
        source = variable.get("valueFrom") or {}
        if "fieldRef" in source:
            put(source["fieldRef"], apiVersion="v1")
        if "resourceFieldRef" in source:
            put(source["resourceFieldRef"], divisor="0")


def _probe(probe):
    put(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    if "httpGet" in probe:
        put(probe["httpGet"], path="/", scheme="HTTP")
    if "grpc" in probe:
        put(probe["grpc"], service="")


def _volume(volume):
    for name in ("secret", "configMap", "downwardAPI", "projected"):
        if name in volume:
            put(volume[name], defaultMode=420)
    for source in (volume.get("projected") or {}).get("sources") or []:
        if "serviceAccountToken" in source:
            put(source["serviceAccountToken"], expirationSeconds=3600)
    if "hostPath" in volume:
        put(volume["hostPath"], type="")
    if (volume.get("emptyDir") or {}).get("sizeLimit"):
        volume["emptyDir"]["sizeLimit"] = quantity.canonical(volume["emptyDir"]["sizeLimit"])
    if set(volume) == {"name"}:
        volume["emptyDir"] = {}


def admit_pod(spec):
    """What admission adds to a pod itself, not to a template."""
    put(spec, serviceAccountName="default", serviceAccount=spec.get("serviceAccountName") or "default",
        enableServiceLinks=True, priority=0, preemptionPolicy="PreemptLowerPriority")
    tolerations = spec.setdefault("tolerations", [])
    for key in TOLERATED:
        if not any(one.get("key") in (key, None) and one.get("effect") in ("NoExecute", None) for one in tolerations):
            tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})


# --- workloads --------------------------------------------------------------------------------

def _deployment(spec):
    put(spec, replicas=1, strategy={}, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    put(spec["strategy"], type="RollingUpdate")
    if spec["strategy"]["type"] == "RollingUpdate":
        put(spec["strategy"], rollingUpdate={})
        put(spec["strategy"]["rollingUpdate"], maxUnavailable="25%", maxSurge="25%")
    else:
        spec["strategy"].pop("rollingUpdate", None)
    template(spec)


def _daemon_set(spec):
    put(spec, updateStrategy={}, revisionHistoryLimit=10)
    put(spec["updateStrategy"], type="RollingUpdate")
    if spec["updateStrategy"]["type"] == "RollingUpdate":
        put(spec["updateStrategy"], rollingUpdate={})
        put(spec["updateStrategy"]["rollingUpdate"], maxUnavailable=1, maxSurge=0)
    template(spec)


def _stateful_set(spec):
    put(spec, replicas=1, podManagementPolicy="OrderedReady", updateStrategy={}, revisionHistoryLimit=10,
        serviceName="", persistentVolumeClaimRetentionPolicy={"whenDeleted": "Retain", "whenScaled": "Retain"})
    put(spec["updateStrategy"], type="RollingUpdate")
    if spec["updateStrategy"]["type"] == "RollingUpdate":
        put(spec["updateStrategy"], rollingUpdate={})
        put(spec["updateStrategy"]["rollingUpdate"], partition=0)
    for claim in spec.get("volumeClaimTemplates") or []:
        put(claim, apiVersion="v1", kind="PersistentVolumeClaim", status={"phase": "Pending"})
        claim.setdefault("metadata", {}).setdefault("creationTimestamp", None)
        _claim(claim)
    template(spec)


def _replica_set(spec):
    put(spec, replicas=1)
    template(spec)


def _job(spec):
    put(spec, completions=1 if spec.get("parallelism") is None else spec.get("completions"), parallelism=1,
        backoffLimit=6, completionMode="NonIndexed", suspend=False)
    if spec.get("completions") is None:
        spec.pop("completions", None)
    template(spec)


def _cron_job(spec):
    put(spec, concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
    inner = spec.setdefault("jobTemplate", {})
    inner.setdefault("metadata", {}).setdefault("creationTimestamp", None)
    template(inner.setdefault("spec", {}))


WORKLOADS = {"Deployment": _deployment, "DaemonSet": _daemon_set, "StatefulSet": _stateful_set,
             "ReplicaSet": _replica_set, "Job": _job, "CronJob": _cron_job}


# --- services ---------------------------------------------------------------------------------

def service(item, spec, services):
    """A Service, with the addresses and ports it is given."""
    put(spec, type="ClusterIP", sessionAffinity="None")
    if spec["sessionAffinity"] == "ClientIP":
        put(spec, sessionAffinityConfig={"clientIP": {"timeoutSeconds": 10800}})
    seed = f'{item["metadata"].get("namespace")}/{item["metadata"].get("name")}'
    for port in spec.get("ports") or []:
        put(port, protocol="TCP", targetPort=port.get("port"))
        if spec["type"] in ("NodePort", "LoadBalancer"):
            put(port, nodePort=30000 + _number(f"{seed}/{port.get('port')}", 2768))
    if spec["type"] == "ExternalName":
        return
    if spec["type"] in ("NodePort", "LoadBalancer"):
        put(spec, externalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        put(spec, allocateLoadBalancerNodePorts=True)
    if not spec.get("clusterIP"):
        network = ipaddress.ip_network(services)
        spec["clusterIP"] = str(network[16 + _number(seed, network.num_addresses - 32)])
    put(spec, clusterIPs=[spec["clusterIP"]], internalTrafficPolicy="Cluster", ipFamilies=["IPv4"],
        ipFamilyPolicy="SingleStack")
    item.setdefault("status", {"loadBalancer": {}})


def _number(seed, below):
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:6], "big") % below


# --- the rest ---------------------------------------------------------------------------------

def _claim(item):
    put(item.setdefault("spec", {}), volumeMode="Filesystem")
    _canonical((item["spec"].get("resources") or {}).get("requests"))


def _claim_itself(item):
    _claim(item)
    put(item["spec"], storageClassName="local-path")
    item.setdefault("status", {"phase": "Pending"})


def _volume_itself(item):
    put(item.setdefault("spec", {}), volumeMode="Filesystem", persistentVolumeReclaimPolicy="Retain")
    _canonical(item["spec"].get("capacity"))
    item.setdefault("status", {"phase": "Available"})


def _policy(item):
    spec = item.setdefault("spec", {})
    put(spec, podSelector={}, policyTypes=["Ingress"] + (["Egress"] if spec.get("egress") is not None else []))
    for rule in (spec.get("ingress") or []) + (spec.get("egress") or []):
        for port in rule.get("ports") or []:
            put(port, protocol="TCP")


def _binding(item):
    put(item.get("roleRef") or {}, apiGroup="rbac.authorization.k8s.io")
    for subject in item.get("subjects") or []:
        if subject.get("kind") in ("User", "Group"):
            put(subject, apiGroup="rbac.authorization.k8s.io")


def _storage_class(item):
    put(item, reclaimPolicy="Delete", volumeBindingMode="Immediate")


def _webhooks(item):
    for hook in item.get("webhooks") or []:
        put(hook, failurePolicy="Fail", matchPolicy="Equivalent", namespaceSelector={}, objectSelector={},
            timeoutSeconds=10)
        if item.get("kind", "").startswith("Mutating"):
            put(hook, reinvocationPolicy="Never")
        if hook.get("clientConfig", {}).get("service"):
            put(hook["clientConfig"]["service"], port=443)
        for rule in hook.get("rules") or []:
            put(rule, scope="*")


def _autoscaler(item):
    put(item.setdefault("spec", {}), minReplicas=1)


def _priority(item):
    put(item, preemptionPolicy="PreemptLowerPriority", globalDefault=False)
    if not item["globalDefault"]:
        del item["globalDefault"]


def _quota(item):
    _canonical(item.get("spec", {}).get("hard"))


def _endpoints(item):
    for subset in item.get("subsets") or []:
        for port in subset.get("ports") or []:
            put(port, protocol="TCP")


def _definition(item):
    put(item["spec"], conversion={"strategy": "None"})


OTHERS = {"PersistentVolumeClaim": _claim_itself, "PersistentVolume": _volume_itself, "NetworkPolicy": _policy,
          "RoleBinding": _binding, "ClusterRoleBinding": _binding, "StorageClass": _storage_class,
          "ValidatingWebhookConfiguration": _webhooks, "MutatingWebhookConfiguration": _webhooks,
          "HorizontalPodAutoscaler": _autoscaler, "PriorityClass": _priority, "ResourceQuota": _quota,
          "Endpoints": _endpoints, "CustomResourceDefinition": _definition}
