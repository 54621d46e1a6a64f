"""The part of a node that registers it and keeps it Ready."""

import json
import os
import secrets
import time

from standin import faults, log, machine, paths, timing
from standin.httpclient import HTTPError, WireError
from standin.objects import now


def node_password():
    """The node's own secret; whoever comes first with a node name owns it."""
    known = paths.read(paths.NODE_PASSWORD)
    if known:
        return known.strip()
    password = secrets.token_hex(16)
    os.makedirs(os.path.dirname(paths.NODE_PASSWORD), mode=0o755, exist_ok=True)
    paths.write(paths.NODE_PASSWORD, password + "\n")
    return password


class NodePasswordRejected(Exception):
    """The name belongs to another machine."""

    def __init__(self):
        super().__init__(
            f"Node password rejected, duplicate hostname or contents of '{paths.NODE_PASSWORD}' may not match "
            "server node-passwd entry, try enabling a unique node name with the --with-node-id flag")


def fetch_certificates(client, layout, name, address, authorization):
    """Get the node's certificates for its name and password."""
    headers = {"Authorization": authorization, "k3s-Node-Name": name, "k3s-Node-Password": node_password(),
               "k3s-Node-IP": address}
    for file in ("serving-kubelet", "client-kubelet"):
        try:
            bundle = client.get(f"/v1-k3s/{file}.crt", headers).decode()
        except HTTPError as problem:
            if problem.status == 403:
                raise NodePasswordRejected() from None
            raise
        start = bundle.index("-----BEGIN EC PRIVATE KEY")
        paths.write(os.path.join(layout.agent, file + ".crt"), bundle[:start])
        paths.write(os.path.join(layout.agent, file + ".key"), bundle[start:])


class Kubelet:
    """One node's object in the API."""

    def __init__(self, client, layout, settings, name, address, flannel_backend, is_server):
        self.client, self.layout, self.settings = client, layout, settings
        self.name, self.address = name, address
        self.flannel_backend, self.is_server = flannel_backend, is_server
        self.status_sent, self.status_time = None, 0.0

    # --- the node object ----------------------------------------------------------------------

    def _labels(self):
        labels = {
            "kubernetes.io/hostname": self.name, "kubernetes.io/os": "linux", "beta.kubernetes.io/os": "linux",
            "kubernetes.io/arch": machine.architecture(), "beta.kubernetes.io/arch": machine.architecture(),
            "node.kubernetes.io/instance-type": "k3s", "beta.kubernetes.io/instance-type": "k3s"}
        if self.is_server:
            for role in ("control-plane", "master", "etcd"):
                labels["node-role.kubernetes.io/" + role] = "true"
        for item in self.settings["node-label"]:
            key, _, value = item.partition("=")
            labels[key] = value
        return labels

    def _annotations(self):
        return {"k3s.io/internal-ip": self.address, "k3s.io/hostname": self.name,
                "alpha.kubernetes.io/provided-node-ip": self.address,
                "k3s.io/node-args": json.dumps(["server" if self.is_server else "agent"]),
                "node.alpha.kubernetes.io/ttl": "0",
                "volumes.kubernetes.io/controller-managed-attach-detach": "true"}

    def _taints(self):
        taints = []
        for item in self.settings["node-taint"]:
            pair, _, effect = item.rpartition(":")
            key, _, value = pair.partition("=")
            taints.append({"key": key, "effect": effect, **({"value": value} if value else {})})
        return taints

    def _conditions(self, old):
        ready, message = True, "kubelet is posting ready status"
        if not machine.network_is_ready(self.layout, self.flannel_backend):
            ready = False
            message = ("container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
                       "message:Network plugin returns error: cni plugin not initialized")
        if faults.never_ready():
            ready, message = False, "container runtime is down"
        rows = [("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
                ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
                ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
                ("Ready", "True" if ready else "False", "KubeletReady" if ready else "KubeletNotReady", message)]
        before = {condition["type"]: condition for condition in old}
        stamp = now()
        return [{"type": kind, "status": status, "reason": reason, "message": text, "lastHeartbeatTime": stamp,
                 "lastTransitionTime": before[kind]["lastTransitionTime"]
                 if before.get(kind, {}).get("status") == status else stamp}
                for kind, status, reason, text in rows]

    def _status(self, old):
        return {
            "addresses": [{"type": "InternalIP", "address": self.address}, {"type": "Hostname", "address": self.name}],
            "capacity": machine.capacity(), "allocatable": machine.capacity(),
            "nodeInfo": machine.node_info(),
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "conditions": self._conditions(old)}

    # --- talking to the API -------------------------------------------------------------------

    def register(self):
        """Create the node's object, or bring an old one up to date."""
        path = f"/api/v1/nodes/{self.name}"
        try:
            self.client.json("GET", path)
            self._patch(path, {"metadata": {"labels": self._labels(), "annotations": self._annotations()}})
        except HTTPError as problem:
            if problem.status != 404:
                raise
            log.info(f"Attempting to register node {self.name}")
            self.client.json("POST", "/api/v1/nodes", {
                "apiVersion": "v1", "kind": "Node",
                "metadata": {"name": self.name, "labels": self._labels(), "annotations": self._annotations()},
                "spec": {"taints": self._taints(), "providerID": f"k3s://{self.name}"} if self._taints()
                else {"providerID": f"k3s://{self.name}"}})
        self.post_status()

    def _patch(self, path, patch):
        return self.client.json("PATCH", path, patch, {"Content-Type": "application/strategic-merge-patch+json",
                                                       "User-Agent": "k3s"})

    def post_status(self):
        """Write the node's status; conditions of others (EtcdIsVoter) stay."""
        path = f"/api/v1/nodes/{self.name}"
        old = self.client.json("GET", path).get("status", {}).get("conditions", [])
        status = self._status(old)
        self._patch(path + "/status", {"status": status})
        self.status_sent = [condition["status"] for condition in status["conditions"]]
        self.status_time = time.monotonic()

    def _renew_lease(self):
        base = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                 "metadata": {"name": self.name, "namespace": "kube-node-lease"},
                 "spec": {"holderIdentity": self.name, "leaseDurationSeconds": 40,
                          "renewTime": time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())}}
        try:
            self.client.json("PUT", f"{base}/{self.name}", lease)
        except HTTPError as problem:
            if problem.status != 404:
                raise
            self.client.json("POST", base, lease)

    def beat(self):
        """One heartbeat: the lease, and the status when it changed, is old, or was marked Unknown."""
        self._renew_lease()
        current = [condition["status"] for condition in self._conditions([])]
        if current != self.status_sent or time.monotonic() - self.status_time > 5 * timing.NODE_HEARTBEAT \
                or self._is_doubted():
            self.post_status()

    def _is_doubted(self):
        node = self.client.json("GET", f"/api/v1/nodes/{self.name}")
        return any(condition["type"] == "Ready" and condition["status"] == "Unknown"
                   for condition in node.get("status", {}).get("conditions", []))

    def beat_forever(self, renew=None):
        """Keep the node alive; `renew` is called after each failure to choose another server."""
        while True:
            time.sleep(timing.NODE_HEARTBEAT)
            try:
                self.beat()
            except HTTPError as problem:
                if problem.status == 404:
                    log.error(f'Error updating node status, will retry: nodes "{self.name}" not found')
                elif renew:
                    renew()
            except WireError as problem:
                log.error(f"Error updating node status, will retry: {problem}")
                if renew:
                    renew()
