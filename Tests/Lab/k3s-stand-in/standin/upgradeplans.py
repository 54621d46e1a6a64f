"""The system-upgrade-controller: Plans become Jobs, and ended Jobs become labels on nodes.

It is the workload of a Deployment; here the cluster's leader does its work, as long as the Deployment could.
"""

import copy
import datetime
import http.client
import time
import urllib.parse

from standin import access, jobs, kinds, log, placing, planjob, planrules, raft, timing
from standin.apierror import ApiError
from standin.datastore import Unavailable
from standin.objects import now
from standin.planrules import GROUP, condition_of, set_condition

NAMESPACE, NAME, ENVIRONMENT = "system-upgrade", "system-upgrade-controller", "default-controller-env"
DEPLOYMENTS = kinds.BUILT_IN["apps", "deployments"]
MAPS = kinds.BUILT_IN["", "configmaps"]
NEEDED = (("list", "", "nodes"), ("update", "", "nodes"), ("list", GROUP, "plans"), ("update", GROUP, "plans/status"),
          ("list", "batch", "jobs"), ("create", "batch", "jobs"))
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": "plans." + GROUP},
    "spec": {"group": GROUP, "scope": "Namespaced",
             "names": {"kind": "Plan", "listKind": "PlanList", "plural": "plans", "singular": "plan"},
             "versions": [{
                 "name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
                 "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
                 "additionalPrinterColumns": [
                     {"name": "Image", "type": "string", "jsonPath": ".spec.upgrade.image"},
                     {"name": "Channel", "type": "string", "jsonPath": ".spec.channel"},
                     {"name": "Version", "type": "string", "jsonPath": ".spec.version"}]}]}}


class Idle(Exception):
    """Why the controller does no work."""


class PlanController:
    """Works on the leader."""

    def __init__(self, objects):
        self.objects = objects
        self.said = None
        self._forget(None)

    def _forget(self, identity):
        """Begin anew, as a restarted pod does."""
        self.identity, self.home, self.config = identity, None, None
        self.applied, self.handled, self.polled = {}, {}, {}

    def run(self):
        """Work for ever; a lost majority only means to try again."""
        while True:
            time.sleep(timing.JOB_PERIOD)
            try:
                self.step()
            except (ApiError, Unavailable):
                continue
            except Idle as problem:
                if self.said != str(problem):
                    log.info(f"{NAME} does no work: {problem}")
                self.said = str(problem)
            except Exception as problem:  # one odd Plan must not stop the watch over all others
                log.error(f"error syncing plan: {type(problem).__name__}: {problem}")

    def step(self):
        """One round."""
        if self.objects.datastore.member.role != raft.LEADER:
            self._forget(None)
            return
        state = self.objects.state()
        deployment = self.objects.find(DEPLOYMENTS, NAMESPACE, NAME)
        if deployment is None or deployment["spec"].get("replicas", 1) < 1:
            self._forget(None)
            return
        nodes = self.objects.list(kinds.NODES, None, state)[1]
        self._wake(deployment, nodes, state)
        self.said = None
        kind = kinds.find(state, GROUP, "plans")
        if kind is None:
            self._insist_on_rights([("create", "apiextensions.k8s.io", "customresourcedefinitions")], state)
            self.objects.create(kinds.DEFINITIONS, None, DEFINITION)
            return
        own_jobs = [job for job in self.objects.list(jobs.JOBS, NAMESPACE, state)[1]
                    if placing.labels_of(job).get(GROUP + "/controller") == NAME]
        plans = {plan["metadata"]["name"]: plan for plan in self.objects.list(kind, NAMESPACE, state)[1]}
        for plan in plans.values():
            self._guard(self._plan, kind, plan, nodes)
        for job in own_jobs:
            self._guard(self._job, kind, job)

    def _guard(self, work, *arguments):
        """One object's trouble must not hold up the others; Unavailable is everybody's."""
        try:
            work(*arguments)
        except ApiError as problem:
            log.error(f"error syncing '{NAMESPACE}/{arguments[1]['metadata']['name']}': {problem}")

    # --- being there at all -------------------------------------------------------------------

    def _wake(self, deployment, nodes, state):
        """Find out whether and as whom the controller runs; read its environment when it starts."""
        pod = deployment["spec"]["template"]["spec"]
        image = pod["containers"][0]["image"]
        account = (NAMESPACE, pod.get("serviceAccountName") or "default")
        if account[1] != "default" and self.objects.find(jobs.ACCOUNTS, *account) is None:
            raise Idle(f'serviceaccount "{account[1]}" not found')
        meta = deployment["metadata"]
        identity = (meta["uid"], meta.get("generation"), self._place(nodes, state))
        if identity != self.identity:
            environment = self.objects.find(MAPS, NAMESPACE, ENVIRONMENT)
            if environment is None:
                raise Idle(f'configmap "{ENVIRONMENT}" not found')
            home = self.home
            self._forget(identity)
            self.home = home
            self.config = planjob.Config(environment.get("data") or {}, planrules.controller_version(image))
            log.info(f"{NAME} runs on {identity[2]}")
        self.account = account
        self._insist_on_rights(NEEDED, state)

    def _insist_on_rights(self, wanted, state):
        rights = access.Access(lambda kind: self.objects.list(kind, None, state)[1])
        for verb, group, resource in wanted:
            denial = rights.denial(self.account, verb, group, resource, NAMESPACE)
            if denial:
                raise Idle(denial)

    def _place(self, nodes, state):
        """The name of the controller's pod, or of the node it runs on where the Deployment has no pods.

        A cordon leaves it where it is; a node that is not Ready any more does not.
        """
        ready = {node["metadata"]["name"]: node for node in nodes if jobs.is_true(node, "Ready")
                 and "node-role.kubernetes.io/control-plane" in placing.labels_of(node)}
        pods = [pod for pod in self.objects.list(kinds.PODS, NAMESPACE, state)[1]
                if placing.labels_of(pod).get(GROUP + "/controller") == NAME
                and GROUP + "/plan" not in placing.labels_of(pod)]
        for pod in pods:
            if (pod.get("status") or {}).get("phase") == "Running" and pod["spec"].get("nodeName") in ready:
                return pod["metadata"]["name"]
        if pods:
            raise Idle("its pod is not running")
        if self.home not in ready:
            open_nodes = sorted(name for name, node in ready.items() if not node["spec"].get("unschedulable"))
            under_way = sorted(name for name, node in ready.items() if name not in open_nodes)
            # Cordoned ones come last: the pod may have been there before, and we are a new leader.
            self.home = next(iter(open_nodes + under_way), None)
        if self.home is None:
            raise Idle("no control-plane node is Ready")
        return self.home

    # --- Plans --------------------------------------------------------------------------------

    def _plan(self, kind, plan, nodes):
        """One Plan: its status first, then its Jobs."""
        if plan["metadata"].get("deletionTimestamp"):
            return
        status = self._resolved(plan)
        if status != (plan.get("status") or {}):
            plan = self._write_status(kind, plan, status)
        status = copy.deepcopy(plan.get("status") or {})
        wanted = self._chosen({**plan, "status": status}, nodes)
        # From 0.15 on a Plan's Jobs are made once for each state of the Plan, so a lost one stays lost.
        uid, revision = plan["metadata"]["uid"], plan["metadata"]["resourceVersion"]
        if self.config.version < (0, 15) or self.applied.get(uid) != revision:
            for job in wanted:
                self._apply(job)
            self.applied[uid] = revision
        if status != (plan.get("status") or {}):
            self._write_status(kind, plan, status)

    def _write_status(self, kind, plan, status):
        meta = plan["metadata"]

        def change(old):
            if old["metadata"]["uid"] != meta["uid"]:
                return old
            # What was worked out from an older Plan must not come over what somebody has written since.
            return {**old, "status": status,
                    "metadata": {**old["metadata"], "resourceVersion": meta["resourceVersion"]}}
        return self.objects.update(kind, meta["namespace"], meta["name"], change, "status")

    def _resolved(self, plan):
        """The status with validation, version and hash brought up to date."""
        before = plan.get("status") or {}
        status, version, stamp = copy.deepcopy(before), self.config.version, now()
        if version >= (0, 15) and not condition_of(status, "Complete"):
            set_condition(status, "Complete", "Unknown", "", "", stamp)
        try:
            planrules.validate(plan, version)
        except planrules.PlanError as problem:
            set_condition(status, "Validated", "False", "Error", str(problem), stamp)
            return self._digested(plan, status) or before
        set_condition(status, "Validated", "True", "PlanIsValid", "", stamp)
        spec = plan["spec"]
        if not spec.get("version") and not spec.get("channel"):
            set_condition(status, "LatestResolved", "False", "Error",
                          "cannot resolve plan: missing channel and version", stamp)
            return status
        if not spec.get("version") and _is_fresh(status):
            return before  # whatever it was that was resolved, another channel or a version
        latest = spec.get("version") or self._from_channel(plan)
        if latest is None:
            return before
        latest = planrules.tag(latest)
        if version >= (0, 15) and (condition_of(status, "LatestResolved").get("status") != "True"
                                   or status.get("latestVersion") != latest):
            set_condition(status, "Complete", "False", "Resolved", "", stamp)
        status["latestVersion"] = latest
        set_condition(status, "LatestResolved", "True", "Version" if spec.get("version") else "Channel", "", stamp)
        if version < (0, 15) and not spec.get("version"):
            condition_of(status, "LatestResolved")["lastUpdateTime"] = stamp  # later ones leave it as it is
        return self._digested(plan, status) or before

    def _digested(self, plan, status):
        """The status with its hash, or None when a Secret is missing."""
        if condition_of(status, "LatestResolved").get("reason") == "Error":
            return status
        secrets = {}
        for one in plan["spec"].get("secrets") or []:
            secrets[one["name"]] = self.objects.find(kinds.SECRETS, NAMESPACE, one["name"])
            if secrets[one["name"]] is None and not one.get("ignoreUpdates"):
                return None
        status["latestHash"] = planrules.digest(plan, status.get("latestVersion", ""), secrets)
        return status

    def _from_channel(self, plan):
        """The version that a channel names; asked again only when the last answer is old."""
        url = plan["spec"]["channel"]
        asked, latest = self.polled.get((plan["metadata"]["uid"], url), (None, None))
        if asked is not None and time.monotonic() - asked < timing.CHANNEL_PERIOD:
            return latest
        try:
            latest = ask_channel(url)
        except (OSError, ValueError, http.client.HTTPException) as problem:
            log.error(f"error syncing '{NAMESPACE}/{plan['metadata']['name']}': {problem}")
            latest = None
        self.polled[plan["metadata"]["uid"], url] = (time.monotonic(), latest)
        return latest

    def _chosen(self, plan, nodes):
        """Choose nodes, write them into the Plan's status, and return their Jobs."""
        status, stamp, talks = plan["status"], now(), self.config.version >= (0, 15)
        if any(condition_of(status, kind).get("status") != "True" for kind in ("Validated", "LatestResolved")):
            if talks:
                set_condition(status, "Complete", "False", "NotReady", "plan is not valid and resolved", stamp)
            return []
        chosen = planrules.select(plan, nodes)
        names, window = [planrules.hostname(node) for node in chosen], plan["spec"].get("window")
        if not chosen:
            # Nothing left to do, or nothing there to do anything on: both read the same.
            status.pop("applying", None)
            set_condition(status, "Complete", "True", "Complete" if talks else "", "", stamp)
            return []
        if talks and window is not None and not status.get("applying") and \
                not planrules.in_window(window, datetime.datetime.now(datetime.timezone.utc)):
            set_condition(status, "Complete", "False", "Waiting",
                          "current time is not within configured window", stamp)
            return []
        made = [planjob.job_for(plan, node, self.config) for node in chosen]
        if status.get("applying") != names:
            status["applying"] = names
            set_condition(status, "Complete", "False", "SyncJob" if talks else "", "", stamp)
        elif not talks:
            set_condition(status, "Complete", "False", "", "", stamp)
        return made

    def _apply(self, job):
        """Make a Job, or bring it up to date; one with another pod is made anew."""
        meta, spec = job["metadata"], job["spec"]
        old = self.objects.find(jobs.JOBS, NAMESPACE, meta["name"])
        applied = ((old or {}).get("metadata", {}).get("annotations") or {}).get(planjob.APPLIED)
        if old is not None and applied != meta["annotations"][planjob.APPLIED]:
            self.objects.delete(jobs.JOBS, NAMESPACE, meta["name"])
            old = None
        if old is None:
            self.objects.create(jobs.JOBS, NAMESPACE, job)
            return
        numbers = {key: value for key, value in spec.items() if key != "template"}
        if numbers.items() <= old["spec"].items():
            return

        def change(found):
            found["spec"] = {**found["spec"], **numbers}
            return found
        self.objects.update(jobs.JOBS, NAMESPACE, meta["name"], change)

    # --- Jobs ---------------------------------------------------------------------------------

    def _job(self, kind, job):
        """One Job: too old, failed, done, or out of turn."""
        meta, labels = job["metadata"], placing.labels_of(job)
        plan = self.objects.find(kind, NAMESPACE, labels.get(GROUP + "/plan", ""))
        node = self.objects.find(kinds.NODES, None, labels.get(GROUP + "/node", ""))
        status = (plan or {}).get("status") or {}
        if plan is None or node is None or labels.get(GROUP + "/version") != status.get("latestVersion"):
            self.objects.delete(jobs.JOBS, NAMESPACE, meta["name"])
            return
        if not jobs.is_over(job):
            # The real one compares the node's name with host names, too.
            if node["metadata"]["name"] not in (status.get("applying") or []):
                self.objects.delete(jobs.JOBS, NAMESPACE, meta["name"])
            return
        ended = jobs.condition(job, "Failed") or jobs.condition(job, "Complete")
        expired = jobs.seconds_since(ended["lastTransitionTime"]) >= job["spec"].get("ttlSecondsAfterFinished", 0)
        if self.handled.get(meta["uid"]) != meta["resourceVersion"] or expired:
            if jobs.is_true(job, "Failed"):
                self._tell_failure(kind, plan, job, ended)
            elif not self._mark_done(plan, node, labels, ended):
                return
            self.handled[meta["uid"]] = meta["resourceVersion"]
        if expired:
            self.objects.delete(jobs.JOBS, NAMESPACE, meta["name"])

    def _tell_failure(self, kind, plan, job, ended):
        if self.config.version < (0, 15):
            return
        status = copy.deepcopy(plan["status"])
        node = placing.labels_of(job)[GROUP + "/node"]
        set_condition(status, "Complete", "False", "JobFailed",
                      f"Job {NAMESPACE}/{job['metadata']['name']} failed on Node {node}: {ended.get('reason', '')}: "
                      f"{ended.get('message', '')}", now())
        self._write_status(kind, plan, status)

    def _mark_done(self, plan, node, labels, ended):
        """Label the node and open it, whoever closed it; False while its delay is not over."""
        spec, label = plan["spec"], planrules.plan_label(plan["metadata"]["name"])
        delay = planrules.duration(spec["postCompleteDelay"]) \
            if spec.get("postCompleteDelay") and self.config.version >= (0, 15) else 0.0
        over = jobs.seconds_since(ended["lastTransitionTime"]) >= delay
        marks = {label: labels[label]}
        if self.config.version >= (0, 19):
            marks.update({key: value.replace("$(LATEST_VERSION)", plan["status"]["latestVersion"])
                          .replace("$(LATEST_HASH)", plan["status"]["latestHash"])
                          for key, value in (spec.get("postCompleteLabels") or {}).items()})

        def change(old):
            if over:
                old["metadata"]["labels"] = {**placing.labels_of(old), **marks}
            if spec.get("cordon") or spec.get("drain") is not None:
                old["spec"].pop("unschedulable", None)
            return old
        self.objects.update(kinds.NODES, None, node["metadata"]["name"], change)
        return over


def _is_fresh(status):
    """Whether a Plan's version was resolved so lately that no channel is asked."""
    resolved = condition_of(status, "LatestResolved")
    return resolved.get("status") == "True" and "lastUpdateTime" in resolved and \
        jobs.seconds_since(resolved["lastUpdateTime"]) < timing.CHANNEL_PERIOD


def ask_channel(url):
    """The last part of the place a channel leads to; a channel that leads nowhere names itself."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f'Get "{url}": unsupported protocol scheme "{parts.scheme}"')
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname, parts.port, timeout=10.0)
    try:
        connection.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
        answer = connection.getresponse()
        if answer.status == 302:
            return urllib.parse.urlsplit(answer.headers.get("Location", "")).path.rstrip("/").rpartition("/")[2]
        if 200 <= answer.status < 400:
            return parts.path.rstrip("/").rpartition("/")[2]
        raise ValueError(f"unexpected response: HTTP/1.1 {answer.status} {answer.reason}")
    finally:
        connection.close()
