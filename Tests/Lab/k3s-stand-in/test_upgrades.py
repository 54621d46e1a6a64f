"""Upgrades: the rules of Plans and Jobs, and nodes that system-upgrade-controller upgrades."""

import datetime
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

from standin import (access, images, jobs, placing, planjob, planrules, releases, settings as config,
                     upgrader)
from testlab import LabTest, wait_for

REAL = os.environ.get("KUBECTL") or shutil.which("kubectl")
OLD, NEW = "v1.29.1+k3s2", "v1.29.15+k3s1"
UP = "k3s is up and running"
SERVERS = {"matchExpressions": [{"key": "node-role.kubernetes.io/control-plane", "operator": "In", "values": ["true"]}]}
AGENTS = {"matchExpressions": [{"key": "node-role.kubernetes.io/control-plane", "operator": "DoesNotExist"}]}
LABEL = "plan.upgrade.cattle.io/"
NAMESPACE = ["-n", "system-upgrade"]


def plan(name="server-plan", selector=None, version=NEW, **fields):
    """A Plan as k3s's documentation has it."""
    return {"apiVersion": "upgrade.cattle.io/v1", "kind": "Plan",
            "metadata": {"name": name, "namespace": "system-upgrade"},
            "spec": {"concurrency": 1, "cordon": True, "nodeSelector": SERVERS if selector is None else selector,
                     "version": version, "serviceAccountName": "system-upgrade",
                     "upgrade": {"image": "rancher/k3s-upgrade"}, **fields}}


def agent_plan(**fields):
    """The Plan of the agents, which waits for the servers'."""
    return plan("agent-plan", AGENTS, prepare={"image": "rancher/k3s-upgrade", "args": ["prepare", "server-plan"]},
                **fields)


def node(name, uid=None, **labels):
    """A node with labels; `_` in a key stands for `-`."""
    return {"metadata": {"name": name, "uid": uid or name, "labels": {
        "kubernetes.io/hostname": name, **{key.replace("_", "-"): value for key, value in labels.items()}}},
        "spec": {}}


class HashTest(unittest.TestCase):
    def test_the_hash_covers_version_and_account(self):
        wanted = hashlib.sha224(b"v1.29.15-k3s1system-upgrade").hexdigest()
        self.assertEqual(planrules.digest(plan(), "v1.29.15-k3s1", {}), wanted)
        for fields in ({"concurrency": 5}, {"cordon": False}, {"drain": {"force": True}},
                       {"upgrade": {"image": "other"}}, {"exclusive": True}):
            self.assertEqual(planrules.digest(plan(**fields), "v1.29.15-k3s1", {}), wanted)
        self.assertNotEqual(planrules.digest(plan(serviceAccountName="x"), "v1.29.15-k3s1", {}), wanted)

    def test_the_annotation_adds_what_it_names(self):
        one = plan()
        one["metadata"]["annotations"] = {planrules.DIGEST: "spec.concurrency,spec.nothing"}
        self.assertEqual(planrules.digest(one, "v1", {}), hashlib.sha224(b"v1system-upgrade1").hexdigest())

    def test_secrets_count_unless_their_updates_are_ignored(self):
        secret = {"metadata": {"name": "s"}, "type": "Opaque", "data": {"a": "Yg=="}}
        one = plan(secrets=[{"name": "s", "path": "/s"}])
        before = planrules.digest(one, "v1", {"s": secret})
        after = planrules.digest(one, "v1", {"s": {**secret, "data": {"a": "Yw=="}}})
        self.assertNotEqual(before, after)
        one["spec"]["secrets"][0]["ignoreUpdates"] = True
        self.assertEqual(planrules.digest(one, "v1", {}), hashlib.sha224(b"v1system-upgrade").hexdigest())
        self.assertRegex(planrules.secret_hash(secret), "^[2456789bcdfghkmt]{10}$")

    def test_job_names_are_cut_to_a_label(self):
        self.assertEqual(planjob.safe_name("apply", "a"), "apply-a")
        name = planjob.safe_name("apply", "server-plan", "on", "s1", "with", "f" * 56)
        self.assertEqual(len(name), 63)
        self.assertTrue(name.startswith("apply-server-plan-on-s1-with-ffff"))


class SelectionTest(unittest.TestCase):
    NODES = [node("s1"), node("s2"), node("s3")]

    def select(self, status=None, nodes=None, **fields):
        one = plan(selector={}, **fields)
        one["metadata"]["uid"] = "p"
        one["status"] = {"latestHash": "h", **(status or {})}
        return [item["metadata"]["name"] for item in planrules.select(one, nodes or self.NODES)]

    def order(self):
        return sorted(("s1", "s2", "s3"), key=lambda name: hashlib.sha256(f"{name}ph".encode()).hexdigest())

    def test_hashes_choose_and_names_sort(self):
        self.assertEqual(self.select(), self.order()[:1])
        self.assertEqual(self.select(concurrency=2), sorted(self.order()[:2]))
        self.assertEqual(self.select(concurrency=9), ["s1", "s2", "s3"])

    def test_nodes_under_way_come_first_and_may_be_more_than_allowed(self):
        last = self.order()[-1]
        self.assertEqual(self.select({"applying": [last]}), [last])
        self.assertEqual(self.select({"applying": ["s1", "s2"]}), ["s1", "s2"])

    def test_done_and_disabled_nodes_are_left_out(self):
        nodes = [node("a", **{LABEL + "server-plan": "h"}), node("b", **{LABEL + "server-plan": "disabled"}),
                 node("c", **{LABEL + "server-plan": "old"}), {"metadata": {"name": "d", "uid": "d", "labels": {}}}]
        self.assertEqual(self.select(concurrency=9, nodes=nodes), ["c"])

    def test_no_selector_and_no_concurrency_choose_nothing(self):
        one = plan()
        one["metadata"]["uid"], one["status"] = "p", {}
        one["spec"]["nodeSelector"] = None
        self.assertEqual(planrules.select(one, self.NODES), [])
        self.assertEqual(self.select(concurrency=0), [])


class ValidationTest(unittest.TestCase):
    def refused(self, words, version=planrules.NEWEST, **fields):
        with self.assertRaises(planrules.PlanError) as caught:
            planrules.validate(plan(**fields), version)
        self.assertIn(words, str(caught.exception))

    def test_bad_plans_are_named(self):
        self.refused("spec.drain cannot specify both deleteEmptydirData and deleteLocalData",
                     drain={"deleteEmptydirData": True, "deleteLocalData": False})
        self.refused("is not a valid label selector operator",
                     drain={"podSelector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}})
        self.refused("spec.window is invalid", window={"days": ["someday"]})
        self.refused("spec.window is invalid", window={"days": ["mo"], "startTime": "25:00"})
        self.refused("spec.postCompleteDelay is negative", postCompleteDelay="-1s")

    def test_old_controllers_know_no_windows(self):
        planrules.validate(plan(window={"days": ["someday"]}), (0, 13))
        self.assertEqual(planrules.controller_version("rancher/system-upgrade-controller:v0.13.4"), (0, 13))
        self.assertEqual(planrules.controller_version("host:5000/system-upgrade-controller"), planrules.NEWEST)

    def test_windows_pass_midnight(self):
        def inside(text, **window):
            return planrules.in_window(window, datetime.datetime.fromisoformat(text + "+00:00"))
        night = {"days": ["monday"], "startTime": "22:00", "endTime": "04:00"}
        self.assertTrue(inside("2024-02-05T23:00", **night))  # a Monday
        self.assertTrue(inside("2024-02-06T03:00", **night))
        self.assertFalse(inside("2024-02-06T23:00", **night))
        self.assertTrue(inside("2024-02-05T12:00", days=["1"], startTime="11am", endTime="1pm"))


class JobRulesTest(unittest.TestCase):
    def job(self, one, **data):
        one["status"] = {"latestVersion": "v1.29.15-k3s1", "latestHash": "h", "applying": []}
        return planjob.job_for(one, node("s1"), planjob.Config(data, (0, 13)))

    def test_a_plan_becomes_a_paused_job_in_order(self):
        job = self.job(agent_plan(), SYSTEM_UPGRADE_JOB_ACTIVE_DEADLINE_SECONDS="900")
        pod = job["spec"]["template"]["spec"]
        self.assertEqual([one["name"] for one in pod["initContainers"]], ["prepare", "cordon"])
        self.assertEqual(pod["containers"][0]["image"], "rancher/k3s-upgrade:v1.29.15-k3s1")
        self.assertEqual((job["spec"]["parallelism"], job["spec"]["activeDeadlineSeconds"]), (0, 900))
        self.assertEqual(job["metadata"]["labels"]["upgrade.cattle.io/version"], "v1.29.15-k3s1")

    def test_drain_words(self):
        words = planjob.kubectl_words({"cordon": True, "drain": {"timeout": "5m", "force": True}}, "s1")
        self.assertEqual(words, ["drain", "s1", "--pod-selector", "!upgrade.cattle.io/controller",
                                 "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout", "5m"])
        self.assertIn("0.000000300s", planjob.kubectl_words({"drain": {"timeout": 300}}, "s1"))

    def test_a_deadline_of_nothing_means_none(self):
        settings = planjob.Config({}, (0, 13))
        self.assertEqual([planjob.deadline_of(spec, settings) for spec in (
            {}, {"jobActiveDeadlineSecs": -1}, {"jobActiveDeadlineSecs": 0}, {"jobActiveDeadlineSecs": 7})],
            [600, 600, None, 7])

    def test_jobs_end_as_their_rules_say(self):
        begun = {"startTime": jobs.now()}
        self.assertIsNone(jobs.judge({"backoffLimit": 2}, {**begun, "failed": 2}, 0))
        self.assertEqual(jobs.judge({"backoffLimit": 2}, {**begun, "failed": 3}, 0)[1], "BackoffLimitExceeded")
        self.assertEqual(jobs.judge({"completions": 1}, {**begun, "succeeded": 1}, 0)[0], "Complete")
        self.assertIsNone(jobs.judge({"completions": 1, "parallelism": 0}, begun, 0))
        late = {"startTime": "2024-02-06T00:00:00Z"}
        self.assertEqual(jobs.judge({"activeDeadlineSeconds": 900}, late, 1)[1], "DeadlineExceeded")

    def test_pods_go_where_they_may(self):
        one, two = node("a"), node("b", role="x")
        two["spec"] = {"unschedulable": True, "taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}]}
        pod = {"nodeSelector": {"role": "x"}}
        self.assertIn("node(s) had untolerated taint {k: v}", placing.choose(pod, "ns", [one, two], [])[1])
        pod["tolerations"] = [{"key": "k", "operator": "Exists"}]
        self.assertIn("1 node(s) were unschedulable", placing.choose(pod, "ns", [one, two], [])[1])
        pod["tolerations"].append({"key": placing.UNSCHEDULABLE, "operator": "Exists", "effect": "NoSchedule"})
        self.assertEqual(placing.choose(pod, "ns", [one, two], []), ("b", None))


class ImageTest(unittest.TestCase):
    def registries(self, text, **values):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(text)
            file.flush()
            return images.Registries(config.Settings(config.SERVER_KEYS, {"private-registry": file.name, **values}))

    def test_references_are_spelled_out(self):
        self.assertEqual(images.Image("rancher/k3s-upgrade:v1.29.15-k3s1").release, NEW)
        self.assertEqual(images.Image("busybox").full, "docker.io/library/busybox:latest")
        self.assertEqual(images.Image("h:5000/a/b:c").full, "h:5000/a/b:c")

    def test_endpoints_are_those_of_registries_yaml(self):
        image, mirror = images.Image("rancher/k3s-upgrade:v1"), "mirrors:\n  %s:\n    endpoint: ['http://m:8000/']\n"
        self.assertEqual(self.registries("").endpoints(image), [])
        self.assertEqual(self.registries(mirror % "docker.io").endpoints(image), ["http://m:8000"])
        self.assertEqual(self.registries(mirror % "'*'").endpoints(image), ["http://m:8000"])
        self.assertEqual(self.registries("", **{"system-default-registry": "r"}).endpoints(image), ["https://r"])

    def test_a_plus_may_be_spelled_out(self):
        with mock.patch("platform.machine", lambda: "x86_64"):
            self.assertEqual(images.release_urls("http://m", NEW), [
                "http://m/v1.29.15+k3s1/k3s", "http://m/v1.29.15%2Bk3s1/k3s"])


class UpgraderTest(unittest.TestCase):
    def test_what_goes_back_is_refused(self):
        def refusal(old, new):
            return upgrader.refusal(*((f"k3s version {one} (x)", releases.build_date(one)) for one in (old, new)))
        self.assertIsNone(refusal(OLD, NEW))
        self.assertIsNone(refusal("v1.29.6+k3s2", "v1.29.6+k3s2"))
        self.assertIn("is higher than", refusal(NEW, OLD))
        self.assertIn("is more recent than", refusal("v1.29.6+k3s2", "v1.29.6+k3s1"))
        # A newer minor may be an older build.
        self.assertIn("is more recent than", refusal(NEW, "v1.30.4+k3s1"))
        self.assertIsNone(refusal(NEW, "v1.30.11+k3s1"))

    def test_the_one_k3s_of_a_host_is_found_by_its_command_line(self):
        self.assertEqual(upgrader.program_of(["/usr/bin/python3", "/usr/local/bin/k3s", "server", ""]),
                         "/usr/local/bin/k3s")
        self.assertIsNone(upgrader.program_of(["/usr/local/bin/k3s", "kubectl", "server"]))

    def test_rights_come_from_bindings(self):
        objects = {
            access.CLUSTER_ROLES: [{"metadata": {"name": "r"}, "rules": [
                {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}]}],
            access.CLUSTER_ROLE_BINDINGS: [{"kind": "ClusterRoleBinding", "metadata": {"name": "b"}, "roleRef": {
                "kind": "ClusterRole", "name": "r"}, "subjects": [
                    {"kind": "ServiceAccount", "name": "a", "namespace": "n"}]}]}
        rights = access.Access(lambda kind: objects.get(kind, []))
        self.assertIsNone(rights.denial(("n", "a"), "get", "", "nodes"))
        self.assertIn('User "system:serviceaccount:n:a" cannot patch resource "nodes"',
                      rights.denial(("n", "a"), "patch", "", "nodes"))


CONTROLLER = """
apiVersion: v1
kind: Namespace
metadata: {name: system-upgrade}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: system-upgrade, namespace: system-upgrade}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: default-controller-env, namespace: system-upgrade}
data:
  SYSTEM_UPGRADE_JOB_ACTIVE_DEADLINE_SECONDS: "900"
  SYSTEM_UPGRADE_JOB_BACKOFF_LIMIT: "99"
  SYSTEM_UPGRADE_JOB_IMAGE_PULL_POLICY: Always
  SYSTEM_UPGRADE_JOB_KUBECTL_IMAGE: "rancher/kubectl:v1.25.4"
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: upgrades}
rules:
- {apiGroups: [apiextensions.k8s.io], resources: [customresourcedefinitions], verbs: [get, list, create, update]}
- {apiGroups: [""], resources: [nodes], verbs: [get, list, watch, update, patch]}
- {apiGroups: [""], resources: [pods], verbs: [get, list, delete]}
- {apiGroups: [""], resources: [pods/eviction], verbs: [create]}
- {apiGroups: [batch], resources: [jobs], verbs: ["*"]}
- {apiGroups: [upgrade.cattle.io], resources: [plans, plans/status], verbs: ["*"]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: upgrades}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: upgrades}
subjects: [{kind: ServiceAccount, name: system-upgrade, namespace: system-upgrade}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: system-upgrade-controller, namespace: system-upgrade}
spec:
  selector: {matchLabels: {upgrade.cattle.io/controller: system-upgrade-controller}}
  template:
    metadata: {labels: {upgrade.cattle.io/controller: system-upgrade-controller}}
    spec:
      serviceAccountName: system-upgrade
      tolerations: [{key: CriticalAddonsOnly, operator: Exists}]
      containers: [{name: system-upgrade-controller, image: "rancher/system-upgrade-controller:%s"}]
"""

# What systemd does with Restart=always; it takes k3s with it when it is ended itself.
SUPERVISOR = """#!/bin/sh
while :; do
  setpriv --pdeathsig KILL /usr/local/bin/k3s "$@"
  sleep 0.5
done
"""


class UpgradeTest(LabTest):
    """Nodes with a k3s of their own in /usr/local/bin, faults of their own in /run, and a mirror of releases."""

    def setUp(self):
        super().setUp()
        mirror = os.path.join(self.lab.folder, "mirror")
        for version in (OLD, NEW):
            os.makedirs(os.path.join(mirror, version))
            shutil.copy(self.lab.build(version), os.path.join(mirror, version, "k3s"))
            shutil.copy(os.path.join(mirror, version, "k3s"), os.path.join(mirror, version, "k3s-arm64"))
        self.mirror = mirror
        self.web = None

    def machine(self, name, first=None, kind="server", registry=True, **keys):
        """A node whose k3s is supervised."""
        made = self.lab.node(name)
        for folder in ("/run", "/usr/local/bin"):
            made.run("mount", "-t", "tmpfs", "tmpfs", folder, check=True)
        made.run("cp", self.lab.k3s, "/usr/local/bin/k3s", check=True)
        made.write("/run/supervise", SUPERVISOR)
        made.run("chmod", "755", "/run/supervise", check=True)
        if self.web is None:
            self.web = subprocess.Popen(
                made.inside(sys.executable, "-m", "http.server", "8000", "--directory", self.mirror),
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.addCleanup(self._end_web)
        if registry:
            made.write("/etc/rancher/k3s/registries.yaml",
                       "mirrors:\n  docker.io:\n    endpoint: ['http://10.78.0.11:8000']\n")
        start = {"server": f"https://{first.address}:6443"} if first else {"cluster_init": True}
        made.configure(**{"token": "s3cret", **start, **keys})
        made.start(kind, binary="/run/supervise")
        return made

    def _end_web(self):
        self.web.kill()
        self.web.wait(10)

    def cluster(self, servers, agents=0, version="v0.13.4"):
        """Servers and agents, and the controller."""
        first = self.machine("s1")
        first.logs(UP)
        made = [first]
        for number in range(2, servers + 1):
            made.append(self.machine(f"s{number}", first))
            made[-1].logs(UP)
        for number in range(1, agents + 1):
            made.append(self.machine(f"w{number}", first, "agent"))
        for one in made:
            self.lab.ready(first, one.name)
        self.apply(first, CONTROLLER % version)
        wait_for("the Plan's definition", 20, lambda: first.kubectl(
            "get", "crd", "plans.upgrade.cattle.io").returncode == 0)
        return made

    def apply(self, server, *items):
        text = "---\n".join(item if isinstance(item, str) else json.dumps(item) + "\n" for item in items)
        done = server.kubectl("apply", "-f", "-", stdin=text)
        self.assertEqual(done.returncode, 0, done.stderr)

    def get(self, server, *words):
        done = server.kubectl("get", *words, *NAMESPACE, "-o", "json")
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def condition(self, server, name, kind="Complete"):
        return jobs.condition(self.get(server, "plan", name), kind) or {}

    def completes(self, server, name, seconds=60):
        wait_for(f"{name} complete", seconds, lambda: self.condition(server, name).get("status") == "True")

    def version_of(self, server, name):
        return server.nodes().get(name, {}).get("status", {}).get("nodeInfo", {}).get("kubeletVersion")

    def fault(self, one, name):
        one.write("/run/k3s-stand-in/faults/" + name, "")

    def pods_of(self, server, job):
        return [pod for pod in self.get(server, "pods").get("items", []) if jobs.owner(pod) == job["metadata"]["uid"]]

    # --- tests --------------------------------------------------------------------------------

    def test_servers_then_agents_are_upgraded(self):
        s1, s2, s3, w1 = self.cluster(3, 1)
        self.apply(s1, plan(), agent_plan())
        seen, most = set(), 0

        def finished():
            nonlocal most
            found = s2.nodes() or s1.nodes() or s3.nodes()
            closed = [name for name, item in found.items() if item["spec"].get("unschedulable")]
            most = max(most, len([name for name in closed if name.startswith("s")]))
            seen.update(closed)
            return found and all(item["status"]["nodeInfo"]["kubeletVersion"] == NEW
                                 and not item["spec"].get("unschedulable") for item in found.values())
        wait_for("all nodes at the new version", 90, finished)
        self.completes(s1, "server-plan")
        self.completes(s1, "agent-plan")
        self.assertEqual((seen, most), ({"s1", "s2", "s3", "w1"}, 1))
        latest = self.get(s1, "plan", "server-plan")["status"]["latestHash"]
        nodes = s1.nodes()
        self.assertEqual({nodes[name]["metadata"]["labels"].get(LABEL + "server-plan") for name in ("s1", "s2", "s3")},
                         {latest})
        self.assertNotIn(LABEL + "server-plan", nodes["w1"]["metadata"]["labels"])
        self.assertIn(f"Starting k3s agent {NEW}", w1.log())
        for job in self.get(s1, "jobs")["items"]:
            with self.subTest(job["metadata"]["name"]):
                # The pod that ended its own kubelet has failed; the next one found nothing to do.
                self.assertEqual((job["status"]["failed"], job["status"]["succeeded"]), (1, 1))
                self.assertEqual(sorted(pod["status"]["phase"] for pod in self.pods_of(s1, job)),
                                 ["Failed", "Succeeded"])
        before = [one.log().count("Starting k3s") for one in (s1, s2, s3, w1)]
        self.apply(s1, plan(concurrency=3))
        time.sleep(3)
        self.assertEqual([one.log().count("Starting k3s") for one in (s1, s2, s3, w1)], before)

    def test_a_job_that_hangs_stalls_its_plan_and_nobody_opens_the_node(self):
        s1, = self.cluster(1, version="v0.16.3")
        self.fault(s1, "upgrade-job-hang")
        self.apply(s1, plan(jobActiveDeadlineSecs=4))
        wait_for("the failed Job", 30, lambda: self.condition(s1, "server-plan").get("reason") == "JobFailed")
        self.assertIn("failed on Node s1: DeadlineExceeded: Job was active longer than specified deadline",
                      self.condition(s1, "server-plan")["message"])
        job, = self.get(s1, "jobs")["items"]
        self.assertEqual(self.pods_of(s1, job), [])
        self.assertTrue(s1.nodes()["s1"]["spec"].get("unschedulable"))
        s1.run("rm", "/run/k3s-stand-in/faults/upgrade-job-hang", check=True)
        time.sleep(3)
        self.assertEqual(self.version_of(s1, "s1"), OLD)
        self.assertEqual(self.get(s1, "plan", "server-plan")["status"]["applying"], ["s1"])
        # A Plan whose pod differs makes the Job anew, though its hash is the same.
        self.apply(s1, plan(upgrade={"image": "rancher/k3s-upgrade", "args": ["upgrade"]}))
        self.completes(s1, "server-plan")
        self.assertEqual(self.version_of(s1, "s1"), NEW)
        self.assertFalse(s1.nodes()["s1"]["spec"].get("unschedulable"))

    def test_what_plans_do_not_see(self):
        s1, w1, w2 = self.cluster(1, 2)
        self.fault(w1, "never-ready-" + NEW)
        self.fault(w2, "broken-" + NEW)
        one = {"matchLabels": {"kubernetes.io/hostname": "w1"}}
        two = {"matchLabels": {"kubernetes.io/hostname": "w2"}}
        waiting = agent_plan()
        waiting["spec"]["nodeSelector"] = one
        self.apply(s1, plan("broken-plan", two, jobActiveDeadlineSecs=18), waiting,
                   plan("nothing-plan", {"matchLabels": {"no": "where"}}), plan("unresolved-plan", version=""),
                   plan("invalid-plan", drain={"deleteEmptydirData": True, "deleteLocalData": True}))
        self.bad_plans(s1)
        self.prepare_waits_and_then_nobody_asks_whether_a_node_is_ready(s1)
        self.a_broken_version_leaves_its_node_behind(s1, w2)

    def bad_plans(self, s1):
        self.completes(s1, "nothing-plan", 15)
        wait_for("the Plans' conditions", 15, lambda: self.condition(s1, "unresolved-plan", "LatestResolved"))
        self.assertEqual(self.condition(s1, "invalid-plan", "Validated")["message"],
                         "spec.drain cannot specify both deleteEmptydirData and deleteLocalData")
        self.assertEqual(self.condition(s1, "unresolved-plan", "LatestResolved")["message"],
                         "cannot resolve plan: missing channel and version")

    def prepare_waits_and_then_nobody_asks_whether_a_node_is_ready(self, s1):
        def states():
            return [next(iter(one["state"])) for pod in self.get(s1, "pods").get("items", [])
                    if pod["metadata"]["labels"]["upgrade.cattle.io/plan"] == "agent-plan"
                    for one in pod["status"].get("initContainerStatuses", [])]
        wait_for("prepare at work", 20, lambda: states() == ["running", "waiting"])
        time.sleep(2)
        self.assertEqual(states(), ["running", "waiting"])
        s1.kubectl("cordon", "w1")
        self.apply(s1, plan())
        self.completes(s1, "agent-plan")
        # Done, open again although somebody else had closed it, and not Ready: no gate asks for that.
        self.assertFalse(s1.nodes()["w1"]["spec"].get("unschedulable"))
        self.assertEqual((self.version_of(s1, "w1"), s1.condition("w1")), (NEW, "False"))

    def a_broken_version_leaves_its_node_behind(self, s1, w2):
        self.assertIn(f"level=fatal msg=\"{NEW} is broken", w2.log())
        wait_for("w2 silent", 30, lambda: s1.condition("w2") == "Unknown")
        wait_for("the failed Job", 40, lambda: any(
            jobs.condition(one, "Failed") for one in self.get(s1, "jobs")["items"]))
        self.assertEqual(self.condition(s1, "broken-plan")["status"], "False")
        s1.kubectl("delete", "plan", "broken-plan", *NAMESPACE)
        wait_for("no Job of it", 20, lambda: not any(
            one["metadata"]["labels"]["upgrade.cattle.io/node"] == "w2" for one in self.get(s1, "jobs")["items"]))
        self.assertTrue(s1.nodes()["w2"]["spec"].get("unschedulable"))

    def test_images_jobs_and_channels(self):
        s1, = self.cluster(1)
        self.machine("w1", s1, "agent", registry=False)
        self.lab.ready(s1, "w1")
        template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]}}
        for name, image, host in (("good", "busybox", "s1"), ("bad", "must-fail", "s1"), ("lost", "busybox", "w1")):
            pod = json.loads(json.dumps(template))
            pod["spec"]["nodeSelector"] = {"kubernetes.io/hostname": host}
            pod["spec"]["containers"][0]["image"] = image
            self.apply(s1, {"apiVersion": "batch/v1", "kind": "Job",
                            "metadata": {"name": name, "namespace": "system-upgrade"},
                            "spec": {"backoffLimit": 1, "template": pod, **(
                                {"ttlSecondsAfterFinished": 4} if name == "good" else {})}})
        done = s1.run(REAL, "--kubeconfig", "/etc/rancher/k3s/k3s.yaml", "wait", "job/good",
                      "--for=condition=complete", *NAMESPACE, "--timeout=20s") if REAL else \
            s1.kubectl("wait", "job/good", "--for=condition=complete", *NAMESPACE, "--timeout=20s")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = s1.kubectl("wait", "job/bad", "--for=condition=failed", *NAMESPACE, "--timeout=20s")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(jobs.condition(self.get(s1, "job", "bad"), "Failed")["reason"], "BackoffLimitExceeded")

        def reason():
            found = self.pods_of(s1, self.get(s1, "job", "lost"))[0]["status"]["containerStatuses"][0]["state"]
            return found.get("waiting", {}).get("reason")
        wait_for("ImagePullBackOff", 20, lambda: reason() == "ImagePullBackOff")
        os.makedirs(os.path.join(self.mirror, "stable"))
        self.apply(s1, plan(channel="http://10.78.0.11:8000/stable/" + NEW, version=""))
        os.symlink(os.path.join(self.mirror, NEW), os.path.join(self.mirror, "stable", NEW))
        self.completes(s1, "server-plan")
        self.assertEqual(self.condition(s1, "server-plan", "LatestResolved")["reason"], "Channel")
        self.assertEqual(self.version_of(s1, "s1"), NEW)
        wait_for("the ended Jobs gone", 40, lambda: "good" not in [
            one["metadata"]["name"] for one in self.get(s1, "jobs")["items"]])

    def test_without_its_rights_the_controller_does_nothing(self):
        s1, = self.cluster(1)
        s1.kubectl("delete", "clusterrolebinding", "upgrades")
        s1.logs("does no work: nodes is forbidden: User \\\"system:serviceaccount:system-upgrade:system-upgrade\\\"")
        self.apply(s1, plan())
        time.sleep(2)
        self.assertEqual(self.get(s1, "plan", "server-plan").get("status"), None)


if __name__ == "__main__":
    unittest.main()
