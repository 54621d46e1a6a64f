"""Many hosts that are one sshd: each has an address of its own in 127.0.0.0/8."""

import os
import subprocess
import time

PORT = 2222
KEX = "curve25519-sha256"


class Estate:
    def __init__(self, folder, group):
        self.folder = folder
        self.group = group
        for name in ("host", "user"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.file(name)], check=True
            )
        os.mkdir(self.file("home"))
        os.makedirs("/run/sshd", exist_ok=True)
        with open(self.file("host.pub")) as file:
            key = " ".join(file.read().split()[:2])
        self.write("known_hosts", "".join(f"[{self.address(i)}]:{PORT} {key}\n" for i in range(200)))
        self.write(
            "sshd_config",
            f"""Port {PORT}
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
AuthorizedKeysFile {self.file("user.pub")}
HostKey {self.file("host")}
UseDNS no
MaxStartups 2000
MaxSessions 20
LogLevel ERROR
PrintMotd no
Subsystem sftp internal-sftp
SetEnv HOME={self.file("home")}
""",
        )
        self.daemon = subprocess.Popen(
            ["/usr/sbin/sshd", "-D", "-e", "-f", self.file("sshd_config")], preexec_fn=group.enter
        )
        time.sleep(0.5)
        if self.daemon.poll() is not None:
            raise SystemExit("sshd did not start")

    def file(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o600):
        path = self.file(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    @staticmethod
    def address(number):
        return f"127.1.{number // 250}.{number % 250 + 1}"

    def addresses(self, count):
        return [self.address(number) for number in range(count)]

    def ssh_options(self):
        return [
            "-F", "none", "-p", str(PORT), "-i", self.file("user"), "-o", "IdentitiesOnly=yes",
            "-o", f"UserKnownHostsFile={self.file('known_hosts')}",
            "-o", "StrictHostKeyChecking=yes", "-o", f"KexAlgorithms={KEX}",
        ]

    def inventory(self, count):
        """A folder that serves helix-infra and ansible alike."""
        hosts = "".join(
            f"    h{number:03}: {{ansible_host: {address}}}\n"
            for number, address in enumerate(self.addresses(count))
        )
        path = self.write(
            f"inventory-{count}/hosts.yaml",
            f"""all:
  hosts:
{hosts}  vars:
    ansible_user: root
    ansible_port: {PORT}
    ansible_ssh_private_key_file: {self.file("user")}
    ansible_python_interpreter: /usr/bin/python3
    ansible_ssh_common_args: -F none -o UserKnownHostsFile={self.file("known_hosts")} -o KexAlgorithms={KEX}
""",
        )
        return os.path.dirname(path)

    def stop(self):
        self.daemon.terminate()
        self.daemon.wait()
        for process in self.group.processes():
            os.kill(process, 9)
        time.sleep(0.2)
        self.group.remove()
