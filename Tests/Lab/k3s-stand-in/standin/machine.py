"""What a node says about itself, read from the machine it runs on."""

import glob
import os
import platform
import socket

from standin import paths
from standin.version import VERSION


def notify(message):
    """Tell systemd how we are (sd_notify); nothing happens without systemd."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        try:
            channel.connect(address)
            channel.sendall(message.encode())
        except OSError:
            pass  # a vanished supervisor does not stop the service


def _line(path):
    return (paths.read(path) or "").strip()


def _os_image():
    for line in (paths.read("/etc/os-release") or "").splitlines():
        name, _, value = line.partition("=")
        if name == "PRETTY_NAME":
            return value.strip('"')
    return "Linux"


def architecture():
    """The architecture as Kubernetes names it."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def node_info():
    """status.nodeInfo."""
    return {
        "machineID": _line("/etc/machine-id"), "systemUUID": _line("/etc/machine-id"),
        "bootID": _line("/proc/sys/kernel/random/boot_id"), "kernelVersion": platform.release(),
        "osImage": _os_image(), "containerRuntimeVersion": "containerd://1.7.11-k3s2",
        "kubeletVersion": VERSION, "kubeProxyVersion": VERSION,
        "operatingSystem": "linux", "architecture": architecture()}


def capacity():
    """status.capacity."""
    kibibytes = next((line.split()[1] for line in (paths.read("/proc/meminfo") or "").splitlines()
                      if line.startswith("MemTotal")), "0")
    return {"cpu": str(os.cpu_count()), "memory": f"{kibibytes}Ki", "pods": "110"}


def network_is_ready(layout, flannel_backend):
    """Flannel counts as working; with `none`, containerd waits for a CNI configuration as the real one does."""
    if flannel_backend != "none":
        return True
    folders = ("/etc/cni/net.d", os.path.join(layout.agent, "etc/cni/net.d"))
    return any(glob.glob(os.path.join(folder, "*.conf*")) for folder in folders)
