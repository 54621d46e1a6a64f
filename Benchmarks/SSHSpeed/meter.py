"""Measures commands: wall time, their processors' time, their memory, and the servers' time."""

import os
import statistics
import subprocess
import time
from dataclasses import dataclass


@dataclass
class Sample:
    wall: float  # seconds
    client: float  # CPU seconds of the command and all it waited for
    server: float  # CPU seconds of sshd and what it started
    memory: int  # KiB, of the largest process


class Group:
    """A control group that counts the processor time of all that is started in it."""

    def __init__(self, name):
        for folder, counter in (
            ("/sys/fs/cgroup/cpuacct", "cpuacct.usage"),
            ("/sys/fs/cgroup/unified", "cpu.stat"),
            ("/sys/fs/cgroup", "cpu.stat"),
        ):
            self.path = os.path.join(folder, f"{name}-{os.getpid()}")
            try:
                os.mkdir(self.path)
            except OSError:
                continue
            self.counter = os.path.join(self.path, counter)
            if os.path.exists(self.counter):
                return
            os.rmdir(self.path)
        raise SystemExit("no control group counts processor time here")

    def enter(self):
        """Moves the calling process; to be called between fork and exec."""
        with open(os.path.join(self.path, "cgroup.procs"), "w") as file:
            file.write(str(os.getpid()))

    def seconds(self):
        with open(self.counter) as file:
            text = file.read()
        if text.strip().isdigit():
            return int(text) / 1e9
        return int(dict(line.split() for line in text.splitlines())["usage_usec"]) / 1e6

    def processes(self):
        with open(os.path.join(self.path, "cgroup.procs")) as file:
            return [int(line) for line in file]

    def remove(self):
        try:
            os.rmdir(self.path)
        except OSError:
            pass


def run(command, servers=None, environment=None, folder=None):
    """Runs a command to its end, and its servers to their rest."""
    before = servers.seconds() if servers else 0.0
    start = time.monotonic()
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **(environment or {})},
        cwd=folder,
    )
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - start
    if status != 0:
        raise SystemExit(f"{command[0]} failed: {errors.decode(errors='replace')[-2000:]}")
    return Sample(
        wall=wall,
        client=usage.ru_utime + usage.ru_stime,
        server=settled(servers) - before if servers else 0.0,
        memory=usage.ru_maxrss,
    )


def settled(servers):
    """The servers' time once they have nothing left to do."""
    last = servers.seconds()
    for _ in range(100):
        time.sleep(0.1)
        now = servers.seconds()
        if now - last < 0.001:
            return now
        last = now
    return last


def median(samples):
    return Sample(
        *(statistics.median(getattr(sample, name) for sample in samples)
          for name in ("wall", "client", "server", "memory"))
    )


def rounds(count, contestants):
    """Medians by name; in each round everybody has one turn, so that a noisy minute hits all."""
    samples = {name: [] for name in contestants}
    for _ in range(count):
        for name, turn in contestants.items():
            samples[name].append(turn())
    return {name: median(taken) for name, taken in samples.items()}
