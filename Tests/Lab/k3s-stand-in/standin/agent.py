"""`k3s agent`: join through any server that answers, and stay a node."""

import json
import os
import signal
import threading
import time
import urllib.parse

from standin import containers, httpclient, join, kubelet, log, machine, paths, settings as config, timing
from standin.version import VERSION, minor


class Balancer:
    """The servers we may talk to, best first, remembered on disk.

    k3s runs a local proxy on 127.0.0.1:6444 for this; here the client itself moves on, but log
    lines name the proxy's address as k3s's do.
    """

    SHOWN = f"https://127.0.0.1:{timing.BALANCER_PORT}"

    def __init__(self, layout, url):
        self.path = os.path.join(layout.agent, "etc", "k3s-agent-load-balancer.json")
        parts = urllib.parse.urlsplit(url)
        self.first = f"{parts.hostname}:{parts.port or 443}"
        known = paths.read_json(self.path) or {}
        self.servers = [self.first, *(one for one in known.get("ServerAddresses", []) if one != self.first)]
        self.place = 0

    def url(self):
        """The server in use."""
        return "https://" + self.servers[self.place % len(self.servers)]

    def move_on(self):
        """Use the next server."""
        self.place = (self.place + 1) % len(self.servers)

    def learn(self, servers):
        """Remember the servers the cluster names."""
        current = self.servers[self.place]
        self.servers = [self.first, *(one for one in servers if one != self.first)]
        self.place = self.servers.index(current) if current in self.servers else 0
        paths.write(self.path, json.dumps({"ServerURL": "https://" + self.first, "ServerAddresses": servers}))


class Agent:
    """One agent process."""

    def __init__(self, settings):
        self.settings = settings
        self.layout = paths.Layout(settings["data-dir"])
        self.token = config.token(settings)
        if not self.token:
            raise config.SettingsError("--token is required")
        if not settings["server"]:
            raise config.SettingsError("--server is required")
        self.name, self.address = config.node_name(settings), config.node_address(settings)
        os.makedirs(self.layout.agent, mode=0o700, exist_ok=True)
        self.balancer = Balancer(self.layout, settings["server"])

    def run(self):
        """Join, then beat for ever."""
        log.info(f"Starting k3s agent {VERSION} (stand-in)")
        cluster = self._trust()
        # From here on the disk says whose agent this is, as k3s's does.
        paths.write(os.path.join(self.layout.agent, "server-ca.crt"), cluster.ca_pem)
        facts = self._configuration(cluster)
        self._check_skew(facts["version"])
        log.info(f"Running load balancer k3s-agent-load-balancer 127.0.0.1:{timing.BALANCER_PORT} -> "
                 f"[{' '.join(self.balancer.servers)}]")
        node = kubelet.Kubelet(self._api(cluster), self.layout, self.settings, self.name, self.address,
                               facts["critical"]["flannel-backend"], is_server=False)
        self._register(node, cluster)
        pods = containers.Runner(node, self.settings)
        log.info("k3s agent is up and running")
        machine.notify("READY=1\n")
        threading.Thread(target=self._follow_servers, args=(cluster,), daemon=True).start()
        pods.start()
        node.beat_forever(lambda: self._move(node, cluster))

    def _trust(self):
        while True:
            try:
                cluster = join.trust(self.balancer.url(), self.token, Balancer.SHOWN)
                if cluster.warning:
                    log.warning(cluster.warning)
                return cluster
            except join.JoinError as problem:
                log.error(f"Failed to validate connection to cluster at {self.settings['server']}: {problem}"
                          if "CA hash" not in str(problem) else str(problem))
                self.balancer.move_on()
            time.sleep(timing.AGENT_RETRY)

    def _configuration(self, cluster):
        """Ask for the cluster's settings and our certificates until both are ours."""
        authorization = cluster.token.authorization("node")
        while True:
            try:
                facts = cluster.client.json("GET", "/v1-k3s/config", headers={"Authorization": authorization})
            except (httpclient.HTTPError, httpclient.WireError) as problem:
                self._wait_for_server(f"failed to retrieve configuration from server: {problem}")
                continue
            try:
                kubelet.fetch_certificates(cluster.client, self.layout, self.name, self.address, authorization)
                return facts
            except (httpclient.HTTPError, httpclient.WireError, kubelet.NodePasswordRejected) as problem:
                self._wait_for_server(str(problem))

    def _wait_for_server(self, reason):
        log.info(f"Waiting to retrieve agent configuration; server is not ready: {reason}")
        time.sleep(timing.CONFIG_RETRY)

    def _check_skew(self, server_version):
        if minor(VERSION) > minor(server_version):
            log.fatal(f"kubelet version {VERSION} is newer than the API server's {server_version}: "
                      "this version skew is not supported")

    def _api(self, cluster):
        pair = tuple(os.path.join(self.layout.agent, "client-kubelet" + ending) for ending in (".crt", ".key"))
        tls = httpclient.context(cluster.ca_pem, pair)
        return httpclient.Client(self.balancer.url(), tls, headers={"User-Agent": "k3s"}, shown=Balancer.SHOWN)

    def _move(self, node, cluster):
        self.balancer.move_on()
        node.client = self._api(cluster)

    def _register(self, node, cluster):
        while True:
            try:
                node.register()
                return
            except (httpclient.HTTPError, httpclient.WireError) as problem:
                log.error(f"Unable to register node {self.name} with API server: {problem}")
                self._move(node, cluster)
            time.sleep(timing.AGENT_RETRY)

    def _follow_servers(self, cluster):
        """Keep the list of servers fresh, for the day ours dies."""
        while True:
            try:
                self.balancer.learn(self._api(cluster).json("GET", "/v1-k3s/apiservers"))
            except (httpclient.HTTPError, httpclient.WireError):
                pass  # the next round asks whichever server the heartbeat has moved to
            time.sleep(timing.CONFIG_RETRY)


def run(arguments):
    """Run the agent until TERM."""
    settings = config.load_or_exit("agent", arguments)
    try:
        agent = Agent(settings)
    except config.SettingsError as problem:
        log.fatal(str(problem))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))  # nothing is kept that is not on disk already
    agent.run()
    return 0
