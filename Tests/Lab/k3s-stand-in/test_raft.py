"""Raft under faults, without a network: members are objects, the wire is a function that may fail."""

import json
import os
import random
import shutil
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from standin import datastore, membership, raft, timing
from standin.paths import Layout
from standin.raftdisk import RaftDisk


class Cluster:
    """Members on one machine, with a wire that can be cut between any two."""

    def __init__(self, count):
        self.folder = tempfile.mkdtemp(prefix="raft-")
        self.facts = {str(number): {"name": f"n{number}", "node": f"n{number}", "peer": str(number), "learner": False}
                      for number in range(1, count + 1)}
        self.cut, self.members, self.states = set(), {}, {}
        for member in self.facts:
            RaftDisk.create(self.layout(member), self.facts, {"revision": 1, "keys": {}})
            self.start(member)

    def layout(self, member):
        return Layout(os.path.join(self.folder, member))

    def start(self, member):
        self.states[member] = datastore.State()
        self.members[member] = raft.Raft(
            member, RaftDisk(self.layout(member)), lambda facts, message: self.send(member, facts, message),
            self.states[member])
        self.members[member].start()

    def crash(self, member):
        """Forget everything that is not on disk."""
        old = self.members.pop(member)
        old.stop()
        with old.lock:
            old.role = raft.FOLLOWER
            old.disk.close()

    def send(self, sender, facts, message):
        receiver = facts["peer"]
        if (sender, receiver) in self.cut or receiver not in self.members:
            raise OSError("cut")
        try:
            reply = self.members[receiver].handle(json.loads(json.dumps(message)))
        except (KeyError, ValueError):  # it crashed while our message was on its way
            raise OSError("crashed") from None
        if (receiver, sender) in self.cut:
            raise OSError("cut")
        return json.loads(json.dumps(reply))

    def isolate(self, member):
        self.cut |= {pair for other in self.facts for pair in ((member, other), (other, member)) if other != member}

    def heal(self):
        self.cut = set()

    def leader(self, seconds=30):
        return self.lead(seconds)[0]

    def lead(self, seconds=30):
        """Who leads, proven by a majority, and an index that covers every acknowledged write."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for member, one in list(self.members.items()):
                if one.role == raft.LEADER:
                    try:
                        return member, one.read_index(1.0)
                    except (raft.NotLeader, raft.Timeout):
                        pass
            time.sleep(0.05)
        raise AssertionError("no leader")

    def write(self, key, value, timeout=1.0):
        """Write through whoever leads; true when it was acknowledged."""
        for one in list(self.members.values()):
            if one.role == raft.LEADER:
                try:
                    _, result = one.propose("txn", {"put": {key: value}}, timeout)
                    return result["done"]
                except (raft.NotLeader, raft.Timeout, ValueError):
                    return False
        time.sleep(0.02)
        return False

    def settle(self):
        """Heal, and wait until all members have applied the same."""
        self.heal()
        # On a busy machine the next one may lead a moment later; the index stays true.
        _, index = self.lead()
        for one in self.members.values():
            one.wait_applied(index, 30.0)
        return {member: state.dump() for member, state in self.states.items()}

    def destroy(self):
        for member in list(self.members):
            self.crash(member)
        shutil.rmtree(self.folder)


class RaftTest(unittest.TestCase):
    def setUp(self):
        self.kept = (timing.HEARTBEAT, timing.ELECTION_MIN, timing.ELECTION_MAX, raft.COMPACT_EVERY)
        timing.HEARTBEAT, timing.ELECTION_MIN, timing.ELECTION_MAX = 0.05, 0.3, 0.6
        raft.COMPACT_EVERY = 40

    def tearDown(self):
        timing.HEARTBEAT, timing.ELECTION_MIN, timing.ELECTION_MAX, raft.COMPACT_EVERY = self.kept

    def cluster(self, count):
        cluster = Cluster(count)
        self.addCleanup(cluster.destroy)
        return cluster

    def test_acknowledged_writes_survive_crashes_and_cuts(self):
        cluster, acknowledged, chance = self.cluster(3), {}, random.Random(7)
        cluster.leader()
        stop = threading.Event()

        def write_on():
            number = 0
            while not stop.is_set():
                number += 1
                if cluster.write(f"/k{number}", number):
                    acknowledged[f"/k{number}"] = number
        writer = threading.Thread(target=write_on)
        writer.start()
        for _ in range(12):
            time.sleep(chance.uniform(0.1, 0.5))
            victim = chance.choice(sorted(cluster.facts))
            if chance.random() < 0.5:
                cluster.isolate(victim)
            else:
                cluster.crash(victim)
                time.sleep(chance.uniform(0.0, 0.8))
                cluster.start(victim)
            time.sleep(chance.uniform(0.1, 0.8))
            cluster.heal()
        stop.set()
        writer.join()
        dumps = cluster.settle()
        self.assertGreater(len(acknowledged), 50)
        for member, dump in dumps.items():
            lost = [key for key in acknowledged if key not in dump["keys"]]
            self.assertEqual(lost, [], f"lost on member {member}")
        self.assertEqual(len({json.dumps(dump, sort_keys=True) for dump in dumps.values()}), 1)

    def test_a_minority_neither_writes_nor_reads(self):
        cluster = self.cluster(3)
        leader = cluster.leader()
        cluster.isolate(leader)
        with self.assertRaises((raft.Timeout, raft.NotLeader)):
            cluster.members[leader].propose("txn", {"put": {"/a": 1}}, 1.0)
        with self.assertRaises((raft.Timeout, raft.NotLeader)):
            cluster.members[leader].read_index(1.0)

    def test_an_old_leader_never_answers_a_stale_read(self):
        cluster = self.cluster(3)
        old = cluster.leader()
        cluster.isolate(old)
        deadline = time.monotonic() + 30
        new = None
        while new is None and time.monotonic() < deadline:
            new = next((member for member, one in cluster.members.items()
                        if member != old and one.role == raft.LEADER), None)
        cluster.members[new].propose("txn", {"put": {"/new": 1}}, 5.0)
        with self.assertRaises((raft.Timeout, raft.NotLeader)):
            cluster.members[old].read_index(0.3)

    def test_a_condition_that_does_not_hold_changes_nothing(self):
        cluster = self.cluster(1)
        member = cluster.members[cluster.leader()]
        _, first = member.propose("txn", {"if": {"/a": 0}, "put": {"/a": 1}})
        _, second = member.propose("txn", {"if": {"/a": 0}, "put": {"/a": 2}})
        self.assertEqual((first["done"], second["done"]), (True, False))
        self.assertEqual(cluster.states["1"].get("/a")["value"], 1)

    def test_a_torn_last_line_is_dropped_and_the_rest_kept(self):
        cluster = self.cluster(1)
        cluster.members[cluster.leader()].propose("txn", {"put": {"/a": 1}})
        cluster.crash("1")
        with open(os.path.join(cluster.layout("1").wal, "log.jsonl"), "ab") as file:
            file.write(b'{"i": 99, "t": 1, "k": "txn", "d": {"pu')
        cluster.start("1")
        cluster.leader()
        self.assertEqual(cluster.settle()["1"]["keys"]["/a"]["value"], 1)

    def test_a_learner_far_behind_gets_everything_and_a_removed_member_is_told(self):
        cluster = self.cluster(1)
        leader = cluster.members[cluster.leader()]
        for number in range(150):
            leader.propose("txn", {"put": {f"/k{number}": number}})
        facts = {"name": "n2", "node": "n2", "peer": "2"}
        RaftDisk.create(cluster.layout("2"), {}, {"revision": 0, "keys": {}})
        cluster.facts["2"] = facts
        cluster.start("2")
        leader.change_members(lambda members: membership.change(
            members, {"do": "add", "id": "2", "facts": facts}, ["1"]))
        dumps = cluster.settle()
        self.assertEqual(dumps["1"], dumps["2"])
        leader.change_members(lambda members: membership.change(members, {"do": "promote", "id": "2"}, ["1", "2"]))
        leader.change_members(lambda members: membership.change(members, {"do": "remove", "id": "2"}, ["1", "2"]))
        self.assertTrue(cluster.members["2"].removed.wait(30))


class MembershipTest(unittest.TestCase):
    def members(self, **learner):
        return {name: {"name": name, "node": name, "peer": name, "learner": flag} for name, flag in learner.items()}

    def refusal(self, members, request, healthy):
        with self.assertRaises(raft.Refused) as caught:
            membership.change(members, request, healthy)
        return str(caught.exception)

    def test_one_learner_at_a_time(self):
        request = {"do": "add", "id": "c", "facts": {"peer": "c"}}
        self.assertEqual(self.refusal(self.members(a=False, b=True), request, ["a"]),
                         "etcdserver: too many learner members in cluster")

    def test_nobody_joins_while_a_voter_is_silent(self):
        request = {"do": "add", "id": "c", "facts": {"peer": "c"}}
        self.assertEqual(self.refusal(self.members(a=False, b=False), request, ["a"]), "etcdserver: unhealthy cluster")

    def test_a_removal_that_would_lose_the_majority_is_refused(self):
        members = self.members(a=False, b=False, c=False)
        self.assertIn("not enough started members",
                      self.refusal(members, {"do": "remove", "id": "b"}, ["a", "b"]))

    def test_a_dead_voter_can_be_removed(self):
        members = self.members(a=False, b=False, c=False)
        self.assertEqual(set(membership.change(members, {"do": "remove", "id": "c"}, ["a", "b"])), {"a", "b"})


if __name__ == "__main__":
    unittest.main()
