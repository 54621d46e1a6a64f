"""Takes the measurements of Benchmarks/age-speed and prints them as Markdown."""

import argparse
import hashlib
import os
import platform
import shutil
import statistics
import subprocess
import tempfile
import time

OURS = os.path.join(os.getcwd(), ".build/release/age-speed")
LEAST_RATIO = 0.8
MOST_MIB = 32


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fill(path, size):
    block = os.urandom(1 << 20)
    with open(path, "wb") as file:
        for number in range(size >> 20):
            # Every block differs, so that one in the wrong place shows in the hash.
            file.write(number.to_bytes(8, "big") + block[8:])


def peak(process):
    """The most memory in MiB that a process has had, while it lives."""
    try:
        with open(f"/proc/{process.pid}/status") as file:
            return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return 0


def take(command):
    """Seconds and MiB that a command takes."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    # What wait4 says of a small child is the memory of this script, which it was forked from.
    most = 0
    while True:
        try:
            process.wait(timeout=0.02)
            break
        except subprocess.TimeoutExpired:
            most = max(most, peak(process))
    seconds = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"failed: {' '.join(command)}")
    return seconds, most


def contest(folder, rounds):
    """Both programs do both jobs by turns; each decrypts what the other encrypted.

    All of them write one and the same file, which is removed before: memory that a virtual machine
    touches for the first time is slow, and is nobody's merit or fault.
    """
    plain, key = os.path.join(folder, "plain"), os.path.join(folder, "key")
    subprocess.run(["age-keygen", "-o", key], check=True, stderr=subprocess.DEVNULL)
    recipient = subprocess.run(
        ["age-keygen", "-y", key], check=True, capture_output=True, text=True).stdout.strip()
    out, sealed = os.path.join(folder, "out"), os.path.join(folder, "sealed")
    encrypt = {
        "age": lambda target: ["age", "-r", recipient, "-o", target, plain],
        "helix": lambda target: [OURS, "encrypt", recipient, plain, target],
    }
    decrypt = {"age": ["age", "-d", "-i", key, "-o", out, sealed],
               "helix": [OURS, "decrypt", key, sealed, out]}
    other = {"age": "helix", "helix": "age"}
    wanted = digest(plain)
    taken = {(name, job): [] for name in encrypt for job in ["encrypt", "decrypt"]}

    def measure(name, job, command, number):
        if os.path.exists(out):
            os.unlink(out)
        result = take(command)
        # The first round only warms the machine up.
        if number:
            taken[(name, job)].append(result)

    for number in range(rounds + 1):
        for name in ["age", "helix"] if number % 2 else ["helix", "age"]:
            measure(name, "encrypt", encrypt[name](out), number)
            os.replace(out, sealed)
            measure(other[name], "decrypt", decrypt[other[name]], number)
            if digest(out) != wanted:
                raise SystemExit(f"{other[name]} did not give back what {name} encrypted")
    return taken


def report(taken, size):
    def middle(job, place):
        return statistics.median(result[place] for result in taken[job])

    print("| | seconds | MiB/s | peak MiB | against age |\n|---|---|---|---|---|")
    claims = []
    for task in ["encrypt", "decrypt"]:
        for name in ["age", "helix"]:
            seconds = middle((name, task), 0)
            ratio = middle(("age", task), 0) / seconds
            peak = max(result[1] for result in taken[(name, task)])
            print(f"| {task}, {name} | {seconds:.2f} | {(size >> 20) / seconds:.0f} | {peak:.1f} |"
                  f" {ratio:.2f} |")
        claims.append((f"{task}: throughput against age's", ratio, f"≥ {LEAST_RATIO}",
                       ratio >= LEAST_RATIO))
        claims.append((f"{task}: peak memory in MiB", peak, f"< {MOST_MIB}", peak < MOST_MIB))
    print("\n| claim | measured | wanted | |\n|---|---|---|---|")
    for words, value, limit, holds in claims:
        print(f"| {words} | {value:.3g} | {limit} | {'holds' if holds else '**does not hold**'} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mib", type=int, default=1024)
    options = parser.parse_args()
    size = options.mib << 20
    # Memory, if there is room for it, so that no disk is measured.
    shared = "/dev/shm"
    roomy = os.path.isdir(shared) and shutil.disk_usage(shared).free > 5 * size
    folder = tempfile.mkdtemp(prefix="helix-age-speed-", dir=shared if roomy else None)
    try:
        version = subprocess.run(["age", "--version"], capture_output=True, text=True).stdout
        print(f"machine: {os.cpu_count()} cores, {platform.system()} {platform.release()};"
              f" age {version.strip()}; {options.mib} MiB in {os.path.dirname(folder)},"
              f" medians of {options.rounds}\n")
        fill(os.path.join(folder, "plain"), size)
        report(contest(folder, options.rounds), size)
    finally:
        shutil.rmtree(folder)


main()
