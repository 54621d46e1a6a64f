"""Images: where registries.yaml says they come from, and the programs that the stand-in takes for their content.

Only `k3s-upgrade` has content: the k3s of its tag, fetched from a mirror of releases. Every other
image is there as soon as its registry has an endpoint.
"""

import http.client
import os
import shutil
import ssl
import urllib.error
import urllib.parse
import urllib.request

from standin import log, machine, paths

REGISTRIES = "/etc/rancher/k3s/registries.yaml"
DOCKER = "docker.io"
TIMEOUT = 30.0


class PullError(Exception):
    """Why an image is not there; the text is containerd's."""


class Image:
    """A reference such as rancher/k3s-upgrade:v1.29.15-k3s1."""

    def __init__(self, text):
        self.text = text
        name, _, _ = text.partition("@")
        name, colon, tag = name.rpartition(":")
        if not colon or "/" in tag:
            name, tag = text.partition("@")[0], ""
        first, slash, rest = name.partition("/")
        if slash and ("." in first or ":" in first or first == "localhost"):
            self.registry, self.path = first, rest
        else:
            self.registry, self.path = DOCKER, name if slash else "library/" + name
        self.tag = tag or "latest"

    @property
    def program(self):
        """The last part of the name: what the image is."""
        return self.path.rpartition("/")[2]

    @property
    def full(self):
        """The reference with everything spelled out."""
        return f"{self.registry}/{self.path}:{self.tag}"

    @property
    def release(self):
        """The k3s release in an image's tag: a tag cannot hold a plus."""
        return self.tag.replace("-k3s", "+k3s")


def has_tag(text):
    """Whether a reference names a tag or a digest itself."""
    return "@" in text or ":" in text.rpartition("/")[2]


class Registries:
    """What registries.yaml and system-default-registry said when k3s started."""

    def __init__(self, settings):
        self.default = settings["system-default-registry"]
        self.only_mirrors = bool(settings["disable-default-registry-endpoint"])
        self.mirrors = read_mirrors(settings["private-registry"] or REGISTRIES)

    def endpoints(self, image):
        """The URLs to try, best first; docker.io itself is out of reach."""
        mirror = self.mirrors.get(image.registry) or self.mirrors.get("*") or []
        found = list(mirror)
        if image.registry != DOCKER:
            found += [] if self.only_mirrors else ["https://" + image.registry]
        elif self.default and not found:
            found = self.mirrors.get(self.default) or ["https://" + self.default]
        return [url.rstrip("/").removesuffix("/v2") for url in found]


def read_mirrors(path):
    """The mirrors of a registries.yaml: registry -> endpoints."""
    import yaml
    try:
        with open(path, encoding="utf-8") as file:
            content = yaml.safe_load(file) or {}
        return {name: list((mirror or {}).get("endpoint") or [])
                for name, mirror in (content.get("mirrors") or {}).items()}
    except FileNotFoundError:
        return {}
    except (OSError, yaml.YAMLError, AttributeError, TypeError) as problem:
        # k3s ends here too: a registry that is not the wanted one must not be asked.
        log.fatal(f"failed to get CRI registry configuration: {path}: {problem}")
        return {}


class Store:
    """The images of one node."""

    def __init__(self, layout, registries):
        self.folder = os.path.join(layout.agent, "containerd", "stand-in-images")
        self.registries = registries

    def binary(self, image):
        """Where a pulled image lies; of a k3s-upgrade image, its k3s."""
        return os.path.join(self.folder, image.full.replace("/", "_").replace(":", "_"))

    def pull(self, image, policy):
        """Make an image be there, or raise a PullError."""
        policy = policy or ("Always" if image.tag == "latest" else "IfNotPresent")
        here = os.path.exists(self.binary(image))
        if policy == "Never" and not here:
            raise PullError(f'Container image "{image.text}" is not present with pull policy of Never')
        if policy == "Never" or (policy == "IfNotPresent" and here):
            return
        endpoints = self.registries.endpoints(image)
        if not endpoints:
            raise PullError(_failed(image, f'failed to do request: Head "https://registry-1.{DOCKER}/v2/{image.path}/'
                                    f'manifests/{image.tag}": dial tcp: lookup registry-1.{DOCKER}: no such host'))
        if image.program == "k3s-upgrade":
            self._fetch(image, endpoints)
        else:
            paths.write(self.binary(image), "")

    def _fetch(self, image, endpoints):
        reasons = []
        for endpoint in endpoints:
            for url in release_urls(endpoint, image.release):
                try:
                    self._download(url, self.binary(image))
                    return
                except urllib.error.HTTPError as problem:
                    reasons.append(f"{image.full}: not found" if problem.code == 404 else
                                   f"unexpected status from GET request to {url}: {problem.code} {problem.reason}")
                except (OSError, http.client.HTTPException, ssl.SSLError, ValueError) as problem:
                    reason = getattr(problem, "reason", problem)
                    words = getattr(reason, "strerror", None) or str(reason)
                    reasons.append(f'failed to do request: Get "{url}": {words.lower()}')
        raise PullError(_failed(image, reasons[-1]))

    def _download(self, url, path):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        partial = path + ".part"
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer, open(partial, "wb") as file:
            shutil.copyfileobj(answer, file)
        os.chmod(partial, 0o755)
        os.replace(partial, path)


def release_urls(endpoint, release):
    """Where a mirror of releases has the program; not every mirror takes a plus in a path."""
    name = "k3s-arm64" if machine.architecture() == "arm64" else "k3s"
    return [f"{endpoint}/{word}/{name}" for word in (release, urllib.parse.quote(release, safe=""))]


def _failed(image, reason):
    return (f'rpc error: code = NotFound desc = failed to pull and unpack image "{image.full}": failed to resolve '
            f'reference "{image.full}": {reason}' if reason.endswith(": not found") else
            f'failed to pull and unpack image "{image.full}": failed to resolve reference "{image.full}": {reason}')
