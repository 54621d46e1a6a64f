"""Members talk here: HTTPS on port 2380, both sides with certificates of the cluster's peer CA."""

import json
import threading

from standin import httpclient, raft, timing, webserver


class Wire:
    """Sends messages to members, and answers those that come in."""

    def __init__(self, layout, cluster_id):
        base = layout.tls_file("etcd/peer-server-client")
        self.certificate = (base + ".crt", base + ".key")
        self.ca_path = layout.tls_file("etcd/peer-ca.crt")
        with open(self.ca_path, "rb") as file:
            self.tls = httpclient.context(file.read(), self.certificate)
        self.tls.check_hostname = False  # the peer CA signs members only, whatever their address
        self.cluster_id = cluster_id
        self.clients = {}
        self.lock = threading.Lock()

    def _client(self, url):
        with self.lock:
            if url not in self.clients:
                self.clients[url] = httpclient.Client(url, self.tls, timing.PEER_TIMEOUT)
            return self.clients[url]

    def send(self, member, message, timeout=timing.PEER_TIMEOUT, path="/raft"):
        """Send one message to a member; OSError when no answer comes."""
        client = self._client(member["peer"])
        try:
            return client.json("POST", path, message, {"X-Cluster": self.cluster_id}, timeout)
        except (httpclient.WireError, httpclient.HTTPError, ValueError) as problem:
            if isinstance(problem.__cause__, ConnectionRefusedError):
                raise problem.__cause__  # certainly not received: the caller may ask again
            raise OSError(str(problem)) from None

    def listen(self, address, member, forwarded):
        """Open port 2380; OSError when it is taken."""
        cluster_id = self.cluster_id

        class Handler(webserver.Handler):
            """One connection of another member."""

            def do_POST(self):
                """Answer /raft (Raft's own messages) or /forward (a follower's request)."""
                message = json.loads(self.body())
                if self.headers.get("X-Cluster") != cluster_id:
                    self.answer(412, {"error": "cluster ID mismatch"})
                elif self.path == "/raft":
                    self.answer(200, member.handle(message))
                else:
                    self.answer(200, forwarded(message))

        tls = webserver.server_context(self.certificate, self.ca_path, required=True)
        server = webserver.Server((address, timing.PEER_PORT), Handler, tls)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server


def outcome(work):
    """Run a leader's work and say how it went in a form that crosses the wire."""
    try:
        return {"ok": work()}
    except raft.NotLeader:
        return {"again": True}
    except raft.Timeout:
        return {"timeout": True}
    except raft.Refused as refusal:
        return {"refused": str(refusal)}
