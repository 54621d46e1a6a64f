"""Takes the measurements of Benchmarks/ssh-speed and prints them as Markdown."""

import argparse
import os
import platform
import shutil
import subprocess
import tempfile

import meter
from estate import KEX, PORT, Estate

ROOT = os.getcwd()
HELIX = os.path.join(ROOT, ".build/release/helix-infra")
SEND = os.path.join(ROOT, ".build/release/send-file")
PARTS = ["start", "ask", "others", "kept", "upload"]
# What costs a host little, so that the way there and back is most of what is measured.
LIGHT = "uname -a; cat /etc/os-release /proc/meminfo; df -P /; ip -o addr; id"


class Report:
    def __init__(self):
        self.claims = []

    def title(self, text):
        print(f"\n### {text}\n", flush=True)

    def table(self, header, rows):
        print("| " + " | ".join(header) + " |\n|" + "---|" * len(header))
        for row in rows:
            print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)

    def claim(self, words, value, limit, at_least=False):
        holds = value >= limit if at_least else value <= limit
        self.claims.append((words, value, f"{'≥' if at_least else '≤'} {limit}", holds))

    def finish(self):
        self.title(f"Claims, key exchange {KEX} (pyinfra: paramiko's own)")
        self.table(
            ["claim", "measured", "wanted", ""],
            [(words, f"{value:.3g}", limit, "holds" if holds else "**does not hold**")
             for words, value, limit, holds in self.claims],
        )


def ms(seconds):
    return f"{seconds * 1000:.0f} ms"


class Contest:
    def __init__(self, estate, group, rounds, report):
        self.estate, self.group, self.rounds, self.report = estate, group, rounds, report
        runtime = estate.file("run")
        os.mkdir(runtime, 0o700)
        # Nothing of the user's own: neither settings nor connections that are kept.
        self.environment = {
            "HOME": estate.file("home"), "SSH_AUTH_SOCK": "", "NO_COLOR": "1",
            "XDG_RUNTIME_DIR": runtime, "HELIX_KEEP_CONNECTIONS": "",
        }
        self.folder = estate.file("work")
        os.mkdir(self.folder)

    def measure(self, command, **environment):
        return meter.run(
            command, self.group, {**self.environment, **environment}, self.folder)

    def race(self, contestants):
        return meter.rounds(self.rounds, contestants)

    # What is asked

    def facts(self, count, *options):
        return lambda: self.measure(
            [HELIX, "facts", "-i", self.estate.inventory(count), "--json", *options])

    def script(self):
        """The script that `helix-infra facts` sends, taken down by a host that records it."""
        record = self.estate.write(
            "record", f"#!/bin/sh\ntee {self.estate.file('said')} | sh -c \"$SSH_ORIGINAL_COMMAND\"\n",
            0o755)
        port = str(PORT + 1)
        config = open(self.estate.file("sshd_config")).read().replace(f"Port {PORT}", f"Port {port}")
        path = self.estate.write("recorder_config", config + f"ForceCommand {record}\n")
        recorder = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", path])
        folder = self.estate.inventory(1)
        hosts = open(os.path.join(folder, "hosts.yaml")).read()
        known = open(self.estate.file("known_hosts")).read()
        self.estate.write("known_hosts", known + known.splitlines()[0].replace(str(PORT), port) + "\n")
        self.estate.write("recorded/hosts.yaml", hosts.replace(str(PORT), port))
        subprocess.run(["sleep", "0.5"], check=True)
        subprocess.run(
            [HELIX, "facts", "-i", self.estate.file("recorded"), "--json"], check=True,
            stdout=subprocess.DEVNULL, env={**os.environ, **self.environment}, cwd=self.folder)
        recorder.terminate()
        recorder.wait()
        self.estate.write("known_hosts", known)
        with open(self.estate.file("said")) as file:
            return self.estate.write("script", file.read())

    def light(self, count, *options):
        return lambda: self.measure(
            [HELIX, "exec", "-i", self.estate.inventory(count), *options, "all", "--", LIGHT])

    def work(self, name):
        """The same work as helix-infra and as ssh do it: by number of hosts and further options."""
        if name == "facts":
            return self.facts, f"sh -s <{self.estate.file('script')}"
        return self.light, f"'{LIGHT}'"

    def ssh(self, task, count, at_once, *options):
        """`ssh` run by xargs, each with the same task."""
        words = " ".join(["ssh", *self.estate.ssh_options(), *options])
        line = f"exec {words} root@{{}} {task} >/dev/null"
        hosts = self.estate.write(f"addresses-{count}", "\n".join(self.estate.addresses(count)) + "\n")
        return lambda: self.measure(
            ["xargs", "-a", hosts, "-P", str(at_once), "-I{}", "sh", "-c", line])

    # Parts

    def start(self):
        self.report.title("Process start")
        turns = {
            "`helix-infra --help`": lambda: self.measure([HELIX, "--help"]),
            "`ssh -V`": lambda: self.measure(["ssh", "-V"]),
        }
        result = meter.rounds(max(21, self.rounds), turns)
        self.report.table(
            ["", "wall", "CPU", "memory"],
            [(name, f"{s.wall * 1000:.1f} ms", f"{s.client * 1000:.1f} ms", f"{s.memory} KiB")
             for name, s in result.items()])
        start = result["`helix-infra --help`"]
        self.report.claim("process start, ms", start.wall * 1000, 20)
        return start

    def ask(self, start):
        for name, title in (("light", f"a light command, `{LIGHT}`"), ("facts", "the script of `facts`")):
            self.report.title(f"Cold connections, key exchange {KEX}, {title}")
            self.ask_cold(name, start)

    def ask_cold(self, name, start):
        rows, memory = [], {}
        cores = os.cpu_count()
        ours_does, task = self.work(name)
        for count in (7, 50, 200):
            result = self.race({
                "helix-infra": ours_does(count),
                "xargs -P16 ssh": self.ssh(task, count, 16),
                "xargs -P32 ssh": self.ssh(task, count, 32),
            })
            rows += [(count, tool, ms(s.wall), ms(s.client), ms(s.server), f"{s.memory / 1024:.1f} MiB")
                     for tool, s in result.items()]
            ours = result["helix-infra"]
            best = min(result["xargs -P16 ssh"].wall, result["xargs -P32 ssh"].wall)
            memory[count] = ours.memory
            if count > 7:
                self.report.claim(f"{name}, {count} hosts: wall, of the faster ssh", ours.wall / best, 0.7)
                self.report.claim(
                    f"{name}, {count} hosts: wall, of the servers' CPU time by core",
                    ours.wall / (ours.server / cores), 1.2)
            self.report.claim(
                f"{name}, {count} hosts: client CPU over process start, ms a host",
                (ours.client - start.client) * 1000 / count, 5)
        self.report.table(["hosts", "", "wall", "client CPU", "server CPU", "largest process"], rows)
        self.report.claim(
            f"{name}: memory, KiB a host (from 7 to 200)", (memory[200] - memory[7]) / 193, 100)

    def others(self):
        self.report.title(f"Other tools, cold, key exchange {KEX} for ssh")
        rows = []
        for count in (7, 50):
            hosts = self.estate.write(
                f"pyinfra-{count}.py",
                "hosts = " + repr([
                    (f"h{number}", {
                        "ssh_hostname": address, "ssh_port": PORT, "ssh_user": "root",
                        "ssh_key": self.estate.file("user"),
                        "ssh_known_hosts_file": self.estate.file("known_hosts"),
                    }) for number, address in enumerate(self.estate.addresses(count))]) + "\n")
            result = self.race({
                "helix-infra facts": self.facts(count),
                "helix-infra exec, what pyinfra asks": lambda: self.measure(
                    [HELIX, "exec", "-i", self.estate.inventory(count), "all", "--", "uname -n"]),
                "ansible -m setup": lambda: self.ansible(count),
                "pyinfra fact": lambda: self.measure(
                    ["pyinfra", "-y", "--parallel", str(count), hosts, "fact", "server.Hostname"]),
            })
            rows += [(count, name, ms(s.wall), ms(s.client), ms(s.server)) for name, s in result.items()]
            ours, ansible = result["helix-infra facts"], result["ansible -m setup"]
            same, pyinfra = result["helix-infra exec, what pyinfra asks"], result["pyinfra fact"]
            self.report.claim(f"{count} hosts: times faster than ansible -m setup",
                              ansible.wall / ours.wall, 18, at_least=True)
            self.report.claim(f"{count} hosts: times faster than pyinfra fact",
                              pyinfra.wall / same.wall, 2, at_least=True)
            self.report.claim(f"{count} hosts: client CPU, of pyinfra's",
                              same.client / pyinfra.client, 0.1667)
        self.report.table(["hosts", "", "wall", "client CPU", "server CPU"], rows)

    def ansible(self, count):
        control = tempfile.mkdtemp(prefix="cp", dir="/tmp")
        try:
            return self.measure(
                ["ansible", "-i", self.estate.inventory(count), "all", "-m", "setup", "-f", str(count)],
                ANSIBLE_PIPELINING="1", ANSIBLE_SSH_CONTROL_PATH_DIR=control,
                ANSIBLE_HOME=self.estate.file("ansible"), ANSIBLE_NOCOWS="1",
                ANSIBLE_SSH_ARGS="-C -o ControlMaster=auto -o ControlPersist=2s")
        finally:
            shutil.rmtree(control, ignore_errors=True)

    def kept(self):
        count, rows = 50, []
        self.report.title(f"Kept connections, {count} hosts, key exchange {KEX}")
        control = tempfile.mkdtemp(prefix="cp", dir="/tmp")
        master = ["-o", "ControlMaster=auto", "-o", f"ControlPath={control}/%C", "-o", "ControlPersist=60"]
        for name in ("light", "facts"):
            ours_does, task = self.work(name)
            ours_does(count, "--keep-connections", "5m")()
            warm_ssh = self.ssh(task, count, 16, *master)
            warm_ssh()
            result = self.race({
                "cold": ours_does(count),
                "kept": ours_does(count, "--keep-connections", "5m"),
                "xargs -P16 ssh, warm ControlPersist": warm_ssh,
            })
            rows += [(name, tool, ms(s.wall), ms(s.client), ms(s.server)) for tool, s in result.items()]
            kept = result["kept"].wall
            self.report.claim(f"{name}, kept: wall, of cold", kept / result["cold"].wall, 0.2)
            self.report.claim(f"{name}, kept: wall, of ssh with warm ControlPersist",
                              kept / result["xargs -P16 ssh, warm ControlPersist"].wall, 1)
        self.facts(count, "--keep-connections", "0")()
        shutil.rmtree(control, ignore_errors=True)
        self.report.table(["work", "", "wall", "client CPU", "server CPU"], rows)

    def upload(self):
        self.report.title(f"Upload of 64 MiB that do not compress, key exchange {KEX}")
        size = 64
        source = self.estate.file("source")
        with open(source, "wb") as file:
            file.write(os.urandom(size * 1024 * 1024))
        digest = subprocess.run(
            ["sha256sum", source], check=True, capture_output=True, text=True).stdout.split()[0]
        like_libssh2 = ["-c", "aes128-ctr", "-o", "MACs=hmac-sha2-256"]
        like_ours = ["-c", "aes128-gcm@openssh.com"]
        home = self.estate.file("home")
        scp = " ".join(["scp", "-q", *[w.replace("-p", "-P") if w == "-p" else w
                                       for w in self.estate.ssh_options()]])

        def cleared(count, command):
            """Everybody finds the hosts without the file."""
            def turn():
                for address in self.estate.addresses(count):
                    path = os.path.join(home, address)
                    if os.path.exists(path):
                        os.remove(path)
                return self.measure(command)
            return turn

        def scp_to(count, options, then=""):
            hosts = self.estate.write(f"to-{count}", "\n".join(self.estate.addresses(count)) + "\n")
            line = f"{scp} {' '.join(options)} {source} root@{{}}:{home}/{{}}{then}"
            return cleared(
                count, ["xargs", "-a", hosts, "-P", str(count), "-I{}", "sh", "-c", line])

        def send_to(count, transport):
            return cleared(
                count, [SEND, source, digest, home, self.estate.file("user"),
                        self.estate.file("known_hosts"), str(PORT), transport,
                        *self.estate.addresses(count)])

        rows = []
        for count in (1, 7):
            result = self.race({
                "helix, its own choice": send_to(count, "auto"),
                "helix, libssh2": send_to(count, "libssh2"),
                "helix, second transport": send_to(count, "ssh"),
                "scp, aes128-ctr and hmac-sha2-256": scp_to(count, like_libssh2),
                "scp, aes128-gcm": scp_to(count, like_ours),
                "scp, its own choice": scp_to(count, []),
                "scp, its own choice, and a checksum there": scp_to(
                    count, [], f" && openssl dgst -sha256 {home}/{{}} >/dev/null"),
            })
            rows += [(count, name, ms(s.wall), f"{size * count / s.wall:.0f} MiB/s", ms(s.client),
                      ms(s.server)) for name, s in result.items()]
            wall = {name: sample.wall for name, sample in result.items()}
            if count == 1:
                self.report.claim(
                    "upload by libssh2: rate, of scp with the same cipher and MAC",
                    wall["scp, aes128-ctr and hmac-sha2-256"] / wall["helix, libssh2"], 0.85,
                    at_least=True)
                self.report.claim(
                    "upload by its own choice: rate, of scp with the same cipher",
                    wall["scp, aes128-gcm"] / wall["helix, its own choice"], 0.85, at_least=True)
                self.report.claim(
                    "upload by the second transport: rate, of scp",
                    wall["scp, its own choice"] / wall["helix, second transport"], 0.95,
                    at_least=True)
            else:
                for other in ("scp, aes128-ctr and hmac-sha2-256", "scp, aes128-gcm"):
                    self.report.claim(f"upload to 7 hosts: wall, of 7 {other}",
                                      wall["helix, its own choice"] / wall[other], 1)
        self.report.table(["hosts", "", "wall", "rate", "client CPU", "server CPU"], rows)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("parts", nargs="*", metavar="PART", help=" ".join(PARTS))
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"no part is named {' or '.join(sorted(unknown))}")
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), "unknown processor")
    print(f"Machine: {model}, {os.cpu_count()} cores, {platform.release()}; "
          f"load {os.getloadavg()[0]:.1f}; medians of {options.rounds} rounds, everybody in turn; "
          + subprocess.run(["ssh", "-V"], capture_output=True, text=True).stderr.strip())
    report = Report()
    with tempfile.TemporaryDirectory(prefix="helix-speed-") as folder:
        group = meter.Group("helix-servers")
        estate = Estate(folder, group)
        try:
            contest = Contest(estate, group, options.rounds, report)
            contest.script()
            start = contest.start()
            for part in options.parts or PARTS:
                if part == "ask":
                    contest.ask(start)
                elif part != "start":
                    getattr(contest, part)()
        finally:
            estate.stop()
    report.finish()


main()
