"""Raft: one log on a majority of the servers, so that what was acknowledged stays.

Follows the Raft paper (elections with a pre-vote, log replication, snapshots, one membership
change at a time, read index). Members carry a `learner` mark: a learner receives the log but
neither votes nor counts. Elections live in `raftelection`, the log in `raftdisk`, the wire in
`raftwire`.
"""

import threading
import time

from standin import timing
from standin.raftelection import CANDIDATE, FOLLOWER, LEADER, Election

__all__ = ["CANDIDATE", "FOLLOWER", "LEADER", "NotLeader", "Raft", "Refused", "Timeout"]
COMPACT_EVERY = 2000     # a member further behind than the log reaches is sent the whole state
BATCH = 200


class NotLeader(Exception):
    """This member cannot answer; another one may."""


class Timeout(Exception):
    """The majority did not answer in time; a write may or may not have happened."""


class Refused(Exception):
    """A membership change that would endanger the cluster; the text is etcd's own."""


class Peer:
    """What a leader knows of one other member."""

    def __init__(self, next_index):
        self.next = next_index
        self.match = 0
        self.acked_read = 0
        self.told = 0           # the commit index it was last sent
        self.contact = time.monotonic()
        self.broken = False     # the last message did not get through
        self.synced_since = None


class Raft(Election):
    """One member of the cluster."""

    def __init__(self, member_id, disk, send, state):
        self.id = member_id
        self.disk = disk
        self.send = send        # send(member, message) -> reply, or raises OSError
        self.state = state      # has apply(entry data) -> result, dump(), load(dump)
        self.lock = threading.Condition(threading.RLock())
        self.role, self.leader = FOLLOWER, None
        self.commit = self.applied = disk.snapshot_index
        self.results = {}
        self.waiting = set()
        self.peers = {}
        self.read_round = 0
        self.heard = 0.0        # when a leader last spoke to us
        self.deadline = self._later()
        self.leader_changes = 0
        self.removed = threading.Event()
        self.stopped = False
        state.load(disk.snapshot_state)
        self.members = disk.members()

    # --- life ---------------------------------------------------------------------------------

    def start(self):
        """Begin to vote, replicate and apply."""
        for work in (self._tick_forever, self._apply_forever):
            threading.Thread(target=work, daemon=True).start()
        if self._voters() == [self.id]:
            with self.lock:
                self.deadline = 0.0  # alone: nobody to wait for

    def stop(self):
        """Stop all threads at their next step."""
        with self.lock:
            self.stopped = True
            self.lock.notify_all()

    def _tick_forever(self):
        while not self.stopped:
            time.sleep(0.05)
            with self.lock:
                now = time.monotonic()
                if self.role == LEADER:
                    if not self._majority(len(self._in_contact(timing.ELECTION_MAX))):
                        self._follow(self.disk.term, None)
                    continue
                if now < self.deadline:
                    continue
                self._see_leader(None)
                self.deadline = self._later()
                votes = self.id in self._voters()
            if votes:
                self._campaign()
            else:
                self._collect_votes(pre=True)  # changes nothing; a removed learner is told so

    def _in_contact(self, seconds):
        """Voters heard of within some seconds, ourselves included."""
        now = time.monotonic()
        return [member for member in self._voters()
                if member == self.id or member in self.peers and now - self.peers[member].contact < seconds]

    # --- what others ask of us ----------------------------------------------------------------

    def handle(self, message):
        """Answer one message of another member."""
        with self.lock:
            if message["from"] in self.disk.removed_members():
                return {"removed": True, "term": self.disk.term}
            return getattr(self, "_on_" + message["kind"])(message)

    def _on_append(self, message):
        if message["term"] < self.disk.term:
            return {"ok": False, "term": self.disk.term}
        self._hear(message)
        entries, previous = message["entries"], message["prev_index"]
        below = self.disk.snapshot_index - previous
        if below > 0:  # what our snapshot covers is committed and equal
            entries, previous = entries[below:], max(previous, self.disk.snapshot_index)
        elif self.disk.term_of(previous) != message["prev_term"]:
            return {"ok": False, "term": self.disk.term, "hint": min(previous, self.disk.last_index + 1)}
        if self.disk.merge(previous, entries):
            self._renew_members()
        commit = min(message["commit"], previous + len(entries))
        if commit > self.commit:
            self.commit = commit
            self.lock.notify_all()
        return {"ok": True, "term": self.disk.term, "match": previous + len(entries)}

    def _on_snapshot(self, message):
        if message["term"] < self.disk.term:
            return {"ok": False, "term": self.disk.term}
        self._hear(message)
        snapshot = message["snapshot"]
        if snapshot["index"] > self.commit:
            self.disk.install(snapshot)
            self.state.load(snapshot["state"])
            self.commit = self.applied = snapshot["index"]
            self._renew_members()
            self.lock.notify_all()
        return {"ok": True, "term": self.disk.term, "match": snapshot["index"]}

    def _hear(self, message):
        if message["term"] > self.disk.term or self.role != FOLLOWER:
            self._follow(message["term"], message["from"])
        self._see_leader(message["from"])
        self.heard = time.monotonic()
        self.deadline = self._later()

    # --- replication --------------------------------------------------------------------------

    def _meet_peers(self):
        for member in self.members:
            if member != self.id and member not in self.peers:
                self.peers[member] = Peer(self.disk.last_index + 1)
                threading.Thread(
                    target=self._replicate, args=(member, self.peers[member], self.disk.term), daemon=True).start()

    def _replicate(self, member, peer, term):
        """Keep one member up to date for as long as this term is ours."""
        asked = 0
        while True:
            with self.lock:
                def has_news():
                    return peer.next <= self.disk.last_index or asked < self.read_round or peer.told < self.commit
                self.lock.wait_for(lambda: has_news() or not self._serves(member, peer, term), timing.HEARTBEAT)
                if not self._serves(member, peer, term):
                    return
                facts, message, asked = self.members[member], self._news(peer), self.read_round
            try:
                reply = self.send(facts, message)
            except OSError:
                peer.broken = True
                time.sleep(timing.HEARTBEAT)
                continue
            with self.lock:
                if not self._serves(member, peer, term):
                    return
                self._learn(peer, reply, asked)

    def _serves(self, member, peer, term):
        return (not self.stopped and self.role == LEADER and self.disk.term == term
                and member in self.members and self.peers.get(member) is peer)

    def _news(self, peer):
        message = {"term": self.disk.term, "from": self.id, "commit": self.commit}
        peer.told = self.commit
        if peer.next <= self.disk.snapshot_index:
            return {**message, "kind": "snapshot", "snapshot": self.disk.snapshot()}
        previous = peer.next - 1
        return {**message, "kind": "append", "prev_index": previous,
                "prev_term": self.disk.term_of(previous),
                "entries": self.disk.entries(peer.next, peer.next + BATCH)}

    def _learn(self, peer, reply, asked):
        if reply.get("removed"):
            self.removed.set()
            return
        if reply["term"] > self.disk.term:
            self._follow(reply["term"], None)
            return
        peer.contact, peer.broken = time.monotonic(), False
        peer.acked_read = max(peer.acked_read, asked)
        if reply["ok"]:
            peer.match = max(peer.match, reply["match"])
            peer.next = peer.match + 1
        else:
            peer.next = max(1, min(peer.next - 1, reply.get("hint", 1)))
        # As etcd judges a learner: nine tenths of the log, or a busy leader would never promote one.
        in_sync = peer.match >= 0.9 * self.commit
        peer.synced_since = (peer.synced_since or peer.contact) if in_sync else None
        self._advance()

    def _advance(self):
        """Commit what a majority of voters has on disk, once it is of our own term."""
        reached = sorted(
            (self.disk.last_index if member == self.id else self.peers[member].match
             for member in self._voters() if member == self.id or member in self.peers), reverse=True)
        needed = len(self._voters()) // 2
        if len(reached) > needed:
            index = reached[needed]
            if index > self.commit and self.disk.term_of(index) == self.disk.term:
                self.commit = index
        self.lock.notify_all()

    # --- applying -----------------------------------------------------------------------------

    def _apply_forever(self):
        while True:
            with self.lock:
                self.lock.wait_for(lambda: self.stopped or self.applied < self.commit)
                if self.stopped:
                    return
                for entry in self.disk.entries(self.applied + 1, self.commit + 1):
                    self.applied += 1
                    result = self.state.apply(entry["d"]) if entry["k"] == "txn" else None
                    if entry["k"] == "conf" and self.id in entry["d"]["removed"]:
                        self.removed.set()
                    if self.applied in self.waiting:
                        self.results[self.applied] = (entry["t"], result)
                if self.applied - self.disk.snapshot_index > COMPACT_EVERY:
                    self.disk.compact(self.applied, self.state.dump())
                self.lock.notify_all()

    # --- what the server asks of us -----------------------------------------------------------

    def propose(self, kind, data, timeout=timing.REQUEST_TIMEOUT):
        """Write one entry (leader only) and return (index, result) once it is applied."""
        with self.lock:
            if self.role != LEADER:
                raise NotLeader()
            term = self.disk.term
            self.disk.append([{"t": term, "k": kind, "d": data}])
            index = self.disk.last_index
            self.waiting.add(index)
            if kind == "conf":
                self._renew_members()
            self._advance()
            try:
                done = self.lock.wait_for(lambda: index in self.results or self.stopped, timeout)
                if not done or index not in self.results:
                    raise Timeout()
                applied_term, result = self.results.pop(index)
                if applied_term != term:
                    raise NotLeader()  # another leader's entry took this place: ours never happened
                return index, result
            finally:
                self.waiting.discard(index)

    def read_index(self, timeout=timing.REQUEST_TIMEOUT):
        """Return an index that covers every acknowledged write, proven by a majority right now."""
        end = time.monotonic() + timeout
        with self.lock:
            def leads():
                return self.role == LEADER and not self.stopped
            self.lock.wait_for(
                lambda: not leads() or self.disk.term_of(self.commit) == self.disk.term, timeout)
            if not leads():
                raise NotLeader()
            self.read_round += 1
            asked, index = self.read_round, self.commit
            self.lock.notify_all()

            def proven():
                acks = sum(1 for member in self._voters()
                           if member == self.id or self.peers.get(member) and self.peers[member].acked_read >= asked)
                return self._majority(acks)
            self.lock.wait_for(lambda: not leads() or proven(), max(0.0, end - time.monotonic()))
            if not leads():
                raise NotLeader()
            if not proven():
                raise Timeout()
            return index

    def wait_applied(self, index, timeout=timing.REQUEST_TIMEOUT):
        """Wait until this member's own state covers an index."""
        with self.lock:
            if not self.lock.wait_for(lambda: self.applied >= index or self.stopped, timeout):
                raise Timeout()

    # --- membership ---------------------------------------------------------------------------

    def _renew_members(self):
        self.members = self.disk.members()
        for member in [member for member in self.peers if member not in self.members]:
            del self.peers[member]
        if self.role == LEADER:
            self._meet_peers()
        self.lock.notify_all()

    def change_members(self, change):
        """Change one member: `change(members)` returns the new map, or raises Refused."""
        with self.lock:
            if self.role != LEADER:
                raise NotLeader()
            if self.disk.last_conf_index() > self.commit or self.disk.term_of(self.commit) != self.disk.term:
                raise Refused("etcdserver: unhealthy cluster")
            members = change(dict(self.members))
            gone = sorted(set(self.disk.removed_members()) | (set(self.members) - set(members)))
            return self.propose("conf", {"members": members, "removed": gone})

    def healthy_voters(self):
        """Voters (ourselves too) that were heard of lately; meaningful on the leader."""
        with self.lock:
            return [member for member in self._in_contact(timing.HEALTHY_CONTACT)
                    if member == self.id or not self.peers[member].broken]

    def synced_for(self, member):
        """Seconds that a member has been close behind the leader, 0 when it lags; leader only."""
        with self.lock:
            peer = self.peers.get(member)
            if peer is None or peer.synced_since is None:
                return 0.0
            return time.monotonic() - peer.synced_since
