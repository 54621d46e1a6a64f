"""Faults that tests plant: a file with a certain name in a certain folder of a node, and something breaks."""

import os

from standin.version import VERSION

FOLDER = "/run/k3s-stand-in/faults"

UPGRADE_HANGS = "upgrade-job-hang"  # looked at while a k3s-upgrade container is at work


def planted(name):
    """Whether a fault of this name is planted on this node."""
    return os.path.exists(os.path.join(FOLDER, name))


def broken():
    """Whether k3s of our version is to end at its start; looked at once."""
    return planted("broken-" + VERSION)


def never_ready():
    """Whether the node of a k3s of our version is never to be Ready; looked at with every heartbeat."""
    return planted("never-ready-" + VERSION)
