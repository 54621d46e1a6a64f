"""`k3s check-config`: the few checks that mean something without containers."""

import os

from standin import paths


def run(_):
    """Print the checks; the exit status is the number of failures."""
    failures = 0
    print("\nVerifying binaries:\n- sha256sum: good\n- links: good\n\nSystem:")
    swaps = (paths.read("/proc/swaps") or "").strip().splitlines()
    print(f"- swap: {'should be disabled' if len(swaps) > 1 else 'disabled'}")
    groups = (paths.read("/proc/cgroups") or "") + (paths.read("/sys/fs/cgroup/cgroup.controllers") or "")
    for controller in ("cpu", "memory", "pids"):
        there = controller in groups
        failures += not there
        print(f"- cgroup {controller}: {'enabled' if there else 'missing (fail)'}")
    forwarding = (paths.read("/proc/sys/net/ipv4/ip_forward") or "").strip()
    print(f"- ip_forward: {'enabled' if forwarding == '1' else 'disabled'}")
    print(f"- kernel: {os.uname().release}\n\nSTATUS: {'pass' if not failures else failures}")
    return failures
