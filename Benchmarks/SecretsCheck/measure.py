"""Measures `secrets check` over a repository of encrypted files; see ../secrets-check."""

import argparse
import os
import pathlib
import platform
import statistics
import subprocess
import tempfile
import time

BINARY = pathlib.Path(__file__).resolve().parents[2] / ".build/release/helix-infra"

PLAIN = """apiVersion: v1
kind: Secret
metadata:
    name: app-{number}
    namespace: default
stringData:
{values}"""


def make(folder, count):
    """A git repository with so many encrypted Secrets of about four kilobytes each."""
    environment = {**os.environ, "SOPS_AGE_KEY_FILE": f"{folder}/age.key"}

    def helix(*words):
        return subprocess.run([BINARY, "secrets", *words], cwd=folder, env=environment, check=True,
                              capture_output=True, text=True).stdout

    subprocess.run(["git", "init", "-q", folder], check=True)
    recipient = helix("keygen", "-o", "age.key").strip()
    (folder / ".gitignore").write_text("age.key\n")
    (folder / ".sops.yaml").write_text(
        "creation_rules:\n  - path_regex: \\.sops\\.yaml$\n"
        f"    encrypted_regex: ^(data|stringData)$\n    age: {recipient}\n")
    for number in range(count):
        path = folder / f"apps/app-{number % 50}/secret-{number}.sops.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        values = "".join(f"    key-{place}: value {place} of {number}\n" for place in range(12))
        path.write_text(PLAIN.format(number=number, values=values))
        helix("encrypt", "-i", str(path))
    sizes = [path.stat().st_size for path in folder.glob("apps/*/*")]
    return statistics.median(sizes)


def timed(command, folder, status=0):
    """Wall and CPU milliseconds of a command, and its peak memory in MiB."""
    start = time.monotonic()
    child = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    _, ended, usage = os.wait4(child.pid, 0)
    wall = (time.monotonic() - start) * 1000
    if os.waitstatus_to_exitcode(ended) != status:
        raise SystemExit(f"{command} ended with {ended}")
    return wall, (usage.ru_utime + usage.ru_stime) * 1000, usage.ru_maxrss / 1024


def main():
    """Make the repository, measure in rounds, print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        size = make(folder, options.files)
        commands = {
            "helix-infra secrets check": [str(BINARY), "secrets", "check"],
            "git ls-files, and every file read by cat": [
                "sh", "-c", "git ls-files -z -co --exclude-standard | xargs -0 cat"],
        }
        rounds = {title: [] for title in commands}
        for _ in range(options.rounds):
            for title, command in commands.items():
                rounds[title].append(timed(command, folder))
    print(f"{options.files} files of {size:.0f} bytes, medians of {options.rounds};"
          f" {platform.machine()}, {os.cpu_count()} cores\n")
    print("| | wall | CPU | memory |\n|---|---|---|---|")
    for title, looks in rounds.items():
        wall, cpu, memory = (statistics.median(column) for column in zip(*looks))
        print(f"| {title} | {wall:.0f} ms | {cpu:.0f} ms | {memory:.0f} MiB |")


if __name__ == "__main__":
    main()
