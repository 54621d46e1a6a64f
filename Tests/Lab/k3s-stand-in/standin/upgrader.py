"""What the rancher/k3s-upgrade image does in its container: `upgrade` and `prepare`."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time

from standin import faults, timing
from standin.httpclient import HTTPError, WireError
# A server may want it until its end; once our own file is overwritten nothing more can be read from it.
from standin import membership  # noqa: F401 pylint: disable=unused-import

DOOMED = 60.0  # how long a container stays that has ended its own kubelet


class Failed(Exception):
    """The container ends with 1; the text is the last line of its log."""


def host_process():
    """(process id, program) of the one k3s of this host, as the image finds it."""
    found = [(pid, program) for pid, program in _processes() if program]
    if not found:
        raise Failed("[ERROR]  No K3s pids found; is K3s running on this host?")
    if len(found) > 1:
        raise Failed("[ERROR]  Found multiple K3s pids")
    return found[0]


def _processes():
    """(process id, k3s's program or None) of all processes that see the same host as we do."""
    for name in sorted(os.listdir("/proc")):
        try:
            if name.isdigit() and all(os.readlink(f"/proc/{name}/ns/{space}") == os.readlink(f"/proc/self/ns/{space}")
                                      for space in ("pid", "mnt")):
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    yield int(name), program_of(file.read().decode(errors="replace").split("\0"))
        except OSError:
            continue  # it has ended meanwhile


def program_of(words):
    """The k3s of a command line that runs a server or an agent, or None."""
    for word, following in zip(words, words[1:]):
        if os.path.basename(word) == "k3s":
            return word if following in ("server", "agent") else None
    return None


def checksum(path):
    """The sha256 of a file."""
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def facts_of(program):
    """(version line, build date) of a k3s; the image asks twice, which says the same."""
    try:
        text = subprocess.run([program, "kubectl", "version", "--client=true", "-o", "yaml"], capture_output=True,
                              text=True, timeout=30, check=False).stdout
    except OSError as problem:
        raise Failed(f"{program}: {problem.strerror}") from None
    date, version = (re.search(rf'{key}:\s+"?([^"\s]+)', text) for key in ("buildDate", "gitVersion"))
    return f"k3s version {version.group(1) if version else ''}", date.group(1) if date else ""


def refusal(old, new):
    """Why a k3s must not be replaced by another, or None; both are (version line, build date)."""
    before, after = (tuple(int(part) for part in re.search(r"(\d+)\.(\d+)\.(\d+)", line).groups())
                     if re.search(r"\d+\.\d+\.\d+", line) else (0, 0, 0) for line in (old[0], new[0]))
    if before > after:
        return f"Error: Current {old[0]} is higher than {new[0]}"
    if old[1][:7] > new[1][:7]:
        return f"Error: Current build date {old[1]} is more recent than {new[1]}"
    return None


def upgrade(binary, killed):
    """Overwrite the host's k3s with ours and end it; whoever supervises it starts the new one."""
    while faults.planted(faults.UPGRADE_HANGS) and not killed.wait(timing.POD_PERIOD):
        pass
    if killed.is_set():
        return
    pid, program = host_process()
    if checksum(binary) == checksum(program):
        return
    reason = refusal(facts_of(program), facts_of(binary))
    if reason:
        raise Failed(reason)
    try:
        with open(binary, "rb") as source, open(program, "r+b") as target:  # in place, as cp does it
            target.truncate()
            shutil.copyfileobj(source, target)
    except OSError as problem:
        raise Failed(f"cp: can't create '/host{program}': {problem.strerror}") from None
    os.kill(pid, signal.SIGTERM)
    if pid == os.getpid():
        time.sleep(DOOMED)  # our kubelet is going: nobody is left who could report an exit


def prepare(plan, namespace, version, ask, killed):
    """Wait for another plan to have nothing under way, then for every server to report the version.

    `ask(path)` reads the API. Nothing ends the first wait when the plan does not exist, nor the second when
    a server is off: that is the image's own behaviour.
    """
    if not plan:
        raise Failed("[ERROR]  Control-plane Plan name was not passed to the prepare step. Exiting")
    path = f"/apis/upgrade.cattle.io/v1/namespaces/{namespace}/plans/{plan}"
    while not killed.wait(timing.PREPARE_PERIOD):
        found = _asked(ask, path)
        if found is not None and not (found.get("status") or {}).get("applying"):
            break
    while not killed.is_set():
        nodes = _asked(ask, "/api/v1/nodes?labelSelector=node-role.kubernetes.io%2Fcontrol-plane")
        if nodes and versions(nodes["items"]) == {version}:
            return
        killed.wait(timing.PREPARE_PERIOD)


def versions(nodes):
    """The kubelet versions of nodes, as image tags write them."""
    return {((node.get("status") or {}).get("nodeInfo") or {}).get("kubeletVersion", "").replace("+", "-")
            for node in nodes}


def _asked(ask, path):
    try:
        return ask(path)
    except (HTTPError, WireError, json.JSONDecodeError):
        return None
