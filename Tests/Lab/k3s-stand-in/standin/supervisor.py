"""What k3s serves beside Kubernetes: /cacerts, /ping, and the join endpoints under /v1-k3s."""

import base64
import hashlib
import hmac
import json
import time

from standin import jointoken, kinds, log, membership, paths, pki, snapshot, vault
from standin.apierror import ApiError

# The names under which a mismatch is reported, as k3s's own flags are called.
CRITICAL = (
    "cluster-cidr", "cluster-dns", "cluster-domain", "disable-cloud-controller", "disable-helm-controller",
    "disable-network-policy", "disable-kube-proxy", "egress-selector-mode", "embedded-registry",
    "flannel-backend", "flannel-external-ip", "flannel-ipv6-masq", "secrets-encryption", "service-cidr",
)


NEEDED = {
    "/v1-k3s/server-bootstrap": ("server",), "/db/info": ("server",), "/v1-k3s/stand-in/members": ("server",),
    "/v1-k3s/stand-in/snapshot": ("admin",), "/v1-k3s/stand-in/token": ("admin",),
}
TOKENS = "/k3s/tokens"        # {"server": hash, "node": hash} of the join passwords
VERSIONS = "/k3s/versions/"   # member name -> version, to judge skew


def token_hash(password):
    """How a join password is kept in the datastore."""
    return hashlib.sha256(password.encode()).hexdigest()


def critical_values(settings, node_token):
    """The settings that must be equal on all servers."""
    values = {key: settings[key] for key in CRITICAL}
    values["agent-token"] = token_hash(node_token)
    values["disable=servicelb"] = "servicelb" in settings["disable"]
    return values


def password_hash(name, password):
    """How a node's password is kept: salted by its name."""
    return hashlib.sha256(f"{name}:{password}".encode()).hexdigest()


class Supervisor:
    """The join endpoints of one server."""

    def __init__(self, layout, settings, objects, node_token):
        self.layout, self.settings, self.objects = layout, settings, objects
        self.node_token = node_token

    def user(self, request):
        """Who asks: 'server', 'node', or None."""
        kind, _, word = request.headers.get("Authorization", "").partition(" ")
        if kind == "Bearer":
            return "node" if self._bootstrap_token_is_good(word) else None
        if kind != "Basic":
            return None
        try:
            user, _, password = base64.b64decode(word).decode().partition(":")
        except ValueError:
            return None
        entry = self.objects.datastore.state.get(TOKENS)
        known = entry["value"].get(user) if entry else None
        return user if known and hmac.compare_digest(known, token_hash(password)) else None

    def _bootstrap_token_is_good(self, word):
        match = jointoken.BOOTSTRAP.match(word)
        if not match:
            return False
        secret = self.objects.find(kinds.SECRETS, "kube-system", f"bootstrap-token-{match.group(1)}")
        if secret is None:
            return False
        data = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
        expires = data.get("expiration")
        over = expires and time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) > expires
        return not over and hmac.compare_digest(data.get("token-secret", ""), match.group(2))

    def serve(self, request):
        """Answer a path under /v1-k3s or /db, or return False."""
        user = self._caller(request)
        if user not in NEEDED.get(request.route, ("server", "node", "admin")):
            if request.headers.get("Authorization"):
                log.error(f"Failed to authenticate request from {request.client_address[0]}: "
                          "invalid username/password combination")
            raise ApiError(401, "not authorized")
        answers = {
            "/v1-k3s/config": self._config, "/v1-k3s/server-bootstrap": self._bootstrap,
            "/v1-k3s/serving-kubelet.crt": self._serving_certificate,
            "/v1-k3s/client-kubelet.crt": self._client_certificate,
            "/v1-k3s/client-ca.crt": lambda _: (self._file("client-ca.crt"), "text/plain"),
            "/v1-k3s/server-ca.crt": lambda _: (self._file("server-ca.crt"), "text/plain"),
            "/v1-k3s/apiservers": self._servers, "/db/info": self._members,
            "/v1-k3s/stand-in/members": self._change_members, "/v1-k3s/stand-in/snapshot": self._snapshot,
            "/v1-k3s/stand-in/token": self._rotate,
        }
        if request.route not in answers:
            raise ApiError(404, "not found")
        content, kind = answers[request.route](request)
        request.answer(200, content, kind)

    def _caller(self, request):
        """A certificate of ours is as good as a token."""
        if request.user == "system:admin":
            return "admin"
        return "node" if request.kubelet else self.user(request)

    def _file(self, name):
        return paths.read(self.layout.tls_file(name))

    def _config(self, _):
        from standin.version import VERSION
        return {"critical": critical_values(self.settings, self.node_token), "version": VERSION}, "application/json"

    def _bootstrap(self, request):
        log.info(f"Serving HTTP bootstrap from datastore for {request.client_address[0]}")
        return {name: self._file(name) for name in pki.bootstrap_files()}, "application/json"

    def _named_node(self, request):
        """Check the node's password: the first to come with a name owns it."""
        name = request.headers.get("k3s-Node-Name", "")
        password = request.headers.get("k3s-Node-Password", "")
        if not name or not password:
            raise ApiError(400, "node name and password are required")
        secret_name = f"{name}.node-password.k3s"
        hashed = password_hash(name, password)
        known = self.objects.find(kinds.SECRETS, "kube-system", secret_name)
        if known is None:
            try:
                self.objects.create(kinds.SECRETS, "kube-system", {
                    "metadata": {"name": secret_name}, "stringData": {"hash": hashed}, "immutable": True})
                return name
            except ApiError as problem:
                if problem.reason != "AlreadyExists":
                    raise
            known = self.objects.get(kinds.SECRETS, "kube-system", secret_name)
        if base64.b64decode(known["data"]["hash"]).decode() != hashed:
            log.error(f"unable to verify hash for node '{name}': hash does not match")
            raise ApiError(403, f"unable to verify password for node {name}: hash does not match")
        return name

    def _serving_certificate(self, request):
        name = self._named_node(request)
        hosts = [name, "localhost", "127.0.0.1", *filter(None, request.headers.get("k3s-Node-IP", "").split(","))]
        pair = pki.Authority(self.layout, "server-ca").issue(name, hosts=hosts, server=True)
        return b"".join(pair), "text/plain"

    def _client_certificate(self, request):
        name = self._named_node(request)
        pair = pki.Authority(self.layout, "client-ca").issue(
            f"system:node:{name}", groups=["system:nodes"], client=True)
        return b"".join(pair), "text/plain"

    def _servers(self, _):
        members = self.objects.datastore.members()
        port = self.settings["https-listen-port"]
        return [f'{facts["address"]}:{port}' for _, facts in sorted(members.items())
                if not facts["learner"]], "application/json"

    def _members(self, _):
        store = self.objects.datastore
        members = store.members()
        versions = {key[len(VERSIONS):]: entry["value"]["version"] for key, entry in store.state.list(VERSIONS)[1]}
        return {"members": members, "cluster": store.wire.cluster_id, "versions": versions}, "application/json"

    def _change_members(self, request):
        wanted = json.loads(request.content)
        if wanted["do"] == "add":
            wanted["id"] = membership.new_id()
        return {"id": wanted["id"], "members": self.objects.datastore.change_members(wanted)}, "application/json"

    def _snapshot(self, request):
        wanted = json.loads(request.content)
        if "forget" in wanted:
            snapshot.forget(self.objects, wanted["forget"])
            return {}, "application/json"
        store = self.objects.datastore
        return snapshot.save(self.settings, self.layout, store, self.objects, wanted), "application/json"

    def _rotate(self, request):
        """Take a new server token: agents without a token of their own follow it."""
        wanted = json.loads(request.content)
        store = self.objects.datastore
        entry = store.read().get(TOKENS)
        if entry["value"]["server"] != token_hash(wanted["old"]):
            raise ApiError(403, "the original token does not match")
        same = entry["value"]["node"] == entry["value"]["server"]
        fresh = {"server": token_hash(wanted["new"]),
                 "node": token_hash(wanted["new"]) if same else entry["value"]["node"]}
        done = store.write({"if": {TOKENS: entry["mod"]}, "put": {
            TOKENS: fresh, vault.KEY: vault.lock(self.layout, wanted["new"])}})
        if not done["done"]:
            raise ApiError(409, "the token was changed by somebody else")
        with open(self.layout.tls_file("server-ca.crt"), "rb") as file:
            paths.write(self.layout.token_file("token"), jointoken.full(file.read(), "server", wanted["new"]) + "\n")
        return {}, "application/json"
