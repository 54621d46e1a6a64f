"""The Job that a Plan becomes on one node."""

import hashlib
import json

from standin import images, planrules
from standin.planrules import GROUP

CONTROLLER = "system-upgrade-controller"
TTL = GROUP + "/ttl-seconds-after-finished"
APPLIED = "objectset.rio.cattle.io/applied"  # by this the real one knows what it last asked for; ours is a digest
DEFAULT_KUBECTL = {True: "rancher/kubectl:v1.30.3", False: "rancher/kubectl:v1.25.4"}


class Config:
    """What the controller's environment says."""

    def __init__(self, data, version):
        self.version = version
        self.deadline = _number(data, "SYSTEM_UPGRADE_JOB_ACTIVE_DEADLINE_SECONDS", 600)
        self.longest = _number(data, "SYSTEM_UPGRADE_JOB_ACTIVE_DEADLINE_SECONDS_MAX", 0)
        self.backoff = _number(data, "SYSTEM_UPGRADE_JOB_BACKOFF_LIMIT", 2)
        self.life = _number(data, "SYSTEM_UPGRADE_JOB_TTL_SECONDS_AFTER_FINISH", 900)
        self.kubectl = data.get("SYSTEM_UPGRADE_JOB_KUBECTL_IMAGE") or DEFAULT_KUBECTL[version >= (0, 14)]
        self.policy = data.get("SYSTEM_UPGRADE_JOB_IMAGE_PULL_POLICY") or "IfNotPresent"
        self.privileged = data.get("SYSTEM_UPGRADE_JOB_PRIVILEGED", "true").lower() in ("true", "1", "t")


def _number(data, key, default):
    try:
        return int(data.get(key, default))
    except ValueError:
        return default


def safe_name(*parts):
    """Names joined by hyphens; one that is too long for a label is cut and ends with a digest."""
    full = "-".join(parts)
    if len(full) < 64:
        return full
    digest = hashlib.sha256(full.encode()).hexdigest()
    if full[56].isalnum() and full[56].islower() or full[56].isdigit():
        return f"{full[:57]}-{digest[:5]}"
    return f"{full[:56]}-{digest[:6]}"


def job_for(plan, node, config):
    """The Job that applies a Plan to a node: paused until the Plan's status names the node."""
    meta, spec, status = plan["metadata"], plan["spec"], plan["status"]
    name, latest = node["metadata"]["name"], status["latestHash"]
    life = config.life
    if config.version >= (0, 15) and spec.get("postCompleteDelay"):
        life = max(life, int(planrules.duration(spec["postCompleteDelay"])) + 60)
    labels = {GROUP + "/controller": CONTROLLER, GROUP + "/exclusive": _word(spec.get("exclusive")),
              GROUP + "/node": name, GROUP + "/plan": meta["name"], GROUP + "/version": status["latestVersion"],
              planrules.plan_label(meta["name"]): latest,
              **{key: value for key, value in (meta.get("labels") or {}).items() if "cattle.io/" not in key}}
    notes = {key: value for key, value in (meta.get("annotations") or {}).items()
             if "cattle.io/" not in key and "kubectl.kubernetes.io/" not in key}
    job = {
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": safe_name("apply", meta["name"], "on", name.partition(".")[0], "with", latest),
                     "namespace": meta["namespace"], "labels": labels, "annotations": {**notes, TTL: str(life)}},
        "spec": {"backoffLimit": config.backoff, "ttlSecondsAfterFinished": life, "completions": 1,
                 "parallelism": 1 if planrules.hostname(node) in (status.get("applying") or []) else 0,
                 "template": {"metadata": {"labels": labels, **({"annotations": notes} if notes else {})},
                              "spec": pod_spec(plan, node, config)}}}
    pod = json.dumps(job["spec"]["template"], sort_keys=True)
    job["metadata"]["annotations"][APPLIED] = hashlib.sha256(pod.encode()).hexdigest()
    deadline = deadline_of(spec, config)
    if deadline is not None:
        job["spec"]["activeDeadlineSeconds"] = deadline
    return job


def deadline_of(spec, config):
    """activeDeadlineSeconds: 0 means none, unless the controller knows a longest one."""
    wanted = spec.get("jobActiveDeadlineSecs")
    seconds = config.deadline if wanted is None or wanted < 0 else wanted or None
    if config.longest > 0:
        return min(seconds or config.longest, config.longest)
    return seconds


def pod_spec(plan, node, config):
    """The pod's spec: prepare, then drain or cordon, then upgrade."""
    spec, name = plan["spec"], plan["metadata"]["name"]
    key, values = (GROUP + "/exclusive", ["true"]) if spec.get("exclusive") else (GROUP + "/plan", [name])
    volumes = [{"name": "host-root", "hostPath": {"path": "/", "type": "Directory"}},
               {"name": "pod-info", "downwardAPI": {"defaultMode": 420, "items": [
                   {"path": part, "fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.{part}"}}
                   for part in ("labels", "annotations")]}}]
    volumes += [{"name": safe_name("secret", one["name"]), "secret": {
        "secretName": one["name"], "optional": bool(one.get("ignoreUpdates"))}} for one in spec.get("secrets") or []]
    volumes += [{"name": one["name"], "hostPath": {"path": one["source"]}}
                for one in spec["upgrade"].get("volumes") or []]
    first = []
    if spec.get("prepare"):
        first.append(container("prepare", spec["prepare"], plan, config))
    words = kubectl_words(spec, node["metadata"]["name"])
    if words:
        first.append(container(words[0], {"image": config.kubectl, "args": words}, plan, config))
    main = container("upgrade", spec["upgrade"], plan, config)
    main["securityContext"] = spec["upgrade"].get("securityContext") or {
        "privileged": config.privileged, "capabilities": {"add": ["CAP_SYS_BOOT"]}}
    return {
        "hostIPC": True, "hostPID": True, "hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet",
        "restartPolicy": "Never", "serviceAccountName": spec.get("serviceAccountName", ""),
        "affinity": {
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In",
                                       "values": [planrules.hostname(node)]}]}]}},
            "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
                {"labelSelector": {"matchExpressions": [{"key": key, "operator": "In", "values": values}]},
                 "topologyKey": "kubernetes.io/hostname"}]}},
        "tolerations": [{"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"},
                        *(spec.get("tolerations") or [])],
        "volumes": volumes, **({"initContainers": first} if first else {}), "containers": [main],
        **{field: spec[field] for field in ("imagePullSecrets", "priorityClassName") if spec.get(field)}}


def container(name, given, plan, config):
    """One container; an image without a tag gets the Plan's version."""
    status, image = plan["status"], given["image"]
    if not images.has_tag(image):
        image = f"{image}:{status['latestVersion']}"
    fields = (("NODE_NAME", "spec.nodeName"), ("POD_NAME", "metadata.name"), ("POD_UID", "metadata.uid"))
    values = (("PLAN_NAME", plan["metadata"]["name"]), ("PLAN_LATEST_HASH", status["latestHash"]),
              ("PLAN_LATEST_VERSION", status["latestVersion"]))
    return {
        "name": name, "image": image, "imagePullPolicy": config.policy,
        **{field: given[field] for field in ("command", "args", "envFrom") if given.get(field)},
        "env": [*({"name": "SYSTEM_UPGRADE_" + word, "valueFrom": {"fieldRef": {"fieldPath": path}}}
                  for word, path in fields), *(given.get("envs") or []),
                *({"name": "SYSTEM_UPGRADE_" + word, "value": value} for word, value in values)],
        "volumeMounts": [{"name": "host-root", "mountPath": "/host"},
                         {"name": "pod-info", "mountPath": "/run/system-upgrade/pod", "readOnly": True},
                         *({"name": one["name"], "mountPath": one["destination"]}
                           for one in given.get("volumes") or [])]}


def kubectl_words(spec, node):
    """What kubectl is to do before the upgrade: drain, cordon or nothing."""
    drain = spec.get("drain")
    if drain is None:
        return ["cordon", node] if spec.get("cordon") else []
    words = ["drain", node, "--pod-selector", _selector_text(drain.get("podSelector"))]
    if drain.get("ignoreDaemonSets") in (None, True):
        words.append("--ignore-daemonsets")
    if drain.get("deleteLocalData") in (None, True) and drain.get("deleteEmptydirData") in (None, True):
        words.append("--delete-emptydir-data")
    if drain.get("force"):
        words.append("--force")
    if drain.get("timeout") is not None:
        timeout = drain["timeout"]
        # A number is a count of nanoseconds: 300 is over before it begins.
        words += ["--timeout", timeout if isinstance(timeout, str) else f"{timeout / 1e9:.9f}s"]
    if drain.get("gracePeriod") is not None:
        words += ["--grace-period", str(drain["gracePeriod"])]
    if drain.get("disableEviction"):
        words.append("--disable-eviction=true")
    if drain.get("skipWaitForDeleteTimeout"):
        words += ["--skip-wait-for-delete-timeout", str(drain["skipWaitForDeleteTimeout"])]
    return words


def _selector_text(selector):
    """A pod selector as a flag; the controller's own pods are never drained."""
    parts = [f"!{GROUP}/controller"]
    parts += [f"{key}={value}" for key, value in sorted(((selector or {}).get("matchLabels") or {}).items())]
    for one in (selector or {}).get("matchExpressions") or []:
        values = ",".join(sorted(one.get("values") or []))
        parts.append({"In": f"{one['key']} in ({values})", "NotIn": f"{one['key']} notin ({values})",
                      "Exists": one["key"], "DoesNotExist": "!" + one["key"]}[one["operator"]])
    return ",".join(parts)


def _word(value):
    return "true" if value else "false"
