"""The durable side of Raft: a log of JSON lines, the vote, and a snapshot of the state.

Nothing here returns before the bytes are on disk; an unfinished last line is the mark of a crash
during a write that nobody was told had succeeded, and is dropped.
"""

import contextlib
import json
import os
import time

from standin import log, paths


@contextlib.contextmanager
def _or_end():
    """A member that cannot write must not go on: what it remembers would differ from its disk."""
    try:
        yield
    except OSError as problem:
        log.fatal(f"failed to write to etcd data directory: {(problem.strerror or str(problem)).lower()}")


class FsyncTimes:
    """Measured fsync times, in the buckets of etcd's histogram."""

    BOUNDS = [0.001 * 2 ** power for power in range(14)]

    def __init__(self):
        self.counts = [0] * (len(self.BOUNDS) + 1)
        self.total = 0.0

    def add(self, seconds):
        """Count one fsync."""
        place = sum(1 for bound in self.BOUNDS if seconds > bound)
        self.counts[place] += 1
        self.total += seconds


class RaftDisk:
    """One member's files under db/etcd/member."""

    def __init__(self, layout):
        self.log_path = os.path.join(layout.wal, "log.jsonl")
        self.vote_path = os.path.join(layout.wal, "vote.json")
        self.snapshot_path = os.path.join(layout.snap, "db")
        self.fsyncs = FsyncTimes()
        self.commits = FsyncTimes()  # the whole of a write, from its first byte to its fsync
        vote = paths.read_json(self.vote_path) or {"term": 0, "vote": None}
        self.term, self.vote = vote["term"], vote["vote"]
        self._take(paths.read_json(self.snapshot_path))
        self._log = self._read_log()
        self._file = open(self.log_path, "ab")

    @staticmethod
    def create(layout, members, state):
        """Lay out an empty member: with members it is a new cluster, without it waits for a leader."""
        for folder in (layout.etcd, layout.snap, layout.wal):
            os.makedirs(folder, mode=0o700, exist_ok=True)
            os.chmod(folder, 0o700)
        index = 1 if members else 0
        snapshot = {"index": index, "term": index, "members": members, "removed": [], "state": state}
        paths.write(os.path.join(layout.snap, "db"), json.dumps(snapshot))
        paths.write(os.path.join(layout.wal, "vote.json"), json.dumps({"term": index, "vote": None}))
        paths.write(os.path.join(layout.wal, "log.jsonl"), "")

    def _take(self, snapshot):
        self._snapshot = snapshot
        self.snapshot_index, self.snapshot_term = snapshot["index"], snapshot["term"]
        self.snapshot_state = snapshot["state"]

    def _read_log(self):
        entries, good = [], 0
        with open(self.log_path, "rb") as file:
            for line in file:
                try:
                    entry = json.loads(line) if line.endswith(b"\n") else None
                except ValueError:
                    entry = None
                if entry is None:
                    break
                good += len(line)
                entries.append(entry)
        os.truncate(self.log_path, good)
        first = entries[0]["i"] if entries else self.snapshot_index + 1
        return entries[max(0, self.snapshot_index + 1 - first):]

    # --- reading ------------------------------------------------------------------------------

    @property
    def last_index(self):
        return self.snapshot_index + len(self._log)

    @property
    def last_term(self):
        return self._log[-1]["t"] if self._log else self.snapshot_term

    def term_of(self, index):
        """The term of an entry, or None when it is not here."""
        if index == self.snapshot_index:
            return self.snapshot_term
        place = index - self.snapshot_index - 1
        return self._log[place]["t"] if 0 <= place < len(self._log) else None

    def entries(self, start, end):
        """Entries from `start` up to, without, `end`."""
        base = self.snapshot_index + 1
        return self._log[start - base:max(start, end) - base]

    def snapshot(self):
        """The whole state as one value, to send to a member that is far behind."""
        return self._snapshot

    def _last_conf(self):
        for entry in reversed(self._log):
            if entry["k"] == "conf":
                return entry
        return None

    def last_conf_index(self):
        """Where the newest membership stands in the log."""
        conf = self._last_conf()
        return conf["i"] if conf else self.snapshot_index

    def members(self):
        """The newest membership, committed or not, as Raft asks for."""
        conf = self._last_conf()
        return conf["d"]["members"] if conf else self._snapshot["members"]

    def removed_members(self):
        """Ids that may never come back."""
        conf = self._last_conf()
        return conf["d"]["removed"] if conf else self._snapshot["removed"]

    def size(self):
        """Bytes on disk."""
        return sum(os.path.getsize(path) for path in (self.log_path, self.snapshot_path))

    # --- writing ------------------------------------------------------------------------------

    def save_vote(self, term, vote):
        """Remember a term and whom we voted for, before anyone is told."""
        with _or_end():
            paths.write(self.vote_path, json.dumps({"term": term, "vote": vote}))
        self.term, self.vote = term, vote

    def append(self, entries):
        """Add entries at the end, numbering them."""
        lines = []
        for entry in entries:
            entry = {"i": self.last_index + 1, "t": entry["t"], "k": entry["k"], "d": entry["d"]}
            self._log.append(entry)
            lines.append(json.dumps(entry, separators=(",", ":")) + "\n")
        with _or_end():
            begun = time.monotonic()
            self._file.write("".join(lines).encode())
            self._file.flush()
            start = time.monotonic()
            os.fsync(self._file.fileno())
            self.fsyncs.add(time.monotonic() - start)
            self.commits.add(time.monotonic() - begun)

    def merge(self, previous, entries):
        """Take a leader's entries after `previous`; return whether anything changed."""
        for offset, entry in enumerate(entries):
            index = previous + 1 + offset
            if self.term_of(index) == entry["t"]:
                continue
            if index <= self.last_index:
                self._log = self._log[:index - self.snapshot_index - 1]
                self._rewrite()
            self.append(entries[offset:])
            return True
        return False

    def _rewrite(self):
        self._file.close()
        with _or_end():
            paths.write(self.log_path, "".join(json.dumps(entry) + "\n" for entry in self._log))
            self._file = open(self.log_path, "ab")

    def install(self, snapshot):
        """Replace everything by a leader's snapshot."""
        with _or_end():
            paths.write(self.snapshot_path, json.dumps(snapshot))
        self._take(snapshot)
        self._log = []
        self._rewrite()

    def compact(self, applied, state):
        """Fold the log up to `applied` into the snapshot."""
        members, removed = self._conf_at(applied)
        snapshot = {"index": applied, "term": self.term_of(applied), "state": state,
                    "members": members, "removed": removed}
        rest = self.entries(applied + 1, self.last_index + 1)
        with _or_end():
            paths.write(self.snapshot_path, json.dumps(snapshot))
        self._take(snapshot)
        self._log = rest
        self._rewrite()

    def _conf_at(self, index):
        for entry in reversed(self.entries(self.snapshot_index + 1, index + 1)):
            if entry["k"] == "conf":
                return entry["d"]["members"], entry["d"]["removed"]
        return self._snapshot["members"], self._snapshot["removed"]

    def close(self):
        """Let go of the log file."""
        self._file.close()
