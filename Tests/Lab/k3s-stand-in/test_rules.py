"""Settings, tokens, patches, field ownership and templates: the rules that need no cluster."""

import datetime
import os
import sys
import tempfile
import threading
import unittest
import unittest.mock

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from standin import (certificates, httpclient, jointoken, jsonpath, ownership, patches, pki, selectors, settings,
                     shapes, tables, webserver)
from standin.apierror import ApiError
from standin.paths import Layout


class SettingsTest(unittest.TestCase):
    def load(self, text="", words=(), env=None, more=None, command="server"):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "config.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            for name, content in (more or {}).items():
                os.makedirs(path + ".d", exist_ok=True)
                with open(os.path.join(path + ".d", name), "w", encoding="utf-8") as file:
                    file.write(content)
            return settings.load(command, list(words), {"K3S_CONFIG_FILE": path, **(env or {})})

    def test_flags_beat_environment_beats_file(self):
        text = "token: file\n"
        self.assertEqual(self.load(text)["token"], "file")
        self.assertEqual(self.load(text, env={"K3S_TOKEN": "env"})["token"], "env")
        self.assertEqual(self.load(text, ["--token", "flag"], {"K3S_TOKEN": "env"})["token"], "flag")

    def test_drop_in_files_come_by_name_and_plus_appends(self):
        loaded = self.load("tls-san: [a]\nnode-name: one\n", more={
            "20.yaml": "tls-san+: [c]\n", "10.yaml": "tls-san+: b\nnode-name: two\n"})
        self.assertEqual((loaded["tls-san"], loaded["node-name"]), (["a", "b", "c"], "two"))

    def test_an_unknown_key_or_flag_is_fatal_in_k3s_words(self):
        for text, words in (("tokn: x\n", ()), ("", ["--tokn=x"])):
            with self.assertRaisesRegex(settings.SettingsError, "^flag provided but not defined: -tokn$"):
                self.load(text, words)

    def test_a_server_key_is_unknown_to_an_agent(self):
        with self.assertRaisesRegex(settings.SettingsError, "-cluster-init"):
            self.load("cluster-init: true\n", command="agent")

    def test_kubelet_arguments_keep_their_commas(self):
        self.assertEqual(self.load('kubelet-arg: ["eviction-hard=a,b"]\n')["kubelet-arg"], ["eviction-hard=a,b"])


class TokenTest(unittest.TestCase):
    def test_full_and_short_forms(self):
        full = jointoken.parse("K10" + "a" * 64 + "::server:pass:word")
        self.assertEqual((full.ca_hash, full.user, full.password), ("a" * 64, "server", "pass:word"))
        self.assertEqual(jointoken.parse("word").password, "word")
        self.assertEqual(jointoken.parse("abcdef.0123456789abcdef").bootstrap, "abcdef.0123456789abcdef")

    def test_broken_tokens_are_refused_in_k3s_words(self):
        for token, words in (("", "token must not be empty"), ("K10abc::server:x", "invalid token CA hash length"),
                             ("K10" + "a" * 64 + "::nothing", "invalid token format")):
            with self.assertRaisesRegex(jointoken.TokenError, words):
                jointoken.parse(token)


class ClockTest(unittest.TestCase):
    def test_a_certificate_of_the_future_is_told_as_go_tells_it(self):
        later = datetime.datetime.utcnow().replace(microsecond=0) + datetime.timedelta(hours=1)
        with tempfile.TemporaryDirectory() as folder, unittest.mock.patch.object(pki, "_now", lambda: later):
            layout = Layout(folder)
            pki.create_authorities(layout)
            authority = pki.Authority(layout, "server-ca")
            authority.issue_to(folder + "/leaf", "leaf", hosts=["127.0.0.1"], server=True)
            server = webserver.Server(("127.0.0.1", 0), webserver.Handler,
                                      webserver.server_context((folder + "/leaf.crt", folder + "/leaf.key")))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            client = httpclient.Client(f"https://127.0.0.1:{server.server_port}", httpclient.context(authority.pem))
            with self.assertRaisesRegex(httpclient.WireError, "x509: certificate has expired or is not yet valid: "
                                        f"current time .* is before {later:%Y-%m-%dT%H:%M:%SZ}"):
                client.get("/")
            server.shutdown()
            server.server_close()


class CertificateTest(unittest.TestCase):
    def test_a_pair_stays_while_it_is_good(self):
        with tempfile.TemporaryDirectory() as folder:
            layout = Layout(folder)
            pki.create_authorities(layout)
            one, other = pki.Authority(layout, "server-ca"), pki.Authority(layout, "client-ca")
            path = folder + "/leaf"
            self.assertEqual(certificates.why_not(one, path, ["a"]), "missing")
            certificates.keep_or_issue(one, path, "leaf", hosts=["a", "10.0.0.1"], server=True)
            with open(path + ".crt", encoding="utf-8") as file:
                before = file.read()
            certificates.keep_or_issue(one, path, "leaf", hosts=["10.0.0.1", "a"], server=True)
            with open(path + ".crt", encoding="utf-8") as file:
                self.assertEqual(file.read(), before)
            self.assertEqual(certificates.why_not(one, path, ["b"]), "other names")
            self.assertEqual(certificates.why_not(other, path, ["a", "10.0.0.1"]), "foreign")
            for days, reason in ((274, None), (276, "expiring")):
                later = pki.today() + datetime.timedelta(days=days)
                with unittest.mock.patch.object(pki, "_now", lambda later=later: later):
                    self.assertEqual(certificates.why_not(one, path, ["a", "10.0.0.1"]), reason)


class PatchTest(unittest.TestCase):
    def test_merge_removes_with_null(self):
        self.assertEqual(patches.merge({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}), {"a": {"c": 2}})

    def test_strategic_joins_conditions_and_replaces_taints(self):
        old = {"conditions": [{"type": "A", "status": "x"}, {"type": "B", "status": "y"}], "taints": [{"key": "k"}]}
        new = patches.strategic(old, {"conditions": [{"type": "A", "status": "z"}], "taints": []})
        self.assertEqual(new["conditions"], [{"type": "A", "status": "z"}, {"type": "B", "status": "y"}])
        self.assertEqual(new["taints"], [])

    def test_strategic_deletes_an_item_by_its_key(self):
        old = {"containers": [{"name": "a"}, {"name": "b"}]}
        self.assertEqual(patches.strategic(old, {"containers": [{"name": "a", "$patch": "delete"}]}),
                         {"containers": [{"name": "b"}]})

    def test_json_patch_tests_before_it_changes(self):
        steps = [{"op": "test", "path": "/a", "value": 1}, {"op": "replace", "path": "/a", "value": 2},
                 {"op": "add", "path": "/l/-", "value": "x"}, {"op": "remove", "path": "/b~1c"}]
        self.assertEqual(patches.json_patch({"a": 1, "l": [], "b/c": 0}, steps), {"a": 2, "l": ["x"]})
        with self.assertRaises(ApiError):
            patches.json_patch({"a": 9, "l": []}, steps)


class OwnershipTest(unittest.TestCase):
    def config(self, **data):
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}

    def apply(self, live, config, manager, force=False):
        item, sets = ownership.apply(live, config, manager, force, shapes.BuiltIn(config["kind"]))
        item["metadata"]["managedFields"] = ownership.write_sets(sets, "v1", "now", None)
        return item

    def test_what_is_no_longer_applied_goes_away(self):
        live = self.apply({"metadata": {}}, self.config(x="1", y="2"), "one")
        self.assertEqual(self.apply(live, self.config(x="1"), "one")["data"], {"x": "1"})

    def test_a_field_of_another_manager_is_a_conflict_unless_forced(self):
        live = self.apply({"metadata": {}}, self.config(x="1"), "one")
        with self.assertRaises(ApiError) as caught:
            self.apply(live, self.config(x="2"), "two")
        self.assertEqual(caught.exception.code, 409)
        self.assertEqual(str(caught.exception),
                         'Apply failed with 1 conflict: conflict with "one": .data.x')
        forced = self.apply(live, self.config(x="2"), "two", force=True)
        self.assertEqual(forced["data"], {"x": "2"})
        self.assertNotIn(("one", "Apply"), ownership.read_sets(forced["metadata"]["managedFields"]))

    def test_a_shared_value_stays_until_both_let_go(self):
        live = self.apply({"metadata": {}}, self.config(x="1"), "one")
        live = self.apply(live, self.config(x="1"), "two")
        live = self.apply(live, self.config(y="1"), "one")
        self.assertEqual(live["data"], {"x": "1", "y": "1"})
        live = self.apply(live, self.config(z="1"), "two")
        self.assertEqual(live["data"], {"y": "1", "z": "1"})

    def test_containers_are_joined_by_name(self):
        def pod(*names):
            return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
                    "spec": {"containers": [{"name": name, "image": name} for name in names]}}
        live = self.apply({"metadata": {}}, pod("a", "b"), "one")
        live = self.apply(live, pod("c"), "two")
        self.assertEqual([one["name"] for one in live["spec"]["containers"]], ["a", "b", "c"])
        live = self.apply(live, pod("b"), "one")
        self.assertEqual([one["name"] for one in live["spec"]["containers"]], ["b", "c"])


class TemplateTest(unittest.TestCase):
    NODES = {"items": [{"metadata": {"name": "a", "labels": {"x.y/z": "1"}},
                        "status": {"conditions": [{"type": "Ready", "status": "True"}]}},
                       {"metadata": {"name": "b"}, "status": {"conditions": []}}]}

    def test_templates(self):
        for template, text in (
                ("{.items[*].metadata.name}", "a b"),
                ('{range .items[*]}{.metadata.name}{"\\n"}{end}', "a\nb\n"),
                ('{.items[0].status.conditions[?(@.type=="Ready")].status}', "True"),
                ("{.items[0].metadata.labels.x\\.y/z}", "1"), ("{.items[-1].metadata.name}", "b")):
            self.assertEqual(jsonpath.render(template, self.NODES), text, template)

    def test_selectors(self):
        item = {"metadata": {"name": "n", "labels": {"a": "1"}}, "spec": {"nodeName": "w"}}
        for selector, fits in (("a=1", True), ("a!=1", False), ("a in (1,2)", True), ("!a", False), ("b", False)):
            self.assertEqual(selectors.labels(selector)(item), fits, selector)
        self.assertTrue(selectors.fields("spec.nodeName=w,metadata.name!=x")(item))

    def test_a_node_says_why_it_is_not_used(self):
        node = {"metadata": {}, "spec": {"unschedulable": True},
                "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}
        self.assertEqual(tables.node_status(node), "NotReady,SchedulingDisabled")


if __name__ == "__main__":
    unittest.main()
