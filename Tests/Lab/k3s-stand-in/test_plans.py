"""The rules of Plans, Jobs, images and the k3s-upgrade image, without a cluster."""

import datetime
import hashlib
import tempfile
import unittest
from unittest import mock

from standin import (access, images, jobs, placing, planjob, planrules, releases, settings as config,
                     timing, upgradeplans, upgrader)

OLD, NEW = "v1.29.1+k3s2", "v1.29.15+k3s1"
SERVERS = {"matchExpressions": [{"key": "node-role.kubernetes.io/control-plane", "operator": "In", "values": ["true"]}]}
AGENTS = {"matchExpressions": [{"key": "node-role.kubernetes.io/control-plane", "operator": "DoesNotExist"}]}
LABEL = "plan.upgrade.cattle.io/"


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


class ChannelTest(unittest.TestCase):
    """Which version a Plan is for, as the controller's status tells."""

    A, B = "http://example.org/a", "http://example.org/b"

    def setUp(self):
        self.clock, self.asked, self.broken = 1_772_000_000.0, [], False
        for target, double in (("standin.upgradeplans.ask_channel", self.ask), ("time.time", lambda: self.clock),
                               ("time.monotonic", lambda: self.clock),
                               ("standin.upgradeplans.now", lambda: datetime.datetime.fromtimestamp(
                                   self.clock, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))):
            patcher = mock.patch(target, double)
            patcher.start()
            self.addCleanup(patcher.stop)

    def ask(self, url):
        self.asked.append(url[-1])
        if self.broken:
            raise OSError("no route to host")
        return {"a": OLD, "b": NEW}[url[-1]]

    def controller(self, version):
        one = upgradeplans.PlanController(None)
        one.config = planjob.Config({}, version)
        return one

    @staticmethod
    def learn(controller, one, **spec):
        """What the status tells after the Plan was looked at with these fields."""
        one["metadata"]["uid"] = "p"
        one["spec"] = {**plan(**spec)["spec"]}
        one["status"] = controller._resolved(one)
        resolved = planrules.condition_of(one["status"], "LatestResolved")
        return one["status"].get("latestVersion"), resolved.get("status"), resolved.get("reason")

    def test_another_channel_is_asked_when_the_last_answer_is_old(self):
        for version in ((0, 13, 4), planrules.NEWEST):
            self.asked, one, suc = [], plan(), self.controller(version)
            old, new = planrules.tag(OLD), planrules.tag(NEW)
            self.assertEqual(self.learn(suc, one, version="", channel=self.A), (old, "True", "Channel"))
            self.clock += timing.CHANNEL_PERIOD - 1
            self.assertEqual(self.learn(suc, one, version="", channel=self.B), (old, "True", "Channel"))
            self.assertEqual(self.asked, ["a"])
            self.clock += 2
            self.assertEqual(self.learn(suc, one, version="", channel=self.B), (new, "True", "Channel"))
            self.assertEqual(self.asked, ["a", "b"])

    def test_a_version_is_taken_at_once_and_a_channel_after_it_is_not(self):
        one, suc = plan(), self.controller(planrules.NEWEST)
        old, new = planrules.tag(OLD), planrules.tag(NEW)
        self.learn(suc, one, version="", channel=self.A)
        self.assertEqual(self.learn(suc, one, version=NEW), (new, "True", "Version"))
        self.assertEqual(self.learn(suc, one, version="", channel=self.A), (new, "True", "Version"))
        self.clock += timing.CHANNEL_PERIOD
        self.assertEqual(self.learn(suc, one, version="", channel=self.A), (old, "True", "Channel"))

    def test_without_conditions_a_channel_is_asked_at_once_and_one_that_is_silent_leaves_what_was_there(self):
        one, suc = plan(), self.controller(planrules.NEWEST)
        old, new = planrules.tag(OLD), planrules.tag(NEW)
        self.learn(suc, one, version="", channel=self.A)
        one["status"]["conditions"], self.broken = [], True
        self.assertEqual(self.learn(suc, one, version="", channel=self.B), (old, None, None))
        self.broken = False
        self.clock += timing.CHANNEL_PERIOD
        self.assertEqual(self.learn(suc, one, version="", channel=self.B), (new, "True", "Channel"))


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


if __name__ == "__main__":
    unittest.main()
