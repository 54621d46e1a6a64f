"""The version this artifact claims to be; `make-k3s --version` writes it anew."""

VERSION = "v1.29.1+k3s2"
BUILD_DATE = "2024-02-06T00:00:00Z"


def minor(version):
    """Return (major, minor) of a release tag, so skew can be compared."""
    major, minor_part = version.lstrip("v").split(".")[:2]
    return int(major), int(minor_part)
