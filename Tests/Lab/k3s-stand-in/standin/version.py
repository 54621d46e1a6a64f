"""The version this artifact claims to be; `make-k3s --version` writes it anew."""

VERSION = "v1.29.1+k3s2"


def minor(version):
    """Return (major, minor) of a release tag, so skew can be compared."""
    major, minor_part = version.lstrip("v").split(".")[:2]
    return int(major), int(minor_part)
