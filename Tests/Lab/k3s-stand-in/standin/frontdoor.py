"""Port 6443: tells callers apart and hands each request to the supervisor or the API."""

import json
import select
import threading
import urllib.parse

from standin import log, raft, timing, webserver
from standin.apierror import ApiError
from standin.datastore import Unavailable

NOT_READY = ApiError(503, "apiserver not ready", "ServiceUnavailable")


class FrontDoor:
    """The HTTPS port of a server; closed to all but /ping and /cacerts until `open` is called."""

    def __init__(self, address, port):
        self.address, self.port = address, port
        self.supervisor = self.api = self.datastore = None
        self.ca_pem = ""
        self.server = webserver.Server((address, port), type("Handler", (Handler,), {"door": self}))
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def secure(self, tls, ca_pem):
        """Start to answer, with the cluster's certificates."""
        self.server.tls, self.ca_pem = tls, ca_pem
        self.thread.start()

    def join_only(self, supervisor):
        """Let other nodes ask for what needs no API."""
        self.supervisor = supervisor
        self.datastore = supervisor.objects.datastore

    def open(self, api):
        """Answer the API too."""
        self.api = api

    def health(self):
        """Whether the API server is up and its datastore answers."""
        try:
            if self.api is not None:
                self.datastore.read(timing.READYZ_TIMEOUT)
            etcd = self.api is not None
        except Unavailable:
            etcd = False
        return {"ping": True, "log": True, "etcd": etcd, "etcd-readiness": etcd, "informer-sync": self.api is not None,
                "poststarthook/start-apiextensions-controllers": self.api is not None, "shutdown": True}


class Handler(webserver.Handler):
    """One connection to port 6443; `door` is set by the front door's own subclass."""

    door = None

    def handle_one(self):
        """Route one request."""
        parts = urllib.parse.urlsplit(self.path)
        self.route = parts.path.rstrip("/") or "/"
        self.query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        self.content, self.extra = self.body(), {}
        self.user, self.kubelet = self._certificate_user()
        try:
            self._route()
        except ApiError as problem:
            self._refuse(problem)
        except Unavailable as problem:
            self._refuse(ApiError(500, str(problem)))
        except raft.Refused as problem:
            self._refuse(ApiError(409, str(problem)))
        except OSError:
            raise
        except Exception as problem:  # a fault of ours must reach the log, not end the connection silently
            log.error(f"internal error on {self.command} {self.route}: {type(problem).__name__}: {problem}")
            self._refuse(ApiError(500, f"Internal error occurred: {problem}"))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

    def _refuse(self, problem):
        if getattr(self, "streaming", False):
            self.close_connection = True
            return
        self.answer(problem.code, problem.status())

    def _certificate_user(self):
        certificate = self.request.getpeercert()
        if not certificate:
            return None, False
        names = {key: value for part in certificate["subject"] for key, value in part}
        groups = [value for part in certificate["subject"] for key, value in part if key == "organizationName"]
        return names.get("commonName"), "system:nodes" in groups

    def _route(self):
        if self.route == "/ping":
            self.answer(200, "pong", "text/plain")
        elif self.route == "/cacerts":
            self.answer(200, self.door.ca_pem, "text/plain")
        elif self.door.supervisor is None:
            raise NOT_READY
        elif self.route.startswith(("/v1-k3s/", "/db/")):
            self.door.supervisor.serve(self)
        elif self.user is None:
            raise ApiError(401, "Unauthorized")
        elif self.route in ("/readyz", "/livez", "/healthz"):
            self._health()
        elif self.door.api is None:
            raise NOT_READY
        elif self.route == "/version":
            from standin import discovery
            self.answer(200, discovery.version())
        elif self.route == "/metrics":
            self.answer(200, self.door.api.metrics(), "text/plain; version=0.0.4; charset=utf-8")
        elif self.route == "/":
            self.answer(200, {"paths": ["/api", "/apis", "/healthz", "/livez", "/metrics", "/readyz", "/version"]})
        else:
            self.door.api.serve(self)

    def _health(self):
        checks = self.door.health()
        good = all(checks.values()) or self.route == "/livez" and checks["ping"]
        lines = [f"[{'+' if fine else '-'}]{name} {'ok' if fine else 'failed: reason withheld'}\n"
                 for name, fine in checks.items()]
        word = self.route[1:]
        if good and "verbose" not in self.query:
            self.answer(200, "ok", "text/plain")
        else:
            closing = f"{word} check {'passed' if good else 'failed'}\n"
            self.answer(200 if good else 500, "".join(lines) + closing, "text/plain")

    # --- streams, for watches -------------------------------------------------------------

    def begin_stream(self):
        """Start a chunked answer."""
        self.streaming = True
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()

    def stream(self, value):
        """Send one JSON line."""
        data = json.dumps(value, separators=(",", ":")).encode() + b"\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def end_stream(self):
        """Finish the chunked answer."""
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()
        self.streaming = False

    def still_there(self):
        """Whether the client still holds the connection."""
        readable, _, _ = select.select([self.request], [], [], 0)
        return not readable
