"""A small HTTPS client, and the Go words for what goes wrong on the wire."""

import http.client
import json
import socket
import ssl
import threading
import time
import urllib.parse


STAMP = "%Y-%m-%dT%H:%M:%SZ"


class HTTPError(Exception):
    """An answer outside 2xx."""

    def __init__(self, url, status, reason, body):
        super().__init__(f"{url}: {status} {reason}")
        self.status = status
        self.body = body


class WireError(Exception):
    """No answer at all; the text is what Go's client would print."""


def context(ca_pem=None, certificate=None):
    """A TLS context that trusts one CA bundle, or nobody's name when there is none yet."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_pem is None:
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    else:
        tls.load_verify_locations(cadata=ca_pem.decode() if isinstance(ca_pem, bytes) else ca_pem)
    if certificate:
        tls.load_cert_chain(*certificate)
    return tls


class Client:
    """Keep-alive connections to one server, one per thread."""

    def __init__(self, url, tls, timeout=10.0, headers=None, shown=None):
        parts = urllib.parse.urlsplit(url)
        self.host, self.port = parts.hostname, parts.port or 443
        self.url = f"https://{self.host}:{self.port}"
        self.shown = shown or self.url  # how the address is named in errors
        self.tls, self.timeout, self.headers = tls, timeout, headers or {}
        self._local = threading.local()

    def request(self, method, path, body=None, headers=None, timeout=None):
        """Return (status, headers, bytes), whatever the status; raise WireError without an answer."""
        merged = {**self.headers, **(headers or {})}
        fresh = getattr(self._local, "connection", None) is None
        try:
            return self._once(method, path, body, merged, timeout)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as problem:
            self.close()
            if fresh:
                raise WireError(f'{_verb(method)} "{self.shown}{path}": EOF') from problem
        except OSError as problem:
            self.close()
            raise WireError(f'{_verb(method)} "{self.shown}{path}": {self._words(problem)}') from problem
        except http.client.HTTPException as problem:
            self.close()
            raise WireError(f'{_verb(method)} "{self.shown}{path}": EOF') from problem
        # The server closed an idle connection under us: ask once more on a new one.
        return self.request(method, path, body, headers, timeout)

    def _once(self, method, path, body, headers, timeout):
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = http.client.HTTPSConnection(
                self.host, self.port, context=self.tls, timeout=timeout or self.timeout)
            self._local.connection = connection
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sock.settimeout(timeout or self.timeout)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        if answer.will_close:
            self.close()
        return answer.status, answer.headers, data

    def close(self):
        """Drop this thread's connection."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def get(self, path, headers=None, timeout=None):
        """Return the bytes of a 2xx answer."""
        return self._good("GET", path, None, headers, timeout)

    def json(self, method, path, value=None, headers=None, timeout=None):
        """Send and receive JSON."""
        body = None if value is None else json.dumps(value, separators=(",", ":")).encode()
        merged = {"Content-Type": "application/json", **(headers or {})}
        return json.loads(self._good(method, path, body, merged, timeout) or b"null")

    def _good(self, method, path, body, headers, timeout):
        status, _, data = self.request(method, path, body, headers, timeout)
        if not 200 <= status < 300:
            raise HTTPError(self.shown + path, status, http.client.responses.get(status, ""), data)
        return data

    def _words(self, problem):
        address = f"{self.host}:{self.port}"
        if isinstance(problem, ssl.SSLCertVerificationError):
            return "tls: failed to verify certificate: " + certificate_words(problem, self.host, self.port)
        if isinstance(problem, ssl.SSLError):
            return f"remote error: tls: {str(problem.reason or problem).lower().replace('_', ' ')}"
        if isinstance(problem, (socket.timeout, TimeoutError)):
            return "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        if isinstance(problem, socket.gaierror):
            return f"dial tcp: lookup {self.host}: no such host"
        if isinstance(problem, ConnectionRefusedError):
            return f"dial tcp {address}: connect: connection refused"
        return f"dial tcp {address}: connect: {(problem.strerror or str(problem)).lower()}"


def certificate_words(problem, host, port):
    """Go's sentence for a certificate that does not verify."""
    if problem.verify_code in (9, 10):
        now = time.strftime(STAMP, time.gmtime())
        start, end = lifetime(host, port)
        side = f"before {start}" if problem.verify_code == 9 else f"after {end}"
        return f"x509: certificate has expired or is not yet valid: current time {now} is {side}"
    if problem.verify_code in (62, 64):
        return f"x509: certificate is not valid for {host}: add it to tls-san"
    return "x509: certificate signed by unknown authority"


def lifetime(host, port):
    """From when until when the certificate of an address is valid; fetched anew, since OpenSSL does not say."""
    from cryptography import x509
    from standin import pki
    try:
        pem = ssl.get_server_certificate((host, port), timeout=5.0)
    except OSError:
        return "its start", "its end"
    return tuple(moment.strftime(STAMP) for moment in pki.lifetime(x509.load_pem_x509_certificate(pem.encode())))


def _verb(method):
    return method.capitalize()
