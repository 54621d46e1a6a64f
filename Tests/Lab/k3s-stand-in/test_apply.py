"""Server-side apply, defaults and validation answer as a real API server of Kubernetes 1.29 does."""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from standin import defaults, kinds, ownership, quantity, schema, shapes
from standin.apierror import ApiError
from testlab import LabTest

DEPLOYMENT = {
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default"},
    "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": {
        "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{
            "name": "c", "image": "nginx:1.25", "ports": [{"containerPort": 80}],
            "resources": {"limits": {"cpu": "1000m", "memory": "1024Mi"}}}]}}}}
PLAN_SCHEMA = {"type": "object", "properties": {"status": {"type": "object"}, "spec": {
    "type": "object", "required": ["upgrade"], "properties": {
        "concurrency": {"type": "integer", "minimum": 1}, "version": {"type": "string"},
        "mode": {"type": "string", "enum": ["fast", "slow"]}, "size": {"x-kubernetes-int-or-string": True},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "parts": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"],
                  "items": {"type": "object", "properties": {"id": {"type": "string"}, "v": {"type": "integer"}}}},
        "upgrade": {"type": "object", "properties": {"image": {"type": "string"}}}}}}}
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": "plans.upgrade.cattle.io"}, "spec": {
        "group": "upgrade.cattle.io", "scope": "Namespaced", "names": {"kind": "Plan", "plural": "plans"},
        "versions": [{"name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
                      "schema": {"openAPIV3Schema": PLAN_SCHEMA}}]}}


def plan(name="p", **spec):
    return {"apiVersion": "upgrade.cattle.io/v1", "kind": "Plan",
            "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def config_map(name="a", **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}, "data": data}


class QuantityTest(unittest.TestCase):
    def test_a_quantity_has_one_way_to_be_written(self):
        for text, same in (("1000m", "1"), ("1024Mi", "1Gi"), ("0.5", "500m"), ("1.5Gi", "1536Mi"), ("100m", "100m"),
                           ("1000k", "1M"), ("0", "0"), ("2048Ki", "2Mi"), ("1e3", "1e3"), ("12", "12"),
                           ("500Mi", "500Mi"), ("0.1Gi", "107374182400m")):
            self.assertEqual(quantity.canonical(text), same, text)
        with self.assertRaises(quantity.QuantityError):
            quantity.canonical("1 Gi")


class DefaultsTest(unittest.TestCase):
    def test_a_deployment_is_completed(self):
        item = json.loads(json.dumps(DEPLOYMENT))
        defaults.fill(kinds.DEPLOYMENTS, item)
        spec, pod = item["spec"], item["spec"]["template"]["spec"]
        self.assertEqual(spec["strategy"], {"type": "RollingUpdate",
                                            "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}})
        self.assertEqual((spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]), (10, 600))
        self.assertEqual((pod["restartPolicy"], pod["dnsPolicy"], pod["terminationGracePeriodSeconds"]),
                         ("Always", "ClusterFirst", 30))
        one = pod["containers"][0]
        self.assertEqual(one["ports"], [{"containerPort": 80, "protocol": "TCP"}])
        self.assertEqual(one["resources"], {"limits": {"cpu": "1", "memory": "1Gi"},
                                            "requests": {"cpu": "1", "memory": "1Gi"}})
        self.assertEqual(one["imagePullPolicy"], "IfNotPresent")
        again = json.loads(json.dumps(item))
        defaults.fill(kinds.DEPLOYMENTS, again)
        self.assertEqual(again, item)

    def test_the_latest_image_is_always_pulled(self):
        for image, policy in (("nginx", "Always"), ("host:5000/a/nginx", "Always"), ("a/b:latest", "Always"),
                              ("host:5000/a:1", "IfNotPresent"), ("a@sha256:00", "IfNotPresent")):
            one = {"name": "c", "image": image}
            defaults.container(one, {})
            self.assertEqual(one["imagePullPolicy"], policy, image)


class MergeTest(unittest.TestCase):
    """Ownership beyond single fields."""

    def apply(self, live, config, manager="one", force=False):
        shape = shapes.BuiltIn(config["kind"])
        item, sets = ownership.apply(live, config, manager, force, shape)
        item["metadata"]["managedFields"] = ownership.write_sets(sets, config["apiVersion"], "now", None)
        return item

    def pod(self, *ports, **extra):
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {
            "containers": [{"name": "c", "ports": list(ports), **extra}]}}

    def test_ports_are_joined_by_number_and_protocol(self):
        live = self.apply({"metadata": {}}, self.pod({"containerPort": 53, "protocol": "TCP", "name": "t"},
                                                     {"containerPort": 53, "protocol": "UDP"}))
        live = self.apply(live, self.pod({"containerPort": 80}), "two")
        ports = live["spec"]["containers"][0]["ports"]
        self.assertEqual([(one["containerPort"], one["protocol"]) for one in ports],
                         [(53, "TCP"), (53, "UDP"), (80, "TCP")])
        with self.assertRaises(ApiError) as caught:
            self.apply(live, self.pod({"containerPort": 53, "name": "other"}), "two")
        self.assertEqual(str(caught.exception), 'Apply failed with 1 conflict: conflict with "one": '
                         '.spec.containers[name="c"].ports[containerPort=53,protocol="TCP"].name')

    def test_several_conflicts_are_listed_by_their_owners(self):
        live = self.apply({"metadata": {}}, config_map(x="1", y="1"), "one")
        live = self.apply(live, config_map(z="1"), "other")
        with self.assertRaises(ApiError) as caught:
            self.apply(live, config_map(x="2", y="2", z="2"), "two")
        self.assertEqual(str(caught.exception), 'Apply failed with 3 conflicts: conflicts with "one":\n- .data.x\n'
                         '- .data.y\nconflicts with "other":\n- .data.z')

    def test_an_ordinary_writer_is_named_with_its_version(self):
        live = config_map(x="1")
        sets = ownership.after_update(None, live, "kubectl-edit", shapes.BuiltIn("ConfigMap"))
        live["metadata"]["managedFields"] = ownership.write_sets(sets, "v1", "now", None)
        with self.assertRaisesRegex(ApiError, 'conflict with "kubectl-edit" using v1: .data.x$'):
            self.apply(live, config_map(x="2"))

    def test_a_selector_is_one_whole_and_a_whole_probe_goes(self):
        def service(**labels):
            return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"selector": labels}}
        live = self.apply({"metadata": {}}, service(a="1", b="2"))
        self.assertEqual(self.apply(live, service(c="3"))["spec"]["selector"], {"c": "3"})
        live = self.apply({"metadata": {}}, self.pod(livenessProbe={"httpGet": {"port": 80}}))
        live["spec"]["containers"][0]["livenessProbe"]["periodSeconds"] = 10  # a default, owned by nobody
        self.assertNotIn("livenessProbe", self.apply(live, self.pod())["spec"]["containers"][0])

    def test_what_is_empty_is_in_nobodys_way(self):
        empty = {**config_map(), "data": {}}
        sets = ownership.after_update(None, empty, "kubectl-create", shapes.BuiltIn("ConfigMap"))
        empty["metadata"]["managedFields"] = ownership.write_sets(sets, "v1", "now", None)
        live = self.apply(empty, config_map(x="1"))
        self.assertEqual(self.apply(live, {**config_map(), "data": {}}, "two")["data"], {"x": "1"})
        item = json.loads(json.dumps(DEPLOYMENT))
        item["spec"]["template"]["spec"].update({"nodeSelector": {}, "tolerations": [], "securityContext": {}})
        defaults.fill(kinds.DEPLOYMENTS, item)
        self.assertNotIn("nodeSelector", item["spec"]["template"]["spec"])
        self.assertEqual(item["spec"]["template"]["spec"]["securityContext"], {})

    def test_owners_are_written_as_the_api_writes_them(self):
        live = self.apply({"metadata": {}}, self.pod({"containerPort": 80}, image="i"))
        self.assertEqual(live["metadata"]["managedFields"][0]["fieldsV1"], {"f:spec": {"f:containers": {
            'k:{"name":"c"}': {".": {}, "f:name": {}, "f:image": {}, "f:ports": {
                'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}}}}}})


class SchemaTest(unittest.TestCase):
    def said(self, **spec):
        return [f"{one.field}: {one.message}" for one in schema.mistakes(PLAN_SCHEMA, plan(**spec))]

    def test_refusals_have_the_real_words(self):
        good = {"upgrade": {}}
        for spec, words in (
                ({}, "spec.upgrade: Required value"),
                ({**good, "concurrency": "x"}, 'spec.concurrency: Invalid value: "string": spec.concurrency in body '
                                               'must be of type integer: "string"'),
                ({**good, "concurrency": 0}, "spec.concurrency: Invalid value: 0: spec.concurrency in body should be "
                                             "greater than or equal to 1"),
                ({**good, "mode": "no"}, 'spec.mode: Unsupported value: "no": supported values: "fast", "slow"')):
            self.assertEqual(self.said(**spec), [words])
        for size in (1, "1%"):
            self.assertEqual(self.said(**good, size=size), [])

    def test_unknown_fields_are_pruned_or_undeclared(self):
        item = plan(upgrade={"bogus": 1}, free={"any": 1}, other=2)
        self.assertEqual(schema.pruned(PLAN_SCHEMA, item)["spec"], {"upgrade": {}, "free": {"any": 1}})
        self.assertEqual(list(schema.typed_mistakes(PLAN_SCHEMA, item)), [
            ".spec.upgrade.bogus: field not declared in schema", ".spec.other: field not declared in schema"])


class ApplyTest(LabTest):
    """Against one server, through its kubectl."""

    def setUp(self):
        super().setUp()
        self.server = self.lab.server("s1")
        self.server.logs("k3s is up and running")

    def apply(self, *items, flags=(), manager="helix-infra", fails=False):
        text = "\n---\n".join(json.dumps(item) for item in items)
        done = self.server.kubectl("apply", "--server-side", f"--field-manager={manager}", *flags, "-f", "-",
                                   stdin=text)
        self.assertEqual(done.returncode, 1 if fails else 0, done.stdout + done.stderr)
        return done.stderr if fails else done.stdout

    def get(self, *words):
        done = self.server.kubectl("get", *words, "-o", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout) if done.stdout else None

    def test_a_dry_run_says_what_would_be_stored_and_stores_nothing(self):
        said = json.loads(self.apply(DEPLOYMENT, flags=["--dry-run=server", "-o", "json"]))
        self.assertIsNone(self.get("deployment", "web", "--ignore-not-found"))
        self.assertNotIn("managedFields", said["metadata"])
        self.assertEqual(self.apply(DEPLOYMENT, flags=["--dry-run=server"]),
                         "deployment.apps/web serverside-applied (server dry run)\n")
        self.apply(DEPLOYMENT)
        self.assertEqual(self.get("deployment", "web")["spec"], said["spec"])
        before = self.get("deployment", "web")["metadata"]["generation"]
        self.apply(DEPLOYMENT)
        self.assertEqual(self.get("deployment", "web")["metadata"]["generation"], before)
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "b"}}
        said = json.loads(self.apply(secret, config_map(x="1"), flags=["--dry-run=server", "-o", "json"]))
        self.assertEqual([item["data"] for item in said["items"]], [{"a": "Yg=="}, {"x": "1"}])
        shown = self.get("deployment", "web", "--show-managed-fields")["metadata"]["managedFields"]
        self.assertIn(("helix-infra", "Apply"), [(one["manager"], one["operation"]) for one in shown])

    def test_several_objects_are_read_at_once(self):
        self.apply({"apiVersion": "v1", "kind": "List", "items": [config_map("a", x="1"), config_map("b", x="1")]})
        asked = json.dumps(config_map("a")) + "\n---\n" + json.dumps(config_map("nope"))
        found = json.loads(self.server.kubectl("get", "-f", "-", "-o", "json", "--ignore-not-found",
                                               stdin=asked).stdout)
        self.assertEqual((found["kind"], [item["metadata"]["name"] for item in found["items"]]), ("List", ["a"]))
        done = self.server.kubectl("get", "configmap", "a", "nope", "-o", "name")
        self.assertEqual((done.returncode, done.stdout), (1, "configmap/a\n"))
        self.assertEqual(done.stderr, 'Error from server (NotFound): configmaps "nope" not found\n')

    def test_refusals(self):
        other = {**config_map("x"), "metadata": {"name": "x", "namespace": "nowhere"}}
        self.assertEqual(self.apply(other, fails=True),
                         'Error from server (NotFound): namespaces "nowhere" not found\n')
        self.assertEqual(
            self.apply(plan(upgrade={}), fails=True),
            'error: resource mapping not found for name: "p" namespace: "default" from "STDIN": no matches for kind '
            '"Plan" in version "upgrade.cattle.io/v1"\nensure CRDs are installed first\n')
        self.assertIn(": .data.x: expected string, got &value.valueUnstructured{Value:1}",
                      self.apply(config_map(x=1), fails=True))
        twice = json.loads(json.dumps(DEPLOYMENT))
        twice["spec"]["template"]["spec"]["containers"] *= 2
        self.assertIn('.spec.template.spec.containers: duplicate entries for key [name="c"]',
                      self.apply(twice, fails=True))
        wrong = json.loads(json.dumps(DEPLOYMENT))
        wrong["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
        self.assertIn("`selector` does not match template `labels`", self.apply(wrong, fails=True))
        self.apply(DEPLOYMENT)
        wrong["spec"]["selector"] = {"matchLabels": {"app": "other"}}
        self.assertIn("field is immutable", self.apply(wrong, fails=True))

    def test_another_manager_is_in_the_way_until_forced(self):
        self.apply(config_map(x="1", y="1"), manager="one")
        self.assertIn('error: Apply failed with 2 conflicts: conflicts with "one":\n- .data.x\n- .data.y\n',
                      self.apply(config_map(x="2", y="2"), flags=["--dry-run=server"], fails=True))
        stale = config_map(x="2")
        stale["metadata"]["resourceVersion"] = "1"
        self.assertIn("the object has been modified", self.apply(stale, flags=["--force-conflicts"], fails=True))
        self.apply(config_map(x="2"), flags=["--force-conflicts"])
        self.assertEqual(self.get("configmap", "a")["data"], {"x": "2", "y": "1"})

    def test_a_custom_resource_is_kept_by_its_schema(self):
        self.apply(DEFINITION)
        done = self.server.kubectl("wait", "--for=condition=Established", "crd/plans.upgrade.cattle.io",
                                   "--timeout=10s")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.apply(plan(), fails=True), 'The Plan "p" is invalid: spec.upgrade: Required value\n')
        self.assertIn("(default/p; upgrade.cattle.io/v1, Kind=Plan): .spec.concurrency: expected numeric (int or float)"
                      ", got string", self.apply(plan(concurrency="x"), fails=True))
        self.assertIn(".spec.bogus: field not declared in schema", self.apply(plan(upgrade={}, bogus=1), fails=True))
        self.apply(plan(upgrade={}, parts=[{"id": "a", "v": 1}]))
        self.apply(plan(upgrade={}, parts=[{"id": "b", "v": 2}]), manager="two")
        self.assertEqual(len(self.get("plan", "p")["spec"]["parts"]), 2)
        self.server.kubectl("create", "-f", "-", stdin=json.dumps(plan("q", upgrade={}, bogus=1)))
        self.assertEqual(self.get("plan", "q")["spec"], {"upgrade": {}})
        patch = '{"status":{"ready":true},"spec":{"version":"x"}}'
        self.server.kubectl("patch", "plan", "q", "--subresource=status", "--type=merge", "-p", patch)
        found = self.get("plan", "q")
        self.assertEqual((found["spec"], "status" in found), ({"upgrade": {}}, True))
        self.server.kubectl("delete", "crd", "plans.upgrade.cattle.io")
        self.assertIn("doesn't have a resource type", self.server.kubectl("get", "plans").stderr)

    def test_dry_runs_of_other_commands_store_nothing(self):
        self.apply(DEPLOYMENT)
        before = self.get("deployment", "web")["spec"], self.get("node", "s1")["spec"]
        for words in (["patch", "deployment", "web", "-p", '{"spec":{"replicas":7}}'],
                      ["scale", "deployment", "web", "--replicas=7"], ["cordon", "s1"],
                      ["taint", "node", "s1", "k:NoSchedule"], ["label", "node", "s1", "k=v"],
                      ["delete", "deployment", "web"], ["create", "namespace", "x"]):
            done = self.server.kubectl(*words, "--dry-run=server")
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.get("deployment", "web")["spec"], self.get("node", "s1")["spec"]), before)
        self.assertNotIn("k", self.get("node", "s1")["metadata"]["labels"])
        self.assertIsNone(self.get("namespace", "x", "--ignore-not-found"))

    def test_an_outdated_api_is_counted_and_warned_of(self):
        self.assertNotIn("policy", self.server.kubectl("get", "--raw", "/metrics").stdout)
        done = self.server.kubectl("get", "--raw", "/apis/policy/v1beta1/poddisruptionbudgets")
        self.assertIn("Warning: policy/v1beta1 PodDisruptionBudget is deprecated in v1.21+", done.stderr)
        self.assertIn('apiserver_requested_deprecated_apis{group="policy",removed_release="1.25",'
                      'resource="poddisruptionbudgets",subresource="",version="v1beta1"} 1',
                      self.server.kubectl("get", "--raw", "/metrics").stdout)
        names = self.server.kubectl("get", "namespaces", "--chunk-size=1", "-o", "name").stdout
        self.assertEqual(len(set(names.split())), 4, names)
        metrics = self.server.run("curl", "-s", "http://127.0.0.1:2381/metrics").stdout
        for name in ("etcd_mvcc_db_total_size_in_use_in_bytes", "etcd_disk_wal_fsync_duration_seconds_bucket",
                     "etcd_disk_backend_commit_duration_seconds_count", 'etcd_server_id{server_id="'):
            self.assertIn("\n" + name, metrics)


if __name__ == "__main__":
    unittest.main()
