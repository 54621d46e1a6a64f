"""The Job controller: pods for Jobs, what their ends mean, and Jobs that are over."""

import calendar
import copy
import time

from standin import kinds, log, placing, raft, timing
from standin.apierror import ApiError
from standin.datastore import Unavailable
from standin.objects import now, shown

JOBS = kinds.BUILT_IN["batch", "jobs"]
ACCOUNTS = kinds.BUILT_IN["", "serviceaccounts"]
FINALIZER = "batch.kubernetes.io/job-tracking"
FINISHED = ("Succeeded", "Failed")
DEFAULT_BACKOFF_LIMIT = 6


def condition(item, kind):
    """A condition of an object, or None."""
    return next((one for one in (item.get("status") or {}).get("conditions") or [] if one["type"] == kind), None)


def is_true(item, kind):
    """Whether a condition is True."""
    found = condition(item, kind)
    return found is not None and found["status"] == "True"


def is_over(job):
    """Whether a Job is Complete or Failed."""
    return is_true(job, "Complete") or is_true(job, "Failed")


def seconds_since(stamp):
    """Seconds since a time as Kubernetes writes it."""
    return time.time() - calendar.timegm(time.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ"))


def owner(pod):
    """The uid of the Job that a pod belongs to, or None."""
    return next((one["uid"] for one in pod["metadata"].get("ownerReferences") or [] if one["kind"] == "Job"), None)


def has_ended(pod):
    """Whether a pod counts as ended: one that is being deleted does."""
    return (pod.get("status") or {}).get("phase") in FINISHED or bool(pod["metadata"].get("deletionTimestamp"))


class JobController:
    """Works on the leader."""

    def __init__(self, objects):
        self.objects = objects
        self.failures = {}  # job -> (its failed pods, when we saw the last of them)
        self.said = {}

    def run(self):
        """Work for ever; a lost majority only means to try again."""
        while True:
            time.sleep(timing.JOB_PERIOD)
            try:
                self.step()
            except (ApiError, Unavailable):
                continue
            except Exception as problem:  # one odd Job must not stop all others
                log.error(f"error syncing job: {type(problem).__name__}: {problem}")

    def step(self):
        """One round."""
        if self.objects.datastore.member.role != raft.LEADER:
            self.failures = {}
            return
        state = self.objects.state()
        jobs = {job["metadata"]["uid"]: job for job in self.objects.list(JOBS, None, state)[1]}
        pods = self.objects.list(kinds.PODS, None, state)[1]
        for pod in pods:
            if owner(pod) and owner(pod) not in jobs:
                self._drop(pod)
        if not jobs:
            return
        nodes = [node for node in self.objects.list(kinds.NODES, None, state)[1]
                 if not node["metadata"].get("deletionTimestamp")]
        for uid, job in jobs.items():
            own = [pod for pod in pods if owner(pod) == uid]
            if is_over(job):
                self._expire(job)
            else:
                self._sync(job, own, nodes, pods)

    # --- one Job ------------------------------------------------------------------------------

    def _sync(self, job, own, nodes, pods):
        """Bring one Job's pods and status to where its rules want them."""
        status = copy.deepcopy(job.get("status") or {})
        status.setdefault("startTime", now())
        ended = [pod for pod in own if has_ended(pod) and FINALIZER in pod["metadata"].get("finalizers", [])]
        for pod in ended:
            word = "succeeded" if (pod.get("status") or {}).get("phase") == "Succeeded" else "failed"
            status[word] = status.get(word, 0) + 1
        active = [pod for pod in own if not has_ended(pod)]
        verdict = judge(job["spec"], status, len(active))
        if verdict:
            for pod in active:
                self._drop(pod)
            if active:
                status["failed"] = status.get("failed", 0) + len(active)
            active = []
            finish(status, *verdict)
        else:
            active = self._scale(job, status, active, nodes, pods)
        status["active"] = len(active)
        if not active:
            del status["active"]
        self._count(job, status, ended)

    def _scale(self, job, status, active, nodes, pods):
        """Make or remove pods; returns those that are there then."""
        spec, uid = job["spec"], job["metadata"]["uid"]
        wanted = spec.get("parallelism", 1)
        if spec.get("completions") is not None or "parallelism" not in spec:
            wanted = min(wanted, spec.get("completions", 1) - status.get("succeeded", 0))
        if spec.get("suspend"):
            wanted = 0
        for pod in active[max(wanted, 0):]:
            self._drop(pod)
        active = active[:max(wanted, 0)]
        others = [pod for pod in pods if not has_ended(pod)]
        for pod in active:
            if not pod["spec"].get("nodeName"):
                self._place(pod, nodes, [one for one in others if one is not pod])
        failed = status.get("failed", 0)
        if self.failures.get(uid, (0, 0.0))[0] != failed:
            self.failures[uid] = (failed, time.monotonic())
        pause = min(timing.JOB_BACKOFF * 2 ** (failed - 1), timing.JOB_BACKOFF_MAX) if failed else 0.0
        if failed and time.monotonic() - self.failures[uid][1] < pause:
            return active
        while len(active) < wanted:
            made = self._create(job, nodes, others)
            if made is None:
                break
            active.append(made)
            others.append(made)
        return active

    def _create(self, job, nodes, others):
        """Make one pod, bound to its node if there is one for it."""
        meta, template = job["metadata"], copy.deepcopy(job["spec"]["template"])
        pod = {"metadata": template.get("metadata") or {}, "spec": template["spec"]}
        account = pod["spec"].get("serviceAccountName") or "default"
        if account != "default" and self.objects.find(ACCOUNTS, meta["namespace"], account) is None:
            self._say(meta, f'pods "{meta["name"]}-" is forbidden: error looking up service account '
                      f'{meta["namespace"]}/{account}: serviceaccount "{account}" not found')
            return None
        labels = {"controller-uid": meta["uid"], "job-name": meta["name"]}
        labels.update({f"batch.kubernetes.io/{key}": value for key, value in labels.items()})
        pod["metadata"].update({
            "generateName": meta["name"] + "-", "namespace": meta["namespace"], "finalizers": [FINALIZER],
            "labels": {**(pod["metadata"].get("labels") or {}), **labels},
            "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": meta["name"], "uid": meta["uid"],
                                 "controller": True, "blockOwnerDeletion": True}]})
        pod["status"] = bind(pod, *self._choice(pod["spec"], meta["namespace"], nodes, others))
        return self.objects.create(kinds.PODS, meta["namespace"], pod)

    def _choice(self, spec, namespace, nodes, others):
        if spec.get("nodeName"):
            return spec["nodeName"], None
        return placing.choose(spec, namespace, nodes, others)

    def _place(self, pod, nodes, others):
        """Try again to find a node for a pod that waits."""
        meta = pod["metadata"]
        node, _ = placing.choose(pod["spec"], meta["namespace"], nodes, others)
        if node is None:
            return

        def change(old):
            old["spec"]["nodeName"] = node
            return old
        self.objects.update(kinds.PODS, meta["namespace"], meta["name"], change)

    def _say(self, meta, reason):
        if self.said.get(meta["uid"]) != reason:
            log.error(f"Error creating: {reason}")
        self.said[meta["uid"]] = reason

    # --- writing ------------------------------------------------------------------------------

    def _count(self, job, status, ended):
        """Write the status and let the counted pods go, in one: each pod counts exactly once."""
        if status == job.get("status") and not ended:
            return
        meta = job["metadata"]
        keys = [(JOBS.key(meta["namespace"], meta["name"]), meta)] + [
            (kinds.PODS.key(pod["metadata"]["namespace"], pod["metadata"]["name"]), pod["metadata"]) for pod in ended]
        command = {"if": {key: int(one["resourceVersion"]) for key, one in keys}, "put": {}, "delete": []}
        command["put"][keys[0][0]] = stored({**job, "status": status})
        for (key, _), pod in zip(keys[1:], ended):
            rest = [one for one in pod["metadata"]["finalizers"] if one != FINALIZER]
            if pod["metadata"].get("deletionTimestamp") and not rest:
                command["delete"].append(key)
            else:
                command["put"][key] = stored({**pod, "metadata": {**pod["metadata"], "finalizers": rest}})
        self.objects.datastore.write(command)

    def _drop(self, pod):
        """Delete a pod and let it go; its node ends what runs of it."""
        meta = pod["metadata"]
        entry = self.objects.state().get(kinds.PODS.key(meta["namespace"], meta["name"]))
        if entry is not None and shown(entry)["metadata"]["uid"] == meta["uid"]:
            key = kinds.PODS.key(meta["namespace"], meta["name"])
            self.objects.datastore.write({"if": {key: entry["mod"]}, "delete": [key]})

    def _expire(self, job):
        """Delete a Job whose time after its end is over."""
        life = job["spec"].get("ttlSecondsAfterFinished")
        last = max(one["lastTransitionTime"] for one in job["status"]["conditions"])
        if life is not None and seconds_since(last) >= life + timing.CONTROLLER_PERIOD:  # who made it may look once more
            self.objects.delete(JOBS, job["metadata"]["namespace"], job["metadata"]["name"],
                                preconditions={"uid": job["metadata"]["uid"]})


def stored(item):
    """An object as the datastore keeps it."""
    meta = {key: value for key, value in item["metadata"].items() if key != "resourceVersion"}
    if not meta.get("finalizers", True):
        del meta["finalizers"]
    return {**item, "metadata": meta}


def bind(pod, node, reason):
    """Bind a new pod to a node; returns the status it begins with."""
    if node is not None:
        pod["spec"]["nodeName"] = node
        return {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "True"}]}
    return {"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": reason}]}


def judge(spec, status, active):
    """(condition, reason, message) of a Job that is over, or None."""
    deadline, limit = spec.get("activeDeadlineSeconds"), spec.get("backoffLimit", DEFAULT_BACKOFF_LIMIT)
    succeeded, wanted = status.get("succeeded", 0), spec.get("completions")
    if wanted is None and "parallelism" not in spec:
        wanted = 1
    if status.get("failed", 0) > limit:
        return "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit"
    if deadline is not None and not spec.get("suspend") and seconds_since(status["startTime"]) >= deadline:
        return "Failed", "DeadlineExceeded", "Job was active longer than specified deadline"
    if succeeded >= wanted if wanted is not None else succeeded > 0 and active == 0:
        return "Complete", "", ""
    return None


def finish(status, kind, reason, message):
    """Write a Job's end into its status."""
    stamp = now()
    words = {key: value for key, value in (("reason", reason), ("message", message)) if value}
    status["conditions"] = [*(status.get("conditions") or []), {
        "type": kind, "status": "True", "lastProbeTime": stamp, "lastTransitionTime": stamp, **words}]
    if kind == "Complete":
        status["completionTime"] = stamp
