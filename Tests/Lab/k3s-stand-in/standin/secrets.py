"""`k3s secrets-encrypt status`: what the server's settings say."""

import sys

from standin import log, paths, snapshot
from standin.httpclient import HTTPError, WireError


def run(arguments):
    """Only the status: the stand-in does not encrypt."""
    verb = arguments[0] if arguments else ""
    if verb != "status":
        print(f"secrets-encrypt {verb}: the k3s stand-in stores nothing encrypted, so it has nothing to rotate",
              file=sys.stderr)
        return 1
    settings = snapshot.known_settings()
    client = snapshot.local_client(paths.Layout(settings["data-dir"]), settings["https-listen-port"])
    try:
        enabled = client.json("GET", "/v1-k3s/config")["critical"]["secrets-encryption"]
    except (HTTPError, WireError) as problem:
        log.fatal(f"see server log for details: {problem}")
    if not enabled:
        print("Encryption Status: Disabled, no configuration file found")
        return 0
    print("Encryption Status: Enabled\nCurrent Rotation Stage: start\nServer Encryption Hashes: All hashes match\n\n"
          "Active  Key Type  Name\n------  --------  ----\n *      AES-CBC   aescbckey")
    return 0
