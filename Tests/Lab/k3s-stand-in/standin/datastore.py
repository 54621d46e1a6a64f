"""The cluster's data: keys and JSON values with revisions, replicated by Raft.

Every read first asks a majority whether our view is current; every write returns only once a
majority has it on disk. Without a majority both fail, as with etcd.
"""

import collections
import threading
import time

from standin import raft, raftwire, timing

EVENTS_KEPT = 4000


class Unavailable(Exception):
    """No majority in time; the text is etcd's own."""


class State:
    """The replicated map; `apply` is the only way in and gives the same result on every member."""

    def __init__(self):
        self.lock = threading.Condition()
        self.load({"revision": 1, "keys": {}})

    def load(self, dump):
        """Replace everything by a snapshot's content."""
        with self.lock:
            self.revision = dump["revision"]
            self.keys = dict(dump["keys"])  # ours: the snapshot it came from must not change
            self.events = collections.deque(maxlen=EVENTS_KEPT)
            self.oldest = self.revision  # changes before this one are forgotten
            self.lock.notify_all()

    def dump(self):
        """Everything, for a snapshot."""
        with self.lock:
            return {"revision": self.revision, "keys": dict(self.keys)}

    def apply(self, command):
        """Do {"if": {key: revision}, "put": {key: value}, "delete": [key]}; revision 0 means absent."""
        with self.lock:
            for key, wanted in command.get("if", {}).items():
                found = self.keys.get(key)
                if (found["mod"] if found else 0) != wanted:
                    return {"done": False}
            self.revision += 1
            for key, value in command.get("put", {}).items():
                old = self.keys.get(key)
                self.keys[key] = {"value": value, "mod": self.revision,
                                  "created": old["created"] if old else self.revision}
                self._note("MODIFIED" if old else "ADDED", key, self.keys[key])
            for key in command.get("delete", []):
                old = self.keys.pop(key, None)
                if old:
                    self._note("DELETED", key, {**old, "mod": self.revision})
            self.lock.notify_all()
            return {"done": True, "revision": self.revision}

    def _note(self, kind, key, entry):
        if len(self.events) == self.events.maxlen:
            self.oldest = self.events[0][0]
        self.events.append((self.revision, kind, key, entry))

    def get(self, key):
        """One entry, or None; what it holds must not be changed in place."""
        with self.lock:
            return self.keys.get(key)

    def list(self, prefix):
        """(revision, [(key, entry)]) of all keys that begin so, in order."""
        with self.lock:
            return self.revision, sorted(
                (item for item in self.keys.items() if item[0].startswith(prefix)), key=lambda item: item[0])

    def changes(self, prefix, after, timeout):
        """Wait for events beyond a revision; None when they are forgotten already."""
        with self.lock:
            self.lock.wait_for(lambda: self.revision > after, timeout)
            if after < self.oldest:
                return None
            return [event for event in self.events if event[0] > after and event[2].startswith(prefix)]


class Datastore:
    """What the rest of the server uses."""

    def __init__(self, member, wire, state):
        self.member, self.wire, self.state = member, wire, state

    def read(self, timeout=timing.REQUEST_TIMEOUT):
        """Return the state once it covers everything ever acknowledged."""
        index = self._at_leader({"op": "read"}, timeout)
        self._settle(index, timeout)
        return self.state

    def write(self, command, timeout=timing.REQUEST_TIMEOUT):
        """Apply one command; return its result once a majority and we ourselves have it."""
        index, result = self._at_leader({"op": "write", "command": command}, timeout)
        self._settle(index, timeout)
        return result

    def change_members(self, request, timeout=timing.REQUEST_TIMEOUT):
        """Add, promote or remove one member; raft.Refused carries etcd's words."""
        return self._at_leader({"op": "members", "request": request}, timeout)

    def members(self, timeout=timing.REQUEST_TIMEOUT):
        """The membership, agreed by a majority."""
        self.read(timeout)
        with self.member.lock:
            return dict(self.member.members)

    def _settle(self, index, timeout):
        try:
            self.member.wait_applied(index, timeout)
        except raft.Timeout:
            raise Unavailable("etcdserver: request timed out") from None

    def _at_leader(self, message, timeout):
        """Do something on the leader, wherever it is, until the time is over."""
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            if left <= 0 or self.member.stopped:
                raise Unavailable("etcdserver: request timed out")
            outcome = self._try(message, left)
            if "ok" in outcome:
                return outcome["ok"]
            if "refused" in outcome:
                raise raft.Refused(outcome["refused"])
            if "timeout" in outcome:
                raise Unavailable("etcdserver: request timed out")
            time.sleep(min(0.1, max(0.0, end - time.monotonic())))

    def _try(self, message, left):
        with self.member.lock:
            leader = self.member.leader
            facts = self.member.members.get(leader)
        if leader == self.member.id:
            return self.serve(message, left)
        if facts is None:
            return {"again": True}
        try:
            return self.wire.send(facts, {**message, "timeout": left}, left + 0.5, "/forward")
        except ConnectionRefusedError:
            return {"again": True}
        except OSError:
            # A read can be asked again; a write may have happened, and only its caller may decide.
            return {"again": True} if message["op"] == "read" else {"timeout": True}

    def serve(self, message, timeout=None):
        """The leader's side of a request."""
        timeout = min(timeout or message["timeout"], timing.REQUEST_TIMEOUT)
        if message["op"] == "read":
            return raftwire.outcome(lambda: self.member.read_index(timeout))
        if message["op"] == "write":
            return raftwire.outcome(lambda: self.member.propose("txn", message["command"], timeout))
        return raftwire.outcome(lambda: self._change_members(message["request"]))

    def _change_members(self, request):
        from standin import membership
        healthy = self.member.healthy_voters()
        self.member.change_members(lambda members: membership.change(members, request, healthy))
        with self.member.lock:
            return dict(self.member.members)
