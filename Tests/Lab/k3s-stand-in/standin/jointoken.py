"""Join tokens: `K10<hash of the cluster CA>::<user>:<password>`, or the bare password."""

import hashlib
import re
import secrets

PREFIX = "K10"
BOOTSTRAP = re.compile(r"^([a-z0-9]{6})\.([a-z0-9]{16})$")


class TokenError(Exception):
    """A token k3s would refuse before it asks anybody; the text is k3s's own."""


class JoinToken:
    """What a token says: which CA to expect, and who we are."""

    def __init__(self, ca_hash, user, password, bootstrap):
        self.ca_hash = ca_hash
        self.user = user
        self.password = password
        self.bootstrap = bootstrap  # "id.secret", or empty

    def authorization(self, user):
        """The Authorization header of a request in the role `user`."""
        import base64
        if self.bootstrap:
            return "Bearer " + self.bootstrap
        return "Basic " + base64.b64encode(f"{user}:{self.password}".encode()).decode()


def parse(token):
    """Read a short or full token."""
    if not token:
        raise TokenError("token must not be empty")
    ca_hash, credentials = "", token
    if token.startswith(PREFIX):
        ca_hash, mark, credentials = token[len(PREFIX):].partition("::")
        if mark and ca_hash and len(ca_hash) != 64:
            raise TokenError("invalid token CA hash length")
        if not mark:
            ca_hash, credentials = "", token[len(PREFIX):]
        if not BOOTSTRAP.match(credentials) and not re.match(r"^[^:]*:.+$", credentials):
            raise TokenError("invalid token format")
    if BOOTSTRAP.match(credentials):
        return JoinToken(ca_hash, "", "", credentials)
    if not token.startswith(PREFIX):
        return JoinToken("", "", credentials, "")
    user, _, password = credentials.partition(":")
    return JoinToken(ca_hash, user, password, "")


def full(ca_pem, user, password):
    """Write the full form that pins the cluster's CA."""
    return f"{PREFIX}{ca_hash(ca_pem)}::{user}:{password}"


def ca_hash(ca_pem):
    """The hash in a full token: SHA-256 of the CA bundle's bytes."""
    return hashlib.sha256(ca_pem).hexdigest()


def random_password():
    """A password as k3s makes one when none is given."""
    return secrets.token_hex(16)


def random_bootstrap():
    """A token in the kubeadm form, as `k3s token generate` prints."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    def word(length):
        return "".join(secrets.choice(letters) for _ in range(length))
    return f"{word(6)}.{word(16)}"
