"""Log lines as logrus writes them to a file: what `journalctl -u k3s` shows."""

import json
import os
import sys
import threading
import time

_lock = threading.Lock()


def _write(level, message):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    line = f'time="{stamp}" level={level} msg={json.dumps(message, ensure_ascii=False)}\n'
    with _lock:
        try:
            sys.stderr.write(line)
            sys.stderr.flush()
        except (OSError, ValueError):
            pass  # a vanished journal must not stop the server


def info(message):
    _write("info", message)


def warning(message):
    _write("warning", message)


def error(message):
    _write("error", message)


def fatal(message):
    """Log and end the process as logrus.Fatal does, from any thread."""
    _write("fatal", message)
    os._exit(1)
