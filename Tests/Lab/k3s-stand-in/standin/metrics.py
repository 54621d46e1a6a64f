"""etcd's plain listener on 127.0.0.1:2381: /health and /metrics."""

import threading

from standin import raft, timing, webserver
from standin.datastore import Unavailable


def listen(datastore):
    """Open the port; OSError when it is taken."""

    class Handler(webserver.Handler):
        """One connection."""

        def do_GET(self):
            """Answer the two paths."""
            path = self.path.split("?")[0]
            if path == "/health":
                reason = health_problem(datastore)
                self.answer(503 if reason else 200,
                            {"health": "false" if reason else "true", "reason": reason})
            elif path == "/metrics":
                self.answer(200, metrics(datastore.member), "text/plain; version=0.0.4")
            else:
                self.answer(404, "404 page not found\n", "text/plain")

    server = webserver.Server(("127.0.0.1", timing.METRICS_PORT), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def health_problem(datastore):
    """Why this member is not healthy, in etcd's words, or nothing."""
    member = datastore.member
    with member.lock:
        if member.leader is None:
            return "RAFT NO LEADER"
        if member.members.get(member.id, {}).get("learner"):
            return "QGET ERROR:etcdserver: rpc not supported for learner"
    try:
        datastore.read(timing.READYZ_TIMEOUT)
    except Unavailable as problem:
        return f"QGET ERROR:{problem}"
    return ""


def metrics(member):
    """The metrics this project reads, under etcd's names."""
    with member.lock:
        size = member.disk.size()
        histograms = [("etcd_disk_wal_fsync_duration_seconds", member.disk.fsyncs),
                      ("etcd_disk_backend_commit_duration_seconds", member.disk.commits)]
        histograms = [(name, times.BOUNDS, list(times.counts), times.total) for name, times in histograms]
        rows = [
            ("etcd_server_has_leader", "gauge", int(member.leader is not None)),
            ("etcd_server_is_leader", "gauge", int(member.role == raft.LEADER)),
            ("etcd_server_is_learner", "gauge", int(member.members.get(member.id, {}).get("learner", False))),
            ("etcd_server_leader_changes_seen_total", "counter", member.leader_changes),
            ("etcd_mvcc_db_total_size_in_bytes", "gauge", size),
            ("etcd_mvcc_db_total_size_in_use_in_bytes", "gauge", size),  # our files have no holes
            ("etcd_server_quota_backend_bytes", "gauge", 2 * 1024 ** 3),
            ("etcd_server_proposals_committed_total", "gauge", member.commit),
            ("etcd_server_proposals_applied_total", "gauge", member.applied),
        ]
    lines = []
    for name, kind, value in rows:
        lines += [f"# TYPE {name} {kind}", f"{name} {value}"]
    lines += ["# TYPE etcd_server_id gauge", f'etcd_server_id{{server_id="{int(member.id):x}"}} 1']
    for name, bounds, counts, total in histograms:
        lines.append(f"# TYPE {name} histogram")
        below = 0
        for bound, count in zip([*bounds, "+Inf"], counts):
            below += count
            lines.append(f'{name}_bucket{{le="{bound}"}} {below}')
        lines += [f"{name}_sum {total}", f"{name}_count {below}"]
    return "\n".join(lines) + "\n"
