"""Workloads run, roll, move and are protected, as far as upgrades and drains need them to."""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from standin import disruption
from testlab import LabTest, wait_for


def template(app, image, **spec):
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [{"name": "c", "image": image}], **spec}}


def workload(kind, name, image="app:1", pod=None, **spec):
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": "default"},
            "spec": {"selector": {"matchLabels": {"app": name}}, "template": template(name, image, **(pod or {})),
                     **spec}}


def budget(name, **spec):
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"selector": {"matchLabels": {"app": name}}, **spec}}


class BudgetTest(unittest.TestCase):
    """The arithmetic of disruption budgets."""

    def status(self, ready, sick=0, replicas=4, **spec):
        pods = [{"metadata": {"namespace": "default", "name": str(place), "labels": {"app": "a"}},
                 "status": {"phase": "Running", "conditions": [
                     {"type": "Ready", "status": "True" if place < ready else "False"}]}}
                for place in range(ready + sick)]
        found = disruption.status_of(budget("a", **spec), pods, lambda _: ("owner", replicas))
        return [found[name] for name in ("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods")]

    def test_numbers_and_shares(self):
        for spec, ready, sick, expected in (
                ({"minAvailable": 2}, 4, 0, [4, 2, 2, 4]), ({"minAvailable": 4}, 3, 1, [3, 4, 0, 4]),
                ({"maxUnavailable": 1}, 4, 0, [4, 3, 1, 4]), ({"maxUnavailable": 1}, 3, 1, [3, 3, 0, 4]),
                ({"minAvailable": "60%"}, 4, 0, [4, 3, 1, 4]), ({"maxUnavailable": "30%"}, 4, 0, [4, 2, 2, 4]),
                ({"minAvailable": 0}, 0, 0, [0, 0, 0, 0])):
            self.assertEqual(self.status(ready, sick, **spec), expected, spec)


class WorkloadTest(LabTest):
    """One server and two agents."""

    def setUp(self):
        super().setUp()
        self.server = self.lab.server("s1")
        self.server.logs("k3s is up and running")
        self.agents = []
        for name in ("w1", "w2"):
            node = self.lab.node(name)
            node.configure(server=f"https://{self.server.address}:6443", token="s3cret")
            node.start("agent")
            self.agents.append(node)
        for node in self.agents:
            node.logs("k3s agent is up and running")
        self.lab.ready(self.server, "w1")
        self.lab.ready(self.server, "w2")

    def kubectl(self, *words, fails=False, stdin=None):
        done = self.server.kubectl(*words, stdin=stdin)
        self.assertEqual(done.returncode, 1 if fails else 0, f"{words}: {done.stdout}{done.stderr}")
        return done.stderr if fails else done.stdout

    def apply(self, *items):
        self.kubectl("apply", "--server-side", "-f", "-", stdin="\n---\n".join(json.dumps(item) for item in items))

    def rolled_out(self, name):
        self.assertIn("complete" if "statefulset" in name else "successfully rolled out",
                      self.kubectl("rollout", "status", name, "--timeout=30s"))

    def pods(self, app):
        found = json.loads(self.kubectl("get", "pods", "-l", f"app={app}", "-o", "json"))["items"]
        return sorted(found, key=lambda pod: pod["metadata"]["name"])

    def homes(self, app):
        return sorted(pod["spec"].get("nodeName", "") for pod in self.pods(app))

    def field(self, *words):
        return self.kubectl("get", *words[:-1], "-o", f"jsonpath={words[-1]}")

    def test_workloads_roll_out_and_roll_on(self):
        self.kubectl("taint", "nodes", "s1", "server=true:NoSchedule")
        self.kubectl("label", "node", "w2", "disk=fast")
        self.apply(workload("Deployment", "web", replicas=2), workload("DaemonSet", "probe"),
                   workload("StatefulSet", "db", replicas=2, pod={"nodeSelector": {"disk": "fast"}}),
                   workload("Deployment", "nowhere", pod={"nodeSelector": {"disk": "none"}}))
        for name in ("deployment/web", "daemonset/probe", "statefulset/db"):
            self.rolled_out(name)
        self.assertEqual([self.homes(app) for app in ("web", "probe", "db")],
                         [["w1", "w2"], ["w1", "w2"], ["w2", "w2"]])
        self.assertEqual([pod["metadata"]["name"] for pod in self.pods("db")], ["db-0", "db-1"])
        lost = self.pods("nowhere")[0]["status"]
        self.assertEqual(lost["phase"], "Pending")
        self.assertIn("0/3 nodes are available", lost["conditions"][0]["message"])
        old = {pod["metadata"]["uid"] for app in ("web", "probe", "db") for pod in self.pods(app)}
        self.apply(workload("Deployment", "web", "app:2", replicas=3), workload("DaemonSet", "probe", "app:2"),
                   workload("StatefulSet", "db", "app:2", replicas=2, pod={"nodeSelector": {"disk": "fast"}}))
        for name in ("deployment/web", "daemonset/probe", "statefulset/db"):
            self.rolled_out(name)
        new = [pod for app in ("web", "probe", "db") for pod in self.pods(app)]
        self.assertEqual({pod["spec"]["containers"][0]["image"] for pod in new}, {"app:2"})
        self.assertEqual((len(new), old & {pod["metadata"]["uid"] for pod in new}), (7, set()))
        self.assertEqual(self.field("deployment", "web", "{.status.observedGeneration}{.status.updatedReplicas}"
                                    "{.status.readyReplicas}{.status.availableReplicas}"), "2333")
        self.kubectl("wait", "--for=condition=Available", "deployment/web", "--timeout=5s")
        self.kubectl("delete", "deployment", "web")
        wait_for("the pods go with their deployment", 15, lambda: not self.pods("web"))

    def test_a_broken_image_holds_the_rollout_and_harms_nothing(self):
        self.apply(workload("Deployment", "web", replicas=2, progressDeadlineSeconds=2))
        self.rolled_out("deployment/web")
        self.apply(workload("Deployment", "web", "app:broken", replicas=2, progressDeadlineSeconds=2))
        self.assertEqual(self.kubectl("rollout", "status", "deployment/web", "--timeout=30s", fails=True),
                         'error: deployment "web" exceeded its progress deadline\n')
        self.assertIn("ImagePullBackOff", self.kubectl("get", "pods"))
        self.assertEqual(self.field("deployment", "web", "{.status.availableReplicas}"), "2")
        self.apply(workload("Deployment", "web", replicas=2, progressDeadlineSeconds=2))
        self.rolled_out("deployment/web")

    def test_a_drain_asks_the_budget(self):
        self.apply(workload("Deployment", "web", replicas=2), budget("web", minAvailable=2), workload("DaemonSet", "d"),
                   workload("Deployment", "scratch", pod={"volumes": [{"name": "v", "emptyDir": {}}]}))
        for name in ("deployment/web", "daemonset/d", "deployment/scratch"):
            self.rolled_out(name)
        home = self.pods("web")[0]["spec"]["nodeName"]
        wait_for("the budget counts", 10, lambda: self.field("pdb", "web", "{.status.currentHealthy}") == "2")
        self.assertEqual(self.field("pdb", "web", "{.status.disruptionsAllowed}{.status.expectedPods}"), "02")
        flags = ["--ignore-daemonsets", "--delete-emptydir-data"]
        for extra in (["--dry-run=server"], []):
            done = self.server.kubectl("drain", home, *flags, *extra, "--timeout=2s")
            self.assertEqual(done.returncode, 1)
            self.assertIn("(will retry after 5s): Cannot evict pod as it would violate the pod's disruption budget.\n",
                          done.stderr)
            self.assertIn("global timeout reached: 2s, continuing command...\n", done.stderr)
            self.assertIn(f"There are pending nodes to be drained:\n {home}\n", done.stderr)
        self.assertEqual(len(self.pods("web")), 2)
        self.kubectl("patch", "pdb", "web", "--type=merge", "-p", '{"spec":{"minAvailable":1}}')
        self.assertIn(f"node/{home} drained\n", self.kubectl("drain", home, *flags, "--timeout=30s"))
        self.assertNotIn(home, self.homes("web"))
        self.assertIn(home, self.homes("d"))
        self.rolled_out("deployment/web")
        self.kubectl("uncordon", home)

    def test_a_drain_names_what_stands_in_its_way(self):
        lone = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "lone"}, "spec": {
            "nodeName": "w1", "containers": [{"name": "c", "image": "i"}]}}
        self.apply(lone, workload("DaemonSet", "d"), workload("Deployment", "scratch", pod={
            "volumes": [{"name": "v", "emptyDir": {}}], "nodeSelector": {"kubernetes.io/hostname": "w1"}}))
        for name in ("daemonset/d", "deployment/scratch"):
            self.rolled_out(name)
        refused = self.kubectl("drain", "w1", fails=True)
        for words in ("DaemonSet-managed Pods (use --ignore-daemonsets to ignore): default/d-",
                      "Pods declare no controller (use --force to override): default/lone",
                      "Pods with local storage (use --delete-emptydir-data to override): default/scratch"):
            self.assertIn("cannot delete " + words, refused)
        self.assertEqual(len(self.pods("scratch")), 1)
        self.kubectl("drain", "w1", "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=30s")
        self.assertIn('pods "lone" not found', self.kubectl("get", "pod", "lone", fails=True))

    def test_pods_of_a_lost_node_are_replaced(self):
        self.apply(workload("Deployment", "web", replicas=3), workload("DaemonSet", "d"))
        self.rolled_out("deployment/web")
        self.rolled_out("daemonset/d")
        self.assertEqual(self.homes("web"), ["s1", "w1", "w2"])
        self.agents[1].kill()
        wait_for("three pods elsewhere", 40, lambda: len([pod for pod in self.pods("web") if disruption.is_ready(
            pod) and pod["spec"]["nodeName"] != "w2"]) == 3)
        lost = [pod for pod in self.pods("web") if pod["spec"]["nodeName"] == "w2"]
        self.assertTrue(lost and all(pod["metadata"].get("deletionTimestamp") for pod in lost))
        self.assertIn("w2", self.homes("d"))
        self.kubectl("delete", "node", "w2")
        wait_for("nothing is left of w2", 15, lambda: "w2" not in self.homes("web") + self.homes("d"))


if __name__ == "__main__":
    unittest.main()
