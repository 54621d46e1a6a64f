"""The cluster's CAs inside the datastore, locked with the server token as k3s locks its bootstrap data."""

import base64
import json
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from standin import paths, pki

KEY = "/k3s/bootstrap"
WRONG_TOKEN = "bootstrap data already found and encrypted with different token"


class WrongToken(Exception):
    """The token does not open the data."""

    def __init__(self):
        super().__init__(WRONG_TOKEN)


def _cipher(password, salt):
    return AESGCM(PBKDF2HMAC(SHA256(), 32, salt, 4096).derive(password.encode()))


def lock(layout, password):
    """The CA files of this disk, locked."""
    files = {name: paths.read(layout.tls_file(name)) for name in pki.bootstrap_files()}
    salt, nonce = os.urandom(16), os.urandom(12)
    data = _cipher(password, salt).encrypt(nonce, json.dumps(files).encode(), None)
    return base64.b64encode(salt + nonce + data).decode()


def unlock(text, password):
    """Name -> content of the CA files."""
    data = base64.b64decode(text)
    try:
        return json.loads(_cipher(password, data[:16]).decrypt(data[16:28], data[28:], None))
    except InvalidTag:
        raise WrongToken() from None
