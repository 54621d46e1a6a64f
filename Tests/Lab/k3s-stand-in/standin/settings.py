"""Settings of `k3s server` and `k3s agent`: flags over environment over config.yaml, as k3s reads them."""

import glob
import os
import socket

from standin import log

TEXT, FLAG, NUMBER, LIST = "text", "flag", "number", "list"

AGENT_KEYS = {
    "config": TEXT, "debug": FLAG, "v": NUMBER, "vmodule": TEXT, "log": TEXT, "alsologtostderr": FLAG,
    "token": TEXT, "token-file": TEXT, "server": TEXT, "data-dir": TEXT,
    "node-name": TEXT, "with-node-id": FLAG, "node-label": LIST, "node-taint": LIST,
    "node-ip": LIST, "node-external-ip": LIST, "resolv-conf": TEXT,
    "image-credential-provider-bin-dir": TEXT, "image-credential-provider-config": TEXT,
    "selinux": FLAG, "lb-server-port": NUMBER, "protect-kernel-defaults": FLAG, "docker": FLAG,
    "container-runtime-endpoint": TEXT, "default-runtime": TEXT, "pause-image": TEXT, "snapshotter": TEXT,
    "private-registry": TEXT, "disable-default-registry-endpoint": FLAG, "airgap-extra-registry": LIST,
    "flannel-iface": TEXT, "flannel-conf": TEXT, "flannel-cni-conf": TEXT, "vpn-auth": TEXT,
    "vpn-auth-file": TEXT, "kubelet-arg": LIST, "kube-proxy-arg": LIST, "rootless": FLAG,
    "prefer-bundled-bin": FLAG, "enable-pprof": FLAG,
}

SERVER_KEYS = {
    **AGENT_KEYS,
    "agent-token": TEXT, "agent-token-file": TEXT, "cluster-init": FLAG, "cluster-reset": FLAG,
    "cluster-reset-restore-path": TEXT, "bind-address": TEXT, "https-listen-port": NUMBER,
    "advertise-address": TEXT, "advertise-port": NUMBER, "tls-san": LIST, "tls-san-security": FLAG,
    "cluster-cidr": LIST, "service-cidr": LIST, "service-node-port-range": TEXT, "cluster-dns": LIST,
    "cluster-domain": TEXT, "flannel-backend": TEXT, "flannel-ipv6-masq": FLAG, "flannel-external-ip": FLAG,
    "egress-selector-mode": TEXT, "servicelb-namespace": TEXT, "write-kubeconfig": TEXT,
    "write-kubeconfig-mode": TEXT, "write-kubeconfig-group": TEXT, "helm-job-image": TEXT,
    "kube-apiserver-arg": LIST, "etcd-arg": LIST, "kube-controller-manager-arg": LIST,
    "kube-scheduler-arg": LIST, "kube-cloud-controller-manager-arg": LIST,
    "datastore-endpoint": TEXT, "datastore-cafile": TEXT, "datastore-certfile": TEXT,
    "datastore-keyfile": TEXT, "etcd-expose-metrics": FLAG, "etcd-disable-snapshots": FLAG,
    "etcd-snapshot-name": TEXT, "etcd-snapshot-schedule-cron": TEXT, "etcd-snapshot-retention": NUMBER,
    "etcd-snapshot-dir": TEXT, "etcd-snapshot-compress": FLAG, "etcd-s3": FLAG, "etcd-s3-endpoint": TEXT,
    "etcd-s3-endpoint-ca": TEXT, "etcd-s3-skip-ssl-verify": FLAG, "etcd-s3-access-key": TEXT,
    "etcd-s3-secret-key": TEXT, "etcd-s3-bucket": TEXT, "etcd-s3-region": TEXT, "etcd-s3-folder": TEXT,
    "etcd-s3-insecure": FLAG, "etcd-s3-timeout": TEXT, "default-local-storage-path": TEXT,
    "disable": LIST, "disable-scheduler": FLAG, "disable-cloud-controller": FLAG,
    "disable-kube-proxy": FLAG, "disable-network-policy": FLAG, "disable-helm-controller": FLAG,
    "disable-apiserver": FLAG, "disable-controller-manager": FLAG, "disable-etcd": FLAG,
    "disable-agent": FLAG, "secrets-encryption": FLAG, "embedded-registry": FLAG,
    "system-default-registry": TEXT, "supervisor-metrics": FLAG,
}

SHORT = {"c": "config", "t": "token", "s": "server", "d": "data-dir", "i": "node-ip", "o": "write-kubeconfig"}

ENVIRONMENT = {
    "token": "K3S_TOKEN", "token-file": "K3S_TOKEN_FILE", "server": "K3S_URL",
    "agent-token": "K3S_AGENT_TOKEN", "agent-token-file": "K3S_AGENT_TOKEN_FILE",
    "node-name": "K3S_NODE_NAME", "data-dir": "K3S_DATA_DIR", "cluster-init": "K3S_CLUSTER_INIT",
    "cluster-reset": "K3S_CLUSTER_RESET", "write-kubeconfig": "K3S_KUBECONFIG_OUTPUT",
    "write-kubeconfig-mode": "K3S_KUBECONFIG_MODE", "debug": "K3S_DEBUG", "config": "K3S_CONFIG_FILE",
}

DEFAULTS = {
    "config": "/etc/rancher/k3s/config.yaml", "data-dir": "/var/lib/rancher/k3s",
    "write-kubeconfig": "/etc/rancher/k3s/k3s.yaml", "write-kubeconfig-mode": "600",
    "https-listen-port": 6443, "cluster-cidr": ["10.42.0.0/16"], "service-cidr": ["10.43.0.0/16"],
    "cluster-dns": ["10.43.0.10"], "cluster-domain": "cluster.local", "flannel-backend": "vxlan",
    "egress-selector-mode": "agent", "etcd-snapshot-name": "etcd-snapshot",
    "etcd-snapshot-retention": 5, "tls-san-security": True,
}


class SettingsError(Exception):
    """A setting that k3s would refuse; the text is k3s's own."""


class Settings:
    """The merged values; a key that nobody set reads as its default or as empty."""

    def __init__(self, keys, values):
        self.keys = keys
        self.values = values

    def __getitem__(self, key):
        if key in self.values:
            return self.values[key]
        if key in DEFAULTS:
            return DEFAULTS[key]
        return {TEXT: "", FLAG: False, NUMBER: 0, LIST: []}[self.keys.get(key, TEXT)]


def load(command, arguments, environ=os.environ):
    """Merge flags, environment and config files of `server` or `agent`."""
    keys = SERVER_KEYS if command == "server" else AGENT_KEYS
    flags = parse_flags(keys, arguments)
    known = {key: environ[name] for key, name in ENVIRONMENT.items() if key in keys and environ.get(name)}
    path = flags.get("config") or known.get("config") or DEFAULTS["config"]
    values = read_files(keys, path)
    values.update({key: convert(keys, key, [value]) for key, value in known.items()})
    values.update(flags)
    return Settings(keys, values)


def parse_flags(keys, arguments):
    """Read `--key value`, `--key=value` and bare boolean flags."""
    found = {}
    words = list(arguments)
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            raise SettingsError(f"unexpected argument {word}")
        name, equals, value = word.lstrip("-").partition("=")
        name = SHORT.get(name, name)
        if name not in keys:
            raise SettingsError(f"flag provided but not defined: -{name}")
        if not equals:
            if keys[name] == FLAG:
                value = "true"
            elif words:
                value = words.pop(0)
            else:
                raise SettingsError(f"flag needs an argument: -{name}")
        found.setdefault(name, []).append(value)
    return {name: convert(keys, name, values) for name, values in found.items()}


def read_files(keys, path):
    """Read config.yaml, then config.yaml.d/*.yaml by name: last wins, `key+` appends."""
    merged = {}
    for name in [path, *sorted(glob.glob(path + ".d/*.yaml") + glob.glob(path + ".d/*.yml"))]:
        for key, value in read_file(name).items():
            appends = key.endswith("+")
            key = key.rstrip("+")
            key = SHORT.get(key, key)
            if key not in keys:
                raise SettingsError(f"flag provided but not defined: -{key}")
            texts = [text(item) for item in value] if isinstance(value, list) else [text(value)]
            merged[key] = (merged.get(key, []) if appends else []) + texts
    return {key: convert(keys, key, values) for key, values in merged.items()}


def read_file(path):
    """Return one YAML file as a mapping; a file that is not there is empty."""
    import yaml
    try:
        with open(path, encoding="utf-8") as file:
            data = yaml.load(file, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except FileNotFoundError:
        return {}
    except yaml.YAMLError as problem:
        raise SettingsError(f"failed to parse {path}: {problem}") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise SettingsError(f"failed to parse {path}: yaml: cannot unmarshal into a mapping")
    return data


def text(value):
    """Write a YAML scalar the way it would stand on a command line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def convert(keys, key, values):
    """Turn the words of one key into its type; a list also splits at commas, as k3s's flags do."""
    kind = keys[key]
    if kind == LIST:
        return [part for value in values for part in value.split(",") if part] \
            if key not in ("kubelet-arg", "kube-apiserver-arg", "etcd-arg", "node-taint") else values
    last = values[-1]
    if kind == FLAG:
        if last.lower() in ("true", "1", "t"):
            return True
        if last.lower() in ("false", "0", "f", ""):
            return False
        raise SettingsError(f'invalid boolean value "{last}" for -{key}: parse error')
    if kind == NUMBER:
        try:
            return int(last)
        except ValueError:
            raise SettingsError(f'invalid value "{last}" for flag -{key}: parse error') from None
    return last


def load_or_exit(command, arguments):
    """Load the settings, or end as k3s does with its words on stderr."""
    try:
        return load(command, arguments)
    except SettingsError as problem:
        log.fatal(str(problem))


def token(settings, key="token"):
    """Return a token given inline or by file; both at once is an error."""
    inline, path = settings[key], settings[key + "-file"]
    if inline or not path:
        return inline.strip()
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except OSError as problem:
        raise SettingsError(f"open {path}: {problem.strerror.lower()}") from None


def node_name(settings):
    """The node's name is its lower-case host name unless it is set."""
    return (settings["node-name"] or socket.gethostname()).lower()


def node_address(settings):
    """The node's first address: set, or the one the kernel would use to go out."""
    if settings["node-ip"]:
        return settings["node-ip"][0]
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        probe.connect(("10.255.255.255", 9))  # a datagram socket's connect sends nothing
        return probe.getsockname()[0]
    except OSError:
        return address_of_an_interface()
    finally:
        probe.close()


def address_of_an_interface():
    """Without a default route, take the first address that is not loopback."""
    import fcntl
    import struct
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        for _, name in socket.if_nameindex():
            if name == "lo":
                continue
            try:
                answer = fcntl.ioctl(probe.fileno(), 0x8915, struct.pack("256s", name.encode()[:15]))
            except OSError:
                continue
            return socket.inet_ntoa(answer[20:24])
    finally:
        probe.close()
    return "127.0.0.1"
