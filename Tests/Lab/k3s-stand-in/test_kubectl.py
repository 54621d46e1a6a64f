"""A real kubectl works against the stand-in, and the stand-in's own says the same.

The real one is Debian's package kubernetes-client (or whatever KUBECTL names).
"""

import json
import os
import shutil
import unittest

from testlab import LabTest, skip_unless_ci

REAL = os.environ.get("KUBECTL") or shutil.which("kubectl")
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '%s'}\n"
DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: plans.upgrade.cattle.io}
spec:
  group: upgrade.cattle.io
  scope: Namespaced
  names: {kind: Plan, plural: plans}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
    subresources: {status: {}}
    additionalPrinterColumns: [{name: Version, type: string, jsonPath: .spec.version}]
"""
PLAN = """
apiVersion: upgrade.cattle.io/v1
kind: Plan
metadata: {name: servers, namespace: default}
spec: {version: v1.29.3+k3s1, concurrency: 1}
"""
WORKLOADS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: d, namespace: default}
spec: {selector: {matchLabels: {app: d}}, template: {metadata: {labels: {app: d}}, spec: {containers: [{name: c, image: i}]}}}
"""


class Behaviour:
    """What both kubectls must do; `words()` says which one runs."""

    def setUp(self):
        super().setUp()
        self.server = self.lab.server("s1")
        self.server.logs("k3s is up and running")

    def kubectl(self, *words, stdin=None, fails=False):
        done = self.server.run(*self.words(), *words, stdin=stdin)
        self.assertEqual(done.returncode != 0, fails, f"{words}: {done.stdout}{done.stderr}")
        return done.stderr if fails else done.stdout

    def field(self, *words):
        path = words[-1]
        return self.kubectl("get", *words[:-1], "-o", f"jsonpath={path}")

    def test_nodes_show_status_roles_and_version(self):
        lines = self.kubectl("get", "nodes").splitlines()
        self.assertEqual(lines[0].split(), ["NAME", "STATUS", "ROLES", "AGE", "VERSION"])
        self.assertEqual([lines[1].split()[place] for place in (0, 1, 2, 4)],
                         ["s1", "Ready", "control-plane,etcd,master", "v1.29.1+k3s2"])
        self.assertIn("10.78.0.11", self.kubectl("get", "node", "s1", "-o", "wide"))

    def test_apply_creates_changes_and_leaves_alone(self):
        self.assertEqual(self.kubectl("apply", "-f", "-", stdin=CONFIG_MAP % 1), "configmap/a created\n")
        version = self.field("configmap", "a", "{.metadata.resourceVersion}")
        self.assertEqual(self.kubectl("apply", "-f", "-", stdin=CONFIG_MAP % 1), "configmap/a unchanged\n")
        self.assertEqual(self.field("configmap", "a", "{.metadata.resourceVersion}"), version)
        self.assertEqual(self.kubectl("apply", "-f", "-", stdin=CONFIG_MAP % 2), "configmap/a configured\n")
        self.assertEqual(self.field("configmap", "a", "{.data.x}"), "2")

    def test_server_side_apply_knows_owners(self):
        apply = ("apply", "--server-side", "-f", "-")
        self.assertEqual(self.kubectl(*apply, "--field-manager=one", stdin=CONFIG_MAP % 1),
                         "configmap/a serverside-applied\n")
        conflict = self.kubectl(*apply, "--field-manager=two", stdin=CONFIG_MAP % 2, fails=True)
        self.assertIn('Apply failed with 1 conflict: conflict with "one": .data.x', conflict)
        self.kubectl(*apply, "--field-manager=two", "--force-conflicts", stdin=CONFIG_MAP % 2)
        self.assertEqual(self.field("configmap", "a", "{.data.x}"), "2")

    def test_several_conflicts_and_dry_runs(self):
        two = CONFIG_MAP.replace("{x: '%s'}", "{x: '%s', z: '%s'}")
        apply = ("apply", "--server-side", "-f", "-")
        self.kubectl(*apply, "--field-manager=one", stdin=two % (1, 1))
        conflict = self.kubectl(*apply, "--field-manager=two", "--dry-run=server", stdin=two % (2, 2), fails=True)
        self.assertIn('Apply failed with 2 conflicts: conflicts with "one":\n- .data.x\n- .data.z', conflict)
        said = self.kubectl(*apply, "--field-manager=two", "--force-conflicts", "--dry-run=server", "-o",
                            "jsonpath={.data.x}", stdin=two % (2, 2))
        self.assertEqual((said, self.field("configmap", "a", "{.data.x}")), ("2", "1"))
        self.assertIn("namespaces \"nowhere\" not found",
                      self.kubectl(*apply, "-n", "nowhere", stdin=CONFIG_MAP % 1, fails=True))

    def test_marks_and_taints_come_and_go(self):
        self.kubectl("label", "node", "s1", "pool=a")
        self.assertIn("already has a value", self.kubectl("label", "node", "s1", "pool=b", fails=True))
        self.kubectl("label", "node", "s1", "pool=b", "--overwrite")
        self.kubectl("annotate", "node", "s1", "note=x")
        self.kubectl("taint", "node", "s1", "k=v:NoSchedule")
        self.assertEqual(self.field("node", "s1", "{.metadata.labels.pool}{.metadata.annotations.note}"
                                    "{.spec.taints[0].key}"), "bxk")
        self.kubectl("label", "node", "s1", "pool-")
        self.kubectl("taint", "node", "s1", "k:NoSchedule-")
        self.assertEqual(self.field("node", "s1", "{.metadata.labels.pool}{.spec.taints}"), "")
        self.assertEqual(json.loads(self.kubectl("get", "nodes", "-l", "pool", "-o", "json"))["items"], [])

    def test_drain_evicts_what_may_go(self):
        self.kubectl("apply", "-f", "-", stdin=WORKLOADS)
        for name in ("deployment/web", "daemonset/d"):
            self.assertIn("successfully rolled out", self.kubectl("rollout", "status", name, "--timeout=30s"))
        probe = self.kubectl("get", "pods", "-l", "app=d", "-o", "name")
        self.assertIn("DaemonSet-managed", self.kubectl("drain", "s1", fails=True))
        self.kubectl("drain", "s1", "--ignore-daemonsets")
        self.assertEqual(self.kubectl("get", "pods", "-o", "name", "--field-selector", "spec.nodeName=s1"), probe)
        self.assertIn("SchedulingDisabled", self.kubectl("get", "nodes"))
        self.kubectl("uncordon", "s1")
        self.assertNotIn("SchedulingDisabled", self.kubectl("get", "nodes"))
        self.assertIn("successfully rolled out", self.kubectl("rollout", "status", "deployment/web", "--timeout=30s"))

    def test_custom_resources(self):
        self.kubectl("apply", "-f", "-", stdin=DEFINITION)
        self.kubectl("wait", "--for=condition=Established", "crd/plans.upgrade.cattle.io", "--timeout=5s")
        self.kubectl("apply", "-f", "-", stdin=PLAN)
        self.assertEqual(self.kubectl("get", "plans").splitlines()[1].split(), ["servers", "v1.29.3+k3s1"])
        self.kubectl("patch", "plan", "servers", "--type=merge", "-p", '{"spec":{"concurrency":2}}')
        self.assertEqual(self.field("plan", "servers", "{.spec.concurrency}"), "2")
        self.kubectl("delete", "crd", "plans.upgrade.cattle.io")
        self.kubectl("get", "plans", fails=True)

    def test_delete_and_not_found(self):
        self.kubectl("apply", "-f", "-", stdin="apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n")
        self.kubectl("apply", "-n", "x", "-f", "-", stdin=CONFIG_MAP.replace("name: a", "name: m") % 1)
        self.kubectl("delete", "namespace", "x")
        self.assertIn('namespaces "x" not found', self.kubectl("get", "namespace", "x", fails=True))
        self.assertIn("not found", self.kubectl("get", "configmap", "m", "-n", "x", fails=True))

    def test_raw_paths_and_versions(self):
        self.assertEqual(self.kubectl("get", "--raw", "/readyz"), "ok")
        self.assertIn("[+]etcd ok", self.kubectl("get", "--raw", "/readyz?verbose"))
        self.assertIn("v1.29.1+k3s2", self.kubectl("version", "-o", "json"))

    def test_a_stopped_server_is_named(self):
        self.server.kill()
        self.assertIn("The connection to the server 127.0.0.1:6443 was refused",
                      self.kubectl("get", "nodes", fails=True))


class OwnKubectlTest(Behaviour, LabTest):
    """`k3s kubectl`."""

    def words(self):
        return [self.lab.k3s, "kubectl"]


class RealKubectlTest(Behaviour, LabTest):
    """Debian's kubectl."""

    def setUp(self):
        skip_unless_ci(self, "" if REAL else "needs kubectl (Debian: kubernetes-client)")
        super().setUp()

    def words(self):
        return [REAL, "--kubeconfig", "/etc/rancher/k3s/k3s.yaml"]


if __name__ == "__main__":
    unittest.main()
