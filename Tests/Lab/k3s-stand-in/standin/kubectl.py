"""`k3s kubectl`: the commands and flags this project and its users need, in kubectl's own words."""

import sys

from standin.kubeclient import Failure

# flag -> whether it takes a value
FLAGS = {
    "namespace": True, "all-namespaces": False, "output": True, "selector": True, "field-selector": True,
    "filename": True, "server-side": False, "force-conflicts": False, "field-manager": True, "kubeconfig": True,
    "server": True, "context": True, "raw": True, "timeout": True, "request-timeout": True,
    "ignore-not-found": False, "no-headers": False, "overwrite": False, "all": False, "wait": False, "for": True,
    "patch": True, "type": True, "dry-run": False, "ignore-daemonsets": False, "delete-emptydir-data": False,
    "delete-local-data": False, "force": False, "grace-period": True, "disable-eviction": False,
    "pod-selector": True, "show-labels": False, "validate": False, "subresource": True, "now": False,
    "from-literal": True, "from-file": True, "client": False, "show-managed-fields": False,
    "skip-wait-for-delete-timeout": True, "recursive": False, "sort-by": True, "chunk-size": True,
    "label-columns": True, "replicas": True, "watch": False, "cascade": False, "patch-file": True, "list": False,
    "warnings-as-errors": False, "server-print": False, "current-replicas": True,
}
SHORT = {"n": "namespace", "A": "all-namespaces", "o": "output", "l": "selector", "f": "filename", "p": "patch",
         "s": "server", "R": "recursive", "L": "label-columns", "w": "watch"}
REPEATED = ("filename", "from-literal", "from-file")


def parse(words):
    """Split a command line into arguments and options."""
    arguments, options, words = [], {}, list(words)
    while words:
        word = words.pop(0)
        if word == "--":
            arguments += words
            break
        if word == "-" or not word.startswith("-"):
            arguments.append(word)
            continue
        name, equals, value = word.lstrip("-").partition("=")
        if not word.startswith("--"):
            name, value = (word[1], word[2:].removeprefix("=")) if len(word) > 2 else (word[1], "")
            equals = "=" if value else ""
            name = SHORT.get(name, name)
        if name not in FLAGS:
            raise Failure(f"error: unknown flag: {word}")
        if not equals:
            if FLAGS[name]:
                if not words:
                    raise Failure(f"error: flag needs an argument: {word}")
                value = words.pop(0)
            else:
                value = "true"
        if name in REPEATED:
            options.setdefault(name, []).append(value)
        else:
            options[name] = "" if value in ("false", "none") and not FLAGS[name] else value
    return arguments, options


def run(words):
    """Run one kubectl command and return its exit status."""
    try:
        arguments, options = parse(words)
        if not arguments:
            print("kubectl controls the Kubernetes cluster manager (stand-in: see its README for the commands).")
            return 0
        from standin import kubecommands
        command = kubecommands.COMMANDS.get(arguments[0])
        if command is None:
            raise Failure(f'error: unknown command "{arguments[0]}" for "kubectl" (the k3s stand-in has '
                          f'{", ".join(sorted(kubecommands.COMMANDS))})')
        return command(arguments[1:], options) or 0
    except Failure as problem:
        print(problem, file=sys.stderr)
        return 1
