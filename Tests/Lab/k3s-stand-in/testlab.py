"""Machines for the stand-in's tests: a namespace each for network, mounts and host name.

Needs root. Every process is started by us and ended by its own id; nothing of the machine's own
network or files is touched (/etc and /var/lib are overlays inside the node).
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"


def can_run():
    """Why the tests cannot run here, or nothing."""
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    for tool in ("ip", "nsenter", "unshare"):
        if shutil.which(tool) is None:
            return f"needs {tool}"
    return ""


def skip_unless_ci(test, reason):
    """Skip a test for a reason; where CI=true nothing may be skipped, so it fails."""
    if reason and os.environ.get("CI") == "true":
        test.fail(reason)
    if reason:
        test.skipTest(reason)


def command(*words, check=True, timeout=30):
    """Run a short command of the machine."""
    return subprocess.run(words, check=check, timeout=timeout, capture_output=True, text=True)


def wait_for(what, seconds, test, pause=0.2):
    """Wait until `test()` is true; an error names what was awaited."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = test()
        if found:
            return found
        time.sleep(pause)
    raise AssertionError(f"not within {seconds} s: {what}")


class Node:
    """One machine."""

    def __init__(self, lab, name, address):
        self.lab, self.name, self.address = lab, name, address
        self.folder = os.path.join(lab.folder, name)
        self.namespace = f"{lab.prefix}-{name}"
        self.process = None
        self.log_path = os.path.join(self.folder, "log")
        self._make()

    def _make(self):
        for part in ("etc", "etc.work", "lib", "lib.work"):
            os.makedirs(os.path.join(self.folder, part))
        number = self.lab.count = self.lab.count + 1
        outside = f"{self.lab.prefix[-8:]}v{number}"
        command("ip", "netns", "add", self.namespace)
        command("ip", "link", "add", outside, "netns", self.lab.prefix, "type", "veth",
                "peer", "name", "eth0", "netns", self.namespace)
        command("ip", "-n", self.lab.prefix, "link", "set", outside, "master", "br0", "up")
        command("ip", "-n", self.namespace, "addr", "add", f"{self.address}/24", "dev", "eth0")
        command("ip", "-n", self.namespace, "link", "set", "lo", "up")
        command("ip", "-n", self.namespace, "link", "set", "eth0", "up")
        script = (f"hostname {self.name} && "
                  f"mount -t overlay overlay -o lowerdir=/etc,upperdir={self.folder}/etc,"
                  f"workdir={self.folder}/etc.work /etc && "
                  f"mount -t overlay overlay -o lowerdir=/var/lib,upperdir={self.folder}/lib,"
                  f"workdir={self.folder}/lib.work /var/lib && echo made && exec sleep 100000")
        self.holder = subprocess.Popen(
            ["ip", "netns", "exec", self.namespace, "unshare", "--mount", "--uts", "sh", "-c", script],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        if self.holder.stdout.readline() != "made\n":
            raise AssertionError(f"node {self.name} was not made")

    def inside(self, *words):
        """The words that run a command inside."""
        pid = str(self.holder.pid)
        return ["nsenter", "--target", pid, "--mount", "--uts", "--net", "--", *words]

    def run(self, *words, stdin=None, timeout=40, check=False, env=None):
        """Run a command inside and return how it went."""
        done = subprocess.run(self.inside(*words), input=stdin, timeout=timeout, capture_output=True, text=True,
                              env={**os.environ, **(env or {})})
        if check and done.returncode:
            raise AssertionError(f"{' '.join(words)} on {self.name}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def write(self, path, text):
        """Write a file inside."""
        self.run("sh", "-c", f'mkdir -p "$(dirname {path})" && cat > {path}', stdin=text, check=True)

    def read(self, path):
        """Read a file inside."""
        return self.run("cat", path, check=True).stdout

    def configure(self, **keys):
        """Write config.yaml; `_` in a key stands for `-`."""
        lines = [f"{key.replace('_', '-')}: {json.dumps(value)}" for key, value in keys.items()]
        self.write("/etc/rancher/k3s/config.yaml", "\n".join(lines) + "\n")

    def start(self, kind="server", *flags, binary=None, env=None):
        """Start k3s inside."""
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            self.inside(binary or self.lab.k3s, kind, *flags), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env={**os.environ, **(env or {})})
        log.close()

    def log(self):
        """What it logged so far."""
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def logs(self, text, seconds=20):
        """Wait for a text in the log."""
        try:
            wait_for(text, seconds, lambda: text in self.log())
        except AssertionError as problem:
            raise AssertionError(f"{self.name}: {problem}\n{self.log()[-3000:]}") from None

    def kill(self, number=signal.SIGKILL):
        """End k3s inside."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(number)
            self.process.wait(20)
            self.process = None

    def ends(self, seconds=20):
        """Wait for k3s to end by itself and return its status."""
        status = self.process.wait(seconds)
        self.process = None
        return status

    def kubectl(self, *words, stdin=None, timeout=40):
        """Run the stand-in's own kubectl inside."""
        return self.run(self.lab.k3s, "kubectl", *words, stdin=stdin, timeout=timeout)

    def nodes(self):
        """Name -> node object, or nothing when the API does not answer."""
        done = self.kubectl("get", "nodes", "-o", "json")
        if done.returncode:
            return {}
        return {node["metadata"]["name"]: node for node in json.loads(done.stdout)["items"]}

    def condition(self, name, kind="Ready"):
        """The status of a node's condition."""
        node = self.nodes().get(name, {})
        return next((one["status"] for one in node.get("status", {}).get("conditions", [])
                     if one["type"] == kind), None)

    def destroy(self):
        """End everything inside and remove the node."""
        self.kill()
        self.holder.kill()
        self.holder.wait(10)
        self.holder.stdout.close()
        command("ip", "netns", "del", self.namespace, check=False)


class Lab:
    """A network of nodes."""

    made = 0

    def __init__(self):
        Lab.made += 1
        self.prefix = f"k3t{os.getpid() % 100000}{chr(96 + Lab.made % 26)}"
        self.folder = tempfile.mkdtemp(prefix="k3s-stand-in-")
        os.chmod(self.folder, 0o755)
        self.nodes, self.count = [], 0
        self.k3s = self.build("v1.29.1+k3s2")
        command("ip", "netns", "add", self.prefix)
        command("ip", "-n", self.prefix, "link", "add", "br0", "type", "bridge")
        command("ip", "-n", self.prefix, "link", "set", "br0", "up")

    def build(self, version):
        """Make the artifact of a version."""
        path = os.path.join(self.folder, "k3s-" + version)
        command(PYTHON, os.path.join(HERE, "make-k3s"), "--version", version, "--out", path)
        return path

    def node(self, name):
        """Make a node."""
        node = Node(self, name, f"10.78.0.{11 + len(self.nodes)}")
        self.nodes.append(node)
        return node

    def server(self, name, first=None, **keys):
        """Make, configure and start a server; the first one begins the cluster."""
        node = self.node(name)
        start = {"server": f"https://{first.address}:6443"} if first else {"cluster_init": True}
        node.configure(**{"token": "s3cret", **start, **keys})
        node.start()
        return node

    def ready(self, node, name=None, seconds=40):
        """Wait until a node is Ready in the eyes of `node`."""
        wait_for(f"{name or node.name} Ready", seconds, lambda: node.condition(name or node.name) == "True")

    def destroy(self):
        """Remove everything."""
        for node in self.nodes:
            node.destroy()
        command("ip", "netns", "del", self.prefix, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


class LabTest(unittest.TestCase):
    """A test with a lab of its own; a failed test shows the last log lines of every node."""

    def setUp(self):
        skip_unless_ci(self, can_run())
        self.lab = Lab()
        self.addCleanup(self._finish)

    def _finish(self):
        failed = any(error for _, error in getattr(self._outcome.result, "errors", []) +
                     self._outcome.result.failures if _ is self)
        if failed:
            for node in self.lab.nodes:
                if os.path.exists(node.log_path):
                    print(f"--- {node.name}\n{node.log()[-2500:]}", file=sys.stderr)
        self.lab.destroy()
