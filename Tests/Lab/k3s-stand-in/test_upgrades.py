"""Nodes that the Plans of system-upgrade-controller upgrade, and what goes wrong there."""

import json
import os
import shutil
import subprocess
import sys
import time
import unittest

from standin import jobs
from test_plans import LABEL, NEW, OLD, agent_plan, plan
from testlab import LabTest, wait_for

REAL = os.environ.get("KUBECTL") or shutil.which("kubectl")
UP = "k3s is up and running"
NAMESPACE = ["-n", "system-upgrade"]

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
  sleep 0.2
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
        wait_for("the Plan's definition", 20, lambda: jobs.is_true(
            self.get(first, "crd", "plans.upgrade.cattle.io"), "Established"))
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
        self.apply(s1, plan(), agent_plan(drain={"force": True, "timeout": "60s"}))
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
                    if pod["metadata"]["labels"].get("upgrade.cattle.io/plan") == "agent-plan"
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
