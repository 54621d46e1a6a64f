"""Choose the command by the name we were called by, then by the first word."""

import os
import sys


def _version():
    from standin.version import VERSION
    print(f"k3s version {VERSION} (stand-in)")
    print(f"go version none (python{sys.version_info.major}.{sys.version_info.minor})")
    return 0


def _usage():
    print("""NAME:
   k3s - Kubernetes, but small and simple (stand-in: keeps the rules, runs no containers)

USAGE:
   k3s [global options] command [command options] [arguments...]

COMMANDS:
   server           Run management server
   agent            Run node agent
   kubectl          Run kubectl
   token            Manage bootstrap tokens
   etcd-snapshot    Manage etcd snapshots
   secrets-encrypt  Control secrets encryption
   check-config     Run config check""")
    return 0


def _refuse(word):
    print(f"{word}: the k3s stand-in runs no containers", file=sys.stderr)
    return 1


def _run(word, arguments):
    from standin import faults, log
    from standin.version import VERSION
    if word in ("server", "agent") and faults.broken():
        log.fatal(f"{VERSION} is broken (a fault of that name is planted in {faults.FOLDER})")
    if word == "server":
        from standin.server import run
    elif word == "agent":
        from standin.agent import run
    elif word == "kubectl":
        from standin.kubectl import run
    elif word == "etcd-snapshot":
        from standin.snapshot import run
    elif word == "token":
        from standin.tokens import run
    elif word == "secrets-encrypt":
        from standin.secrets import run
    elif word == "check-config":
        from standin.checkconfig import run
    else:
        print(f"No help topic for '{word}'", file=sys.stderr)
        return 3
    return run(arguments)


def main():
    """Run one command and return its exit status."""
    called = os.path.basename(sys.argv[0])
    words = sys.argv[1:]
    if called in ("crictl", "ctr") or (words and words[0] in ("crictl", "ctr")):
        return _refuse(called if called != "k3s" else words[0])
    if called == "kubectl":
        return _run("kubectl", words)
    if not words or words[0] in ("help", "--help", "-h"):
        return _usage()
    if words[0] in ("--version", "-v"):
        return _version()
    return _run(words[0], words[1:])


if __name__ == "__main__":
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        os._exit(0)  # the reader of our output has gone, as with `| head`
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)
