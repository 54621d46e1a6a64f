"""Raft's elections: who leads, and how a leader is found, heard, lost and relieved."""

import random
import threading
import time

from standin import timing

FOLLOWER, CANDIDATE, LEADER = "follower", "candidate", "leader"


class Election:
    """The half of a Raft member that decides who leads; `raft.Raft` is the other half."""

    def _later(self):
        return time.monotonic() + random.uniform(timing.ELECTION_MIN, timing.ELECTION_MAX)

    def _voters(self):
        return [member for member, facts in self.members.items() if not facts["learner"]]

    def _majority(self, count):
        voters = self._voters()
        return bool(voters) and count > len(voters) // 2

    def _campaign(self, handed=False):
        if not handed and not self._collect_votes(pre=True):
            return
        with self.lock:
            if self.stopped or self.role == LEADER:
                return
            self.role = CANDIDATE
            self.disk.save_vote(self.disk.term + 1, self.id)
            self.deadline = self._later()
        if self._collect_votes(pre=False, handed=handed):
            with self.lock:
                if self.role == CANDIDATE:
                    self._lead()

    def _collect_votes(self, pre, handed=False):
        with self.lock:
            term = self.disk.term + (1 if pre else 0)
            message = {"kind": "vote", "pre": pre, "handed": handed, "term": term, "from": self.id,
                       "last_index": self.disk.last_index, "last_term": self.disk.last_term}
            others = [member for member in self._voters() if member != self.id]
            targets = {member: self.members[member] for member in others}
        granted, done = [self.id], threading.Condition()
        left = [len(targets)]

        def ask(member, facts):
            try:
                reply = self.send(facts, message)
            except OSError:
                reply = {}
            if reply.get("removed"):
                self.removed.set()
            with self.lock:
                if reply.get("term", 0) > self.disk.term and not reply.get("granted"):
                    self._follow(reply["term"], None)
            with done:
                granted.extend([member] if reply.get("granted") else [])
                left[0] -= 1
                done.notify()

        for member, facts in targets.items():
            threading.Thread(target=ask, args=(member, facts), daemon=True).start()
        with done:
            done.wait_for(lambda: self._majority(len(granted)) or not left[0], timing.PEER_TIMEOUT)
            won = self._majority(len(granted))
        with self.lock:
            return won and term == self.disk.term + (1 if pre else 0) and self.role != LEADER

    def _lead(self):
        self.role = LEADER
        self._see_leader(self.id)
        self.peers = {}
        self.disk.append([{"t": self.disk.term, "k": "noop", "d": None}])
        self._meet_peers()
        self._advance()

    def _follow(self, term, leader):
        if term > self.disk.term:
            self.disk.save_vote(term, None)
        self.role = FOLLOWER
        self._see_leader(leader)
        self.deadline = self._later()
        self.lock.notify_all()

    def _see_leader(self, leader):
        if leader is not None and leader != self.leader:
            self.leader_changes += 1
        self.leader = leader

    def _on_vote(self, message):
        term, now = message["term"], time.monotonic()
        fresh = (message["last_term"], message["last_index"]) >= (self.disk.last_term, self.disk.last_index)
        content = self.role == LEADER or now - self.heard < timing.ELECTION_MIN
        if term < self.disk.term or content and not message["handed"]:
            return {"granted": False, "term": self.disk.term}
        if message["pre"]:
            return {"granted": fresh and term > self.disk.term, "term": self.disk.term}
        if term > self.disk.term:
            self._follow(term, None)
        if fresh and self.disk.vote in (None, message["from"]):
            self.disk.save_vote(term, message["from"])
            self.deadline = self._later()
            return {"granted": True, "term": term}
        return {"granted": False, "term": self.disk.term}

    def _on_take_over(self, message):
        """The leader goes and asks us to lead; no need to wait for its silence."""
        if message["term"] == self.disk.term and self.id in self._voters():
            threading.Thread(target=self._campaign, args=(True,), daemon=True).start()
        return {"term": self.disk.term}

    def hand_over(self):
        """Before an orderly end, let the most advanced voter lead."""
        with self.lock:
            others = [member for member in self._voters() if member in self.peers and not self.peers[member].broken]
            if self.role != LEADER or not others:
                return
            heir = self.members[max(others, key=lambda member: self.peers[member].match)]
            message = {"kind": "take_over", "term": self.disk.term, "from": self.id}
        try:
            self.send(heir, message)
        except OSError:
            pass  # the others will elect one of themselves once we are silent
