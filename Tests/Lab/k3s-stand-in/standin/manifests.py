"""server/manifests: every YAML file is applied at start and whenever it changes, as an Addon."""

import hashlib
import os
import re
import time

from standin import kinds, log, timing
from standin.apierror import ApiError
from standin.datastore import Unavailable

NAME = re.compile(r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")


class Deployer:
    """One server's manifests folder."""

    def __init__(self, layout, objects, node_name, disabled):
        self.folder, self.objects = layout.manifests, objects
        self.manager, self.disabled = f"deploy@{node_name}", disabled
        self.applied, self.broken = {}, {}

    def run(self):
        """Look again and again."""
        while True:
            for name in sorted(os.listdir(self.folder)) if os.path.isdir(self.folder) else []:
                try:
                    self._look(name)
                except (ApiError, Unavailable, OSError) as problem:
                    self._complain(name, str(problem))
                except (KeyError, TypeError, AttributeError) as problem:
                    self._complain(name, f"not a Kubernetes object: {problem!r}")
            time.sleep(timing.MANIFEST_PERIOD)

    def _complain(self, name, reason):
        if self.broken.get(name) != reason:
            log.error(f"Failed to process config: failed to process {os.path.join(self.folder, name)}: {reason}")
        self.broken[name] = reason

    def _look(self, name):
        stem, ending = os.path.splitext(name)
        path = os.path.join(self.folder, name)
        if ending not in (".yaml", ".yml", ".json") or stem in self.disabled or os.path.exists(path + ".skip"):
            return
        with open(path, "rb") as file:
            content = file.read()
        checksum = hashlib.sha256(content).hexdigest()
        if self.applied.get(name) == checksum:
            return
        if not NAME.match(stem):
            raise ApiError(422, f'"{stem}" is not a valid addon name: a lowercase RFC 1123 subdomain is needed')
        self._apply(content)
        addon = {"apiVersion": "k3s.cattle.io/v1", "kind": "Addon",
                 "metadata": {"name": stem, "namespace": "kube-system"},
                 "spec": {"source": path, "checksum": checksum}}
        self.objects.apply(kinds.ADDONS, "kube-system", stem, addon, self.manager, force=True)
        self.applied[name] = checksum
        log.info(f"Applied manifest at \"{path}\"")

    def _apply(self, content):
        import yaml
        try:
            values = list(yaml.safe_load_all(content))
        except yaml.YAMLError as problem:
            raise ApiError(400, f"yaml: {problem}") from None
        for item in values:
            if not item:
                continue
            kind = kinds.find_by_name(self.objects.state(), item.get("apiVersion", ""), item.get("kind", ""))
            if kind is None:
                raise ApiError(404, f'no matches for kind "{item.get("kind")}" in version "{item.get("apiVersion")}"')
            meta = item["metadata"]
            self.objects.apply(kind, meta.get("namespace") or "default", meta["name"], item, self.manager, force=True)
