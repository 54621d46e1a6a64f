"""A cluster's life on real machines: begin, join, lose servers, come back, remove, restore."""

import json
import os
import signal
import socket
import time
import unittest

from testlab import LabTest, wait_for

UP = "k3s is up and running"


class ClusterTest(LabTest):
    def three(self):
        """Three servers, joined one by one."""
        first = self.lab.server("s1")
        first.logs(UP)
        servers = [first]
        for name in ("s2", "s3"):
            servers.append(self.lab.server(name, first))
            servers[-1].logs(UP)
        return servers

    def agent(self, server, name="w1", **keys):
        node = self.lab.node(name)
        node.configure(**{"server": f"https://{server.address}:6443", "token": "s3cret", **keys})
        node.start("agent")
        node.logs("k3s agent is up and running")
        return node

    def get(self, node, url):
        return node.run("curl", "-sk", "--max-time", "10", url).stdout

    def map(self, node, name, value=None):
        """Write or read a ConfigMap's one value."""
        if value is None:
            return node.kubectl("get", "configmap", name, "-o", "jsonpath={.data.v}").stdout
        return node.kubectl("create", "configmap", name, f"--from-literal=v={value}").returncode == 0

    def test_three_servers_and_an_agent_become_ready(self):
        servers = self.three()
        self.agent(servers[1], node_label=["pool=a"], node_taint=["dedicated=x:NoSchedule"])
        for name in ("s1", "s2", "s3", "w1"):
            self.lab.ready(servers[2], name)
        nodes = servers[0].nodes()
        wait_for("EtcdIsVoter", 10, lambda: all(
            servers[0].condition(name, "EtcdIsVoter") == "True" for name in ("s1", "s2", "s3")))
        self.assertEqual(nodes["w1"]["metadata"]["labels"]["pool"], "a")
        self.assertEqual(nodes["w1"]["spec"]["taints"], [{"key": "dedicated", "value": "x", "effect": "NoSchedule"}])
        self.assertEqual(nodes["s2"]["metadata"]["annotations"]["etcd.k3s.cattle.io/node-address"],
                         servers[1].address)
        self.assertEqual(nodes["s1"]["status"]["nodeInfo"]["kubeletVersion"], "v1.29.1+k3s2")
        self.assertIn("node-role.kubernetes.io/etcd", nodes["s3"]["metadata"]["labels"])
        self.files(servers[0])
        self.ports(servers)

    def files(self, server):
        base = "/var/lib/rancher/k3s/server/"
        token = server.read(base + "token").strip()
        digest = server.run("sha256sum", base + "tls/server-ca.crt").stdout.split()[0]
        self.assertEqual(token, f"K10{digest}::server:s3cret")
        self.assertEqual(server.read(base + "node-token").strip(), token)
        modes = server.run("stat", "-c", "%a", "/etc/rancher/k3s/k3s.yaml", base + "token", base + "db/etcd").stdout
        self.assertEqual(modes.split(), ["600", "600", "700"])

    def ports(self, servers):
        self.assertEqual(self.get(servers[0], "https://127.0.0.1:6443/ping"), "pong")
        self.assertEqual(self.get(servers[0], "https://127.0.0.1:6443/cacerts"),
                         servers[2].read("/var/lib/rancher/k3s/server/tls/server-ca.crt"))
        self.assertEqual(json.loads(self.get(servers[0], "https://127.0.0.1:6443/readyz"))["code"], 401)
        metrics = [self.get(one, "http://127.0.0.1:2381/metrics") for one in servers]
        self.assertEqual(sum("etcd_server_is_leader 1" in text for text in metrics), 1)
        self.assertTrue(all("etcd_server_has_leader 1" in text for text in metrics))

    def test_quorum_is_real_and_acknowledged_writes_stay(self):
        servers = self.three()
        written = []
        for number in range(30):
            if number == 10:
                servers[0].kill()  # the writer's own server, without a chance to say goodbye
            node = servers[0] if number < 10 else servers[1]
            if self.map(node, f"m{number}", str(number)):
                written.append(number)
        self.assertGreater(len(written), 20)
        servers[1].kill()
        wait_for("no leader on s3", 15, lambda: '"health":"false"' in self.get(
            servers[2], "http://127.0.0.1:2381/health"))
        wait_for("has_leader 0", 15, lambda: "etcd_server_has_leader 0" in self.get(
            servers[2], "http://127.0.0.1:2381/metrics"))
        self.assertNotEqual(servers[2].kubectl("get", "nodes").returncode, 0)
        self.assertFalse(self.map(servers[2], "lost", "1"))
        self.assertIn("etcd failed", servers[2].kubectl("get", "--raw", "/readyz").stderr)
        for one in (servers[0], servers[1]):
            one.start()
        wait_for("the API answers", 30, lambda: servers[2].nodes())
        for number in written:
            self.assertEqual(self.map(servers[2], f"m{number}"), str(number))
        servers[0].kill(signal.SIGTERM)
        self.lab.ready(servers[1], "s2")

    def test_agents_outlive_the_server_they_joined_through(self):
        servers = self.three()
        self.agent(servers[0])
        self.lab.ready(servers[1], "w1")
        time.sleep(6)  # the agent asks for the list of servers every few seconds
        servers[0].kill()
        wait_for("s1 NotReady", 40, lambda: servers[1].condition("s1") == "Unknown")
        self.assertEqual(servers[1].condition("w1"), "True")

    def test_a_dead_agent_is_not_ready_and_comes_back(self):
        server = self.lab.server("s1")
        server.logs(UP)
        agent = self.agent(server)
        agent.kill()
        wait_for("w1 NotReady", 30, lambda: server.condition("w1") == "Unknown")
        taints = server.nodes()["w1"]["spec"]["taints"]
        self.assertEqual({taint["key"] for taint in taints}, {"node.kubernetes.io/unreachable"})
        agent.start("agent")
        self.lab.ready(server, "w1")

    def test_a_deleted_server_leaves_and_can_be_built_anew(self):
        servers = self.three()
        servers[2].kill()
        done = servers[0].kubectl("delete", "node", "s3", "--timeout=20s")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("s3", servers[0].nodes())
        servers[2].run("rm", "-rf", "/var/lib/rancher/k3s", "/etc/rancher/node")
        servers[2].configure(server=f"https://{servers[1].address}:6443", token="s3cret")
        servers[2].start()
        self.lab.ready(servers[0], "s3")
        self.assertEqual(self.get(servers[2], "https://127.0.0.1:6443/cacerts"),
                         self.get(servers[0], "https://127.0.0.1:6443/cacerts"))

    def test_a_removed_server_says_so_ends_and_joins_again_after_its_restart(self):
        servers = self.three()
        self.assertEqual(servers[0].kubectl("delete", "node", "s3", "--timeout=20s").returncode, 0)
        servers[2].logs("this node has been removed from the cluster please restart k3s to rejoin the cluster")
        self.assertEqual(servers[2].ends(), 1)
        servers[2].start()
        servers[2].logs("tombstone file has been detected, removing data dir to rejoin the cluster")
        self.lab.ready(servers[0], "s3")

    def test_the_leader_itself_can_be_deleted(self):
        servers = self.three()
        leader = next(one for one in servers if "etcd_server_is_leader 1" in self.get(
            one, "http://127.0.0.1:2381/metrics"))
        rest = [one for one in servers if one is not leader]
        done = rest[0].kubectl("delete", "node", leader.name, "--timeout=30s")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(leader.ends(), 1)
        wait_for("the API answers without it", 20, lambda: leader.name not in rest[1].nodes() and rest[1].nodes())

    def test_restarts_one_by_one_keep_the_cluster_answering(self):
        servers = self.three()
        for one in servers:
            other = servers[(servers.index(one) + 1) % 3]
            one.kill(signal.SIGTERM)
            start = time.monotonic()
            self.assertEqual(other.kubectl("get", "nodes").returncode, 0)
            self.assertLess(time.monotonic() - start, 2.0, "the leader should hand over before it ends")
            before = one.log().count(UP)
            one.start()
            wait_for(f"{one.name} up again", 20, lambda one=one, before=before: one.log().count(UP) > before)

    def test_systemd_hears_ready_only_when_the_server_is(self):
        first = self.lab.server("s1")
        first.logs(UP)
        path = os.path.join(self.lab.folder, "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.bind(path)
            channel.settimeout(20)
            second = self.lab.node("s2")
            second.configure(server=f"https://{first.address}:6443", token="s3cret")
            second.start(env={"NOTIFY_SOCKET": path})
            second.logs("has not yet been promoted from learner to voting member")
            channel.setblocking(False)
            self.assertRaises(BlockingIOError, channel.recv, 100)
            channel.settimeout(20)
            self.assertEqual(channel.recv(100), b"READY=1\n")
        self.assertEqual(first.condition("s2", "EtcdIsVoter") or "True", "True")

    def test_a_restart_ignores_what_only_a_first_start_needs(self):
        server = self.lab.server("s1")
        server.logs(UP)
        server.kill(signal.SIGTERM)
        server.configure(server="https://10.78.0.99:6443", token="s3cret", cluster_init=True)
        server.start()
        server.logs("Managed etcd cluster bootstrap already complete and initialized")
        self.lab.ready(server)

    def test_snapshots_are_saved_listed_restored_and_need_the_token(self):
        server = self.lab.server("s1")
        server.logs(UP)
        self.map(server, "kept", "yes")
        k3s = self.lab.k3s
        saved = server.run(k3s, "etcd-snapshot", "save", "--name", "before")
        self.assertEqual(saved.returncode, 0, saved.stderr)
        listed = json.loads(server.run(k3s, "etcd-snapshot", "ls", "-o", "json").stdout)["items"]
        path = listed[0]["spec"]["location"].removeprefix("file://")
        self.assertIn("/server/db/snapshots/before-s1-", path)
        self.map(server, "lost", "yes")
        server.kill(signal.SIGTERM)
        reset = ["--cluster-reset", "--cluster-reset-restore-path", path]
        wrong = server.run(k3s, "server", *reset, "--token", "another")
        self.assertIn("bootstrap data already found and encrypted with different token", wrong.stderr)
        self.assertEqual(server.run(k3s, "server", *reset).returncode, 0)
        again = server.run(k3s, "server", *reset)
        self.assertIn("previously reset", again.stderr)
        server.start()
        self.lab.ready(server)
        self.assertEqual((self.map(server, "kept"), self.map(server, "lost")), ("yes", ""))
        pruned = server.run(k3s, "etcd-snapshot", "prune", "--name", "before", "--snapshot-retention", "0")
        self.assertEqual(pruned.returncode, 0, pruned.stderr)

    def test_manifests_are_applied_at_start_and_on_change(self):
        server = self.lab.server("s1")
        server.logs(UP)
        text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {v: '%s'}\n"
        path = "/var/lib/rancher/k3s/server/manifests/m.yaml"
        for value in ("1", "2"):
            server.write(path, text % value)
            wait_for(f"the manifest's {value}", 15, lambda value=value: self.map(server, "m") == value)
        self.assertEqual(server.kubectl("get", "addons", "-n", "kube-system", "-o", "name").stdout,
                         "addon.k3s.cattle.io/m\n")

    def test_without_a_network_plugin_nodes_are_not_ready(self):
        server = self.lab.server("s1", flannel_backend="none")
        server.logs(UP)
        self.assertEqual(server.condition("s1"), "False")
        server.write("/etc/cni/net.d/05-test.conflist", "{}")
        self.lab.ready(server)


if __name__ == "__main__":
    unittest.main()
