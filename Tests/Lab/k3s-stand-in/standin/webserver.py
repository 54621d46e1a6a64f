"""The HTTP/1.1 server under every port: a thread per connection, the TLS handshake inside it."""

import http.server
import json
import socket
import socketserver
import ssl
import sys


class Server(http.server.ThreadingHTTPServer):
    """Listens at once; `serve_forever` is for the caller's thread."""

    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, address, handler, tls=None):
        self.tls = tls
        super().__init__(address, handler)

    def server_bind(self):
        """Bind without the reverse look-up of our own name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def get_request(self):
        """Wrap the connection; the handshake happens in the connection's own thread."""
        connection, peer = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(90)
        if self.tls is not None:
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, peer

    def handle_error(self, request, client_address):
        """Broken connections are everyday; anything else is a fault of ours and is shown."""
        problem = sys.exc_info()[1]
        if not isinstance(problem, OSError):
            super().handle_error(request, client_address)


class Handler(http.server.BaseHTTPRequestHandler):
    """Common parts of all request handlers."""

    protocol_version = "HTTP/1.1"
    server_version = "k3s-stand-in"
    disable_nagle_algorithm = True
    wbufsize = 65536

    def setup(self):
        super().setup()
        if isinstance(self.request, ssl.SSLSocket):
            self.request.do_handshake()

    def log_message(self, *_):
        """Requests are not logged."""

    def body(self):
        """Read the request's body."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self._chunks()
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(length) if length else b""

    def _chunks(self):
        data = b""
        while True:
            size = int(self.rfile.readline().split(b";")[0] or b"0", 16)
            data += self.rfile.read(size)
            self.rfile.readline()
            if not size:
                return data

    def answer(self, status, content, kind="application/json"):
        """Send one whole answer."""
        if not isinstance(content, (bytes, str)):
            content = json.dumps(content, separators=(",", ":"))
        if isinstance(content, str):
            content = content.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in getattr(self, "extra", {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        self.wfile.flush()


def server_context(certificate, client_ca=None, required=False):
    """TLS for a listening port; with `client_ca` it asks for (or demands) client certificates."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    tls.load_cert_chain(*certificate)
    if client_ca:
        tls.load_verify_locations(client_ca)
        tls.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    return tls
