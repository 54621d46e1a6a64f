"""`k3s server`: from the first log line to READY, and what ends it."""

import errno
import ipaddress
import os
import signal
import socket
import ssl
import threading
import time

from standin import (api, bootstrap, certificates, containers, controllers, frontdoor, httpclient, jobs, jointoken,
                     kinds, kubelet, log, machine, manifests, metrics, paths, raftwire, settings as config,
                     supervisor, timing, upgradeplans, webserver, workloads)
from standin.apierror import ApiError
from standin.datastore import Datastore, State, Unavailable
from standin.objects import Objects
from standin.raft import Raft
from standin.raftdisk import RaftDisk
from standin.version import VERSION


class ServerProcess:
    """One server."""

    def __init__(self, settings):
        self.settings = settings
        self.layout = paths.Layout(settings["data-dir"])
        self.member = None
        self.node_name, self.address = config.node_name(settings), config.node_address(settings)
        self.port = settings["https-listen-port"]

    def run(self):
        """Start, then keep our own node alive."""
        log.info(f"Starting k3s {VERSION} (stand-in)")
        for folder in (self.layout.server, self.layout.agent, self.layout.manifests, self.layout.cred):
            os.makedirs(folder, mode=0o700, exist_ok=True)
        door = self._bind()
        place = bootstrap.find_place(self.settings, self.layout)
        self._write_certificates()
        self._write_tokens(place)
        self._start_member(place)
        door.secure(self._tls(), self._ca().decode())
        door.join_only(supervisor.Supervisor(self.layout, self.settings, self.objects, place.node_password))
        self._wait_for_vote(place)
        self._seed(place)
        door.open(api.Api(self.objects))
        self._write_kubeconfig()
        log.info("Kube API server is now running")
        node = self._own_node(place)
        self._start_controllers(place)
        pods = containers.Runner(node, self.settings)
        log.info("k3s is up and running")
        machine.notify("READY=1\n")
        pods.start()
        node.beat_forever()

    # --- the pieces ---------------------------------------------------------------------------

    def _bind(self):
        try:
            return frontdoor.FrontDoor(self.settings["bind-address"] or "0.0.0.0", self.port)
        except OSError as problem:
            self._port_taken(problem, f":{self.port}")

    def _port_taken(self, problem, where):
        reason = "address already in use" if problem.errno == errno.EADDRINUSE else problem.strerror.lower()
        log.fatal(f"starting kubernetes: preparing server: init cluster datastore and https: "
                  f"listen tcp {where}: bind: {reason}")

    def _ca(self):
        with open(self.layout.tls_file("server-ca.crt"), "rb") as file:
            return file.read()

    def _write_certificates(self):
        """Make sure of what this server shows and uses."""
        service = ipaddress.ip_network(self.settings["service-cidr"][0])[1]
        hosts = ["kubernetes", "kubernetes.default", "kubernetes.default.svc",
                 f"kubernetes.default.svc.{self.settings['cluster-domain']}", "localhost", "127.0.0.1",
                 str(service), self.address, self.node_name, socket.gethostname(),
                 *self.settings["node-external-ip"], *self.settings["tls-san"]]
        if self.settings["advertise-address"]:
            hosts.append(self.settings["advertise-address"])
        certificates.ensure_all(self.layout, hosts, self.address)

    def _write_tokens(self, place):
        full = jointoken.full(self._ca(), "server", place.password)
        paths.write(self.layout.token_file("token"), full + "\n")
        same = place.node_password == place.password
        _link(self.layout.token_file("node-token"), "token", self.layout.server)
        if same:
            _link(self.layout.token_file("agent-token"), "token", self.layout.server)
        else:
            if os.path.islink(self.layout.token_file("agent-token")):
                os.unlink(self.layout.token_file("agent-token"))
            paths.write(self.layout.token_file("agent-token"),
                        jointoken.full(self._ca(), "node", place.node_password) + "\n")
        paths.write(os.path.join(self.layout.cred, "passwd"),
                    f"{place.node_password},node,node,k3s:agent\n{place.password},server,server,k3s:server\n")

    def _tls(self):
        base = self.layout.tls_file("serving-kube-apiserver")
        return webserver.server_context((base + ".crt", base + ".key"), self.layout.tls_file("client-ca.crt"))

    def _start_member(self, place):
        """Start our member of the datastore, its wire and its metrics."""
        wire = raftwire.Wire(self.layout, place.cluster_id)
        state = State()
        self.member = Raft(place.member_id, RaftDisk(self.layout), wire.send, state)
        self.datastore = Datastore(self.member, wire, state)
        self.objects = Objects(self.datastore)
        try:
            wire.listen(self.address, self.member, self.datastore.serve)
            metrics.listen(self.datastore)
        except OSError as problem:
            self._port_taken(problem, f"{self.address}:{timing.PEER_PORT}")
        self.member.start()
        threading.Thread(target=self._watch_removal, daemon=True).start()

    def _watch_removal(self):
        """A removed member leaves a tombstone and ends; systemd's restart then starts it anew."""
        self.member.removed.wait()
        paths.write(self.layout.tombstone, "")
        log.info("this node has been removed from the cluster please restart k3s to rejoin the cluster")
        time.sleep(1.0)
        log.fatal("leaderelection lost for k3s")

    def _wait_for_vote(self, place):
        """Wait until a majority counts us as one of them."""
        said = 0.0
        while True:
            with self.member.lock:
                own = self.member.members.get(place.member_id, {"learner": True})
            reason = "this server has not yet been promoted from learner to voting member"
            if not own["learner"]:
                try:
                    self.datastore.read(timing.READYZ_TIMEOUT)
                    return
                except Unavailable:
                    reason = "context deadline exceeded"
            if time.monotonic() - said > timing.DATASTORE_RETRY:
                log.info(f"Failed to test data store connection: {reason}")
                said = time.monotonic()
            time.sleep(0.2)

    def _seed(self, place):
        """Make sure of the objects that every cluster has, and of our version's place among the others."""
        versions = {key[len(supervisor.VERSIONS):]: entry["value"]["version"]
                    for key, entry in self.datastore.state.list(supervisor.VERSIONS)[1]}
        with self.member.lock:
            living = {facts["name"] for facts in self.member.members.values()} - {place.name}
        bootstrap.check_skip({name: version for name, version in versions.items() if name in living})
        self._insist(lambda: self.datastore.write({
            "put": {supervisor.VERSIONS + place.name: {"version": VERSION}}}))
        for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
            self._insist(lambda name=name: self._ensure(kinds.NAMESPACES, None, {"metadata": {"name": name}}))
        self._insist(lambda: self._ensure(kinds.BUILT_IN["", "services"], "default", {
            "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
            "spec": {"type": "ClusterIP", "ports": [{"name": "https", "port": 443, "targetPort": 6443}],
                     "clusterIP": str(ipaddress.ip_network(self.settings["service-cidr"][0])[1])}}))

    def _ensure(self, kind, namespace, item):
        if self.objects.find(kind, namespace, item["metadata"]["name"]) is None:
            try:
                self.objects.create(kind, namespace, item)
            except ApiError as problem:
                if problem.reason != "AlreadyExists":
                    raise

    def _insist(self, work):
        """Do something that a moment without a leader must not prevent."""
        while True:
            try:
                return work()
            except (ApiError, Unavailable) as problem:
                log.info(f"Failed to prepare the cluster's objects: {problem}")
            time.sleep(1.0)

    def _local_url(self):
        return f"https://{self.settings['bind-address'] or '127.0.0.1'}:{self.port}"

    def _write_kubeconfig(self):
        import base64
        def data(name):
            return base64.b64encode((paths.read(self.layout.tls_file(name)) or "").encode()).decode()
        content = "\n".join([
            "apiVersion: v1", "clusters:", "- cluster:",
            f"    certificate-authority-data: {data('server-ca.crt')}", f"    server: {self._local_url()}",
            "  name: default", "contexts:", "- context:", "    cluster: default", "    user: default",
            "  name: default", "current-context: default", "kind: Config", "preferences: {}", "users:",
            "- name: default", "  user:", f"    client-certificate-data: {data('client-admin.crt')}",
            f"    client-key-data: {data('client-admin.key')}", ""])
        path = self.settings["write-kubeconfig"]
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        paths.write(path, content, int(self.settings["write-kubeconfig-mode"], 8))
        log.info(f"Wrote kubeconfig {path}")

    def _own_node(self, place):
        """Register the node this server runs on."""
        paths.write(os.path.join(self.layout.agent, "server-ca.crt"), self._ca())
        plain = httpclient.Client(self._local_url(), httpclient.context(self._ca()))
        authorization = jointoken.parse(place.node_password if place.node_password else "x")
        while True:
            try:
                kubelet.fetch_certificates(plain, self.layout, self.node_name, self.address,
                                           authorization.authorization("node"))
                pair = tuple(os.path.join(self.layout.agent, "client-kubelet" + end) for end in (".crt", ".key"))
                client = httpclient.Client(self._local_url(), httpclient.context(self._ca(), pair),
                                           headers={"User-Agent": "k3s"})
                node = kubelet.Kubelet(client, self.layout, self.settings, self.node_name, self.address,
                                       self.settings["flannel-backend"], is_server=True)
                node.register()
                return node
            except (httpclient.HTTPError, httpclient.WireError, kubelet.NodePasswordRejected) as problem:
                log.info(f"Waiting to retrieve agent configuration; server is not ready: {problem}")
            time.sleep(timing.AGENT_RETRY)

    def _start_controllers(self, place):
        work = controllers.Controllers(self.objects, self.node_name, place.name, self.address)
        self.objects.services = self.settings["service-cidr"][0]
        self._insist(work.mark_own_node)  # from here on, deleting the node removes the member too
        deployer = manifests.Deployer(self.layout, self.objects, self.node_name, self.settings["disable"])
        for part in (work, deployer, jobs.JobController(self.objects), upgradeplans.PlanController(self.objects),
                     workloads.Workloads(self.objects)):
            threading.Thread(target=part.run, daemon=True).start()

    def end(self):
        """End in order: hand over first if we lead, but never wait long; all else is on disk already."""
        def leave():
            if self.member is not None:
                self.member.hand_over()
            os._exit(0)
        threading.Thread(target=leave, daemon=True).start()
        threading.Timer(timing.PEER_TIMEOUT, os._exit, (0,)).start()


def _link(path, target, folder):
    """Point a name at another file of the same folder."""
    if os.path.islink(path) and os.readlink(path) == os.path.join(folder, target):
        return
    if os.path.lexists(path):
        os.unlink(path)
    os.symlink(os.path.join(folder, target), path)


def run(arguments):
    """Run the server until TERM."""
    settings = config.load_or_exit("server", arguments)
    process = ServerProcess(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: process.end())
    try:
        process.run()
    except (bootstrap.BootstrapError, config.SettingsError, ssl.SSLError) as problem:
        log.fatal(str(problem))
    return 0
