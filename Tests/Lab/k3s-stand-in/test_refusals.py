"""What k3s refuses, the stand-in refuses, with the words an operator finds in the journal."""

import unittest

from testlab import LabTest, wait_for

UP = "k3s is up and running"


class RefusalTest(LabTest):
    def first(self, **keys):
        server = self.lab.server("s1", **keys)
        server.logs(UP)
        return server

    def agent(self, server, name="w1", **keys):
        node = self.lab.node(name)
        node.configure(**{"server": f"https://{server.address}:6443", "token": "s3cret", **keys})
        node.start("agent")
        return node

    def refused(self, node, *words):
        self.assertEqual(node.ends(), 1, node.log())
        for word in words:
            self.assertIn(word, node.log())

    def test_a_server_with_the_wrong_token(self):
        first = self.first()
        self.refused(self.lab.server("s2", first, token="wrong"),
                     "level=fatal", "/v1-k3s/server-bootstrap: 401 Unauthorized")
        first.logs("invalid username/password combination")

    def test_an_agent_with_the_wrong_token_waits(self):
        first = self.first()
        agent = self.agent(first, token="wrong")
        agent.logs("Waiting to retrieve agent configuration; server is not ready: failed to retrieve configuration "
                   "from server: https://127.0.0.1:6444/v1-k3s/config: 401 Unauthorized")
        agent.kill()
        agent.configure(server=f"https://{first.address}:6443", token="s3cret")
        agent.start("agent")
        self.lab.ready(first, "w1")

    def test_an_agent_token_opens_the_door_for_agents_only(self):
        first = self.first(agent_token="for-agents")
        self.refused(self.lab.server("s2", first, token="for-agents", agent_token="for-agents"), "401 Unauthorized")
        agent = self.agent(first, token="for-agents")
        agent.logs("k3s agent is up and running")
        other = self.agent(first, "w2")
        other.logs("401 Unauthorized")

    def test_a_token_of_another_cluster(self):
        first = self.first()
        wrong = "K10" + "0" * 64 + "::server:s3cret"
        words = "token CA hash does not match the Cluster CA certificate hash: " + "0" * 64 + " != "
        self.refused(self.lab.server("s2", first, token=wrong), "level=fatal", words)
        agent = self.agent(first, token=wrong)
        agent.logs(words)
        self.assertIsNone(agent.process.poll())

    def test_the_full_token_of_this_cluster_is_accepted(self):
        first = self.first()
        token = first.read("/var/lib/rancher/k3s/server/token").strip()
        agent = self.agent(first, token=token)
        agent.logs("k3s agent is up and running")
        self.assertNotIn("does not include a CA hash", agent.log())

    def test_critical_settings_that_differ_are_named(self):
        first = self.first()
        self.refused(self.lab.server("s2", first, flannel_backend="host-gw", cluster_cidr="10.99.0.0/16"),
                     "critical configuration mismatched: flannel-backend",
                     "critical configuration mismatched: cluster-cidr",
                     "critical configuration value mismatch between servers")

    def test_an_agent_newer_than_its_server(self):
        first = self.first()
        node = self.lab.node("w1")
        node.configure(server=f"https://{first.address}:6443", token="s3cret")
        node.start("agent", binary=self.lab.build("v1.30.4+k3s1"))
        self.refused(node, "newer than the API server")

    def test_a_server_that_skips_a_minor_or_goes_back(self):
        first = self.first()
        first.kill()
        for version, words in (("v1.31.0+k3s1", "skips a minor version"), ("v1.28.9+k3s1", "cannot be downgraded")):
            first.start(binary=self.lab.build(version))
            self.refused(first, words)
        first.start(binary=self.lab.build("v1.30.4+k3s1"))
        wait_for("the new version", 20, lambda: first.nodes().get("s1", {}).get("status", {}).get(
            "nodeInfo", {}).get("kubeletVersion") == "v1.30.4+k3s1")

    def test_a_node_name_that_another_machine_owns(self):
        first = self.first()
        self.agent(first).logs("k3s agent is up and running")
        other = self.agent(first, "w2", node_name="w1")
        other.logs("Node password rejected, duplicate hostname or contents of '/etc/rancher/node/password' may not "
                   "match server node-passwd entry, try enabling a unique node name with the --with-node-id flag")
        self.assertEqual(first.kubectl("delete", "node", "w1").returncode, 0)
        other.logs("k3s agent is up and running", 30)

    def test_a_wiped_server_is_a_duplicate_until_its_node_is_deleted(self):
        first = self.first()
        second = self.lab.server("s2", first)
        second.logs(UP)
        third = self.lab.server("s3", first)
        third.logs(UP)
        third.kill()
        third.run("rm", "-rf", "/var/lib/rancher/k3s", "/etc/rancher/node")
        third.start()
        self.refused(third, "etcd cluster join failed: duplicate node name found, please use a unique name for this "
                     "node")

    def test_two_servers_at_once_and_the_second_waits_its_turn(self):
        first = self.first()
        pair = [self.lab.server(name, first) for name in ("s2", "s3")]
        for one in pair:
            one.logs(UP, 30)
        text = "Waiting for other members to finish joining etcd cluster: etcdserver: too many learner members in cluster"
        self.assertTrue(any(text in one.log() for one in pair))

    def test_nobody_joins_while_a_member_is_dead(self):
        first = self.first()
        others = []
        for name in ("s2", "s3"):
            others.append(self.lab.server(name, first))
            others[-1].logs(UP)
        others[1].kill()
        wait_for("the silence to be noticed", 10, lambda: first.nodes())
        fourth = self.lab.server("s4", first)
        fourth.logs("Waiting for other members to finish joining etcd cluster: etcdserver: unhealthy cluster", 20)
        self.assertEqual(first.kubectl("delete", "node", "s3", "--timeout=20s").returncode, 0)
        fourth.logs(UP, 30)

    def test_the_port_is_taken(self):
        node = self.lab.node("s1")
        holder = self.hold(node, 6443)
        node.configure(token="s3cret", cluster_init=True)
        node.start()
        self.refused(node, "listen tcp :6443: bind: address already in use")
        holder.kill()
        holder.wait(10)

    def hold(self, node, port):
        import subprocess
        code = f"import socket,time; s=socket.create_server(('0.0.0.0', {port})); print('on', flush=True); time.sleep(99)"
        holder = subprocess.Popen(node.inside("/usr/bin/python3", "-c", code), stdout=subprocess.PIPE, text=True)
        self.assertEqual(holder.stdout.readline(), "on\n")
        self.addCleanup(holder.stdout.close)
        return holder

    def test_what_another_cluster_left_on_the_disk(self):
        first = self.first()
        second = self.lab.server("s2")
        second.logs(UP)
        second.kill()
        second.run("rm", "-rf", "/var/lib/rancher/k3s/server/db")
        second.configure(server=f"https://{first.address}:6443", token="s3cret")
        second.start()
        self.refused(second, "newer than datastore and could cause a cluster outage")

    def test_another_token_for_a_datastore_that_exists(self):
        first = self.first()
        first.kill()
        first.configure(token="another", cluster_init=True)
        first.start()
        self.refused(first, "bootstrap data already found and encrypted with different token")

    def test_a_server_that_nobody_answers_for(self):
        node = self.lab.node("s2")
        node.configure(server="https://10.78.0.11:6444", token="s3cret")
        node.start()
        self.refused(node, "failed to get CA certs", "connect: connection refused")

    def test_an_unknown_key_and_missing_settings(self):
        node = self.lab.node("w1")
        for keys, words in (({"tokn": "x"}, "flag provided but not defined: -tokn"), ({}, "--token is required"),
                            ({"token": "x"}, "--server is required")):
            node.configure(**keys)
            node.start("agent")
            self.refused(node, f'level=fatal msg="{words}"')

    def test_an_address_that_the_certificate_does_not_know(self):
        first = self.first()
        first.run("ip", "addr", "add", "10.78.0.200/24", "dev", "eth0", check=True)
        node = self.lab.node("s2")
        node.configure(server="https://10.78.0.200:6443", token="s3cret")
        node.start()
        self.refused(node, "CA cert validation failed", "x509: certificate is not valid for 10.78.0.200")

    def test_tokens_are_created_listed_deleted_and_rotated(self):
        first = self.first()
        k3s = self.lab.k3s
        token = first.run(k3s, "token", "create", "--ttl", "1h", check=True).stdout.strip()
        self.agent(first, token=token).logs("k3s agent is up and running")
        self.refused(self.lab.server("s2", first, token=token), "failed to normalize server token")
        self.assertIn(token.rpartition("::")[2], first.run(k3s, "token", "list").stdout)
        first.run(k3s, "token", "delete", token.rpartition("::")[2], check=True)
        self.agent(first, "w2", token=token).logs("401 Unauthorized")
        first.run(k3s, "token", "rotate", "--token", "s3cret", "--new-token", "fresh", check=True)
        self.agent(first, "w3", token="fresh").logs("k3s agent is up and running")


if __name__ == "__main__":
    unittest.main()
