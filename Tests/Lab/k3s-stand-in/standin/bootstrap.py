"""How a server gets its place in a cluster: begin one, join one, or come back to its own."""

import json
import os
import secrets
import time

from standin import (httpclient, join, jointoken, log, membership, paths, pki, settings as config, snapshot,
                     timing, vault)
from standin.datastore import State
from standin.raftdisk import RaftDisk
from standin.supervisor import TOKENS, VERSIONS, critical_values, token_hash
from standin.version import VERSION, minor


class Place:
    """Who we are in the cluster: kept in db/etcd beside the data."""

    def __init__(self, member_id, cluster_id, name, password, node_password):
        self.member_id, self.cluster_id, self.name = member_id, cluster_id, name
        self.password, self.node_password = password, node_password


class BootstrapError(Exception):
    """Why the server cannot start, in k3s's words."""


def find_place(settings, layout):
    """Decide from the disk first and the settings second, as k3s does."""
    if settings["datastore-endpoint"]:
        raise BootstrapError("the stand-in has embedded etcd only: datastore-endpoint is not supported")
    set_tombstone_aside(layout)
    if settings["cluster-reset"]:
        reset_cluster(settings, layout)
    if os.path.exists(layout.reset_flag):
        os.unlink(layout.reset_flag)
    if os.path.isdir(layout.wal):
        log.info("Managed etcd cluster bootstrap already complete and initialized")
        return come_back(settings, layout)
    if settings["server"]:
        return join_cluster(settings, layout)
    if settings["cluster-init"]:
        return begin_cluster(settings, layout)
    raise BootstrapError("the stand-in has embedded etcd only: start the first server with --cluster-init")


def set_tombstone_aside(layout):
    """A removed member's data is put away, so that the server may join anew."""
    if os.path.exists(layout.tombstone):
        log.info("tombstone file has been detected, removing data dir to rejoin the cluster")
        os.rename(layout.etcd, f"{layout.etcd}-old-{int(time.time())}")


def given_passwords(settings, default):
    """(server password, agent password) from the settings."""
    token = config.token(settings)
    parsed = parse(token) if token else None
    password = parsed.password if parsed else default
    agent = config.token(settings, "agent-token")
    return password, (jointoken.parse(agent).password if agent else password), parsed


def parse(token):
    """Read the server's token; the kubeadm form is for agents only."""
    try:
        parsed = jointoken.parse(token)
    except jointoken.TokenError as problem:
        raise BootstrapError(str(problem)) from None
    if parsed.bootstrap:
        raise BootstrapError("failed to normalize server token; must be in format "
                             "K10<CA-HASH>::<USERNAME>:<PASSWORD> or <PASSWORD>")
    return parsed


# --- a new cluster ----------------------------------------------------------------------------

def begin_cluster(settings, layout):
    """Make the CA, the token and a datastore with one member."""
    log.info("Managed etcd cluster initializing")
    password, node_password, parsed = given_passwords(settings, jointoken.random_password())
    if not os.path.exists(layout.tls_file("server-ca.key")):
        pki.create_authorities(layout)
    check_own_ca(layout, parsed)
    member_id, name = membership.new_id(), new_name(settings, layout)
    place = Place(member_id, secrets.token_hex(8), name, password, node_password)
    tokens = {"server": token_hash(password), "node": token_hash(node_password)}
    keys = {TOKENS: tokens, vault.KEY: vault.lock(layout, password)}
    start_alone(settings, layout, place, {
        "revision": 1, "keys": {key: {"mod": 1, "created": 1, "value": value} for key, value in keys.items()}})
    return place


def start_alone(settings, layout, place, state):
    """Lay out a datastore whose only member is this server."""
    save_place(layout, place)
    facts = {**own_facts(settings, place.name), "learner": False}
    RaftDisk.create(layout, {place.member_id: facts}, state)


def check_own_ca(layout, parsed):
    """A full token on a first server only makes sense for a CA that is there already."""
    with open(layout.tls_file("server-ca.crt"), "rb") as file:
        found = jointoken.ca_hash(file.read())
    if parsed and parsed.ca_hash and parsed.ca_hash != found:
        raise BootstrapError("token CA hash does not match the Cluster CA certificate hash: "
                             f"{parsed.ca_hash} != {found}")


def new_name(settings, layout):
    """The member's name: the node's, and a tail that no other life of it has."""
    path = os.path.join(layout.etcd, "name")
    known = paths.read(path)
    if not known:
        known = f"{config.node_name(settings)}-{secrets.token_hex(4)}"
        paths.write(path, known)
    return known


def own_facts(settings, name):
    """Our entry in the member list."""
    address = config.node_address(settings)
    return {"name": name, "node": config.node_name(settings), "address": address,
            "peer": f"https://{address}:{timing.PEER_PORT}", "client": f"https://{address}:{timing.CLIENT_PORT}"}


def save_place(layout, place):
    """Keep who we are; written before the log exists, which is what marks a member as initialized."""
    paths.write(os.path.join(layout.etcd, "member.json"),
                json.dumps({"id": place.member_id, "cluster": place.cluster_id, "name": place.name}))


# --- an existing one, from our own disk -------------------------------------------------------

def come_back(settings, layout):
    """Take up the place our disk holds; `server` and `cluster-init` no longer matter."""
    known = paths.read_json(os.path.join(layout.etcd, "member.json"))
    keys = state_on_disk(layout)["keys"]
    own = jointoken.parse((paths.read(layout.token_file("token")) or "x").strip())
    password, node_password, _ = given_passwords(settings, own.password)
    tokens = keys.get(TOKENS)
    if tokens and tokens["value"]["server"] != token_hash(password):
        raise BootstrapError(f"Failed to reconcile with temporary etcd: {vault.WRONG_TOKEN}")
    check_skew({key[len(VERSIONS):]: entry["value"]["version"] for key, entry in keys.items()
                if key.startswith(VERSIONS) and key[len(VERSIONS):] == known["name"]})
    return Place(known["id"], known["cluster"], known["name"], password, node_password)


def state_on_disk(layout):
    """What our log says, committed or not: good enough to check settings against."""
    state, disk = State(), RaftDisk(layout)
    state.load(disk.snapshot_state)
    for entry in disk.entries(disk.snapshot_index + 1, disk.last_index + 1):
        if entry["k"] == "txn":
            state.apply(entry["d"])
    disk.close()
    return state.dump()


def check_skew(versions):
    """Servers go one minor at a time and never back; `versions` are those to be compared with ours."""
    for other in versions.values():
        if minor(VERSION) < minor(other):
            raise BootstrapError(f"cluster cannot be downgraded (current version: {VERSION} is lower than "
                                 f"determined cluster version: {other})")
    check_skip(versions)


def check_skip(versions):
    """No server may be two minors ahead of another."""
    major, middle = minor(VERSION)
    for other in versions.values():
        if (major, middle - 1) > minor(other):
            raise BootstrapError(f"{VERSION} skips a minor version after {other}: upgrade one minor version at a time")


# --- somebody else's --------------------------------------------------------------------------

def join_cluster(settings, layout):
    """Fetch the cluster's identity and become a learner."""
    token = config.token(settings)
    if not token:
        raise BootstrapError("starting kubernetes: preparing server: token is required to join a cluster")
    try:
        cluster = join.trust(settings["server"], token)
    except join.JoinError as problem:
        raise BootstrapError(f"starting kubernetes: preparing server: failed to validate token: {problem}") from None
    if cluster.warning:
        log.warning(cluster.warning)
    log.info("Managed etcd cluster not yet initialized")
    password, node_password, _ = given_passwords(settings, "")
    headers = {"Authorization": cluster.token.authorization("server")}
    compare_settings(cluster, headers, settings, node_password)
    fetch_identity(cluster, headers, layout)
    name = new_name(settings, layout)
    member_id, cluster_id = become_learner(cluster, headers, settings, layout, name)
    place = Place(member_id, cluster_id, name, password, node_password)
    save_place(layout, place)
    RaftDisk.create(layout, {}, {"revision": 0, "keys": {}})
    return place


def compare_settings(cluster, headers, settings, node_password):
    """Refuse to join with critical settings that differ."""
    try:
        facts = cluster.client.json("GET", "/v1-k3s/config", headers=headers)
    except (httpclient.HTTPError, httpclient.WireError) as problem:
        log.warning(f"Skipping cluster configuration validation: {problem}")
        return
    ours = critical_values(settings, node_password)
    different = [key for key in sorted(ours) if ours[key] != facts["critical"].get(key)]
    for key in different:
        log.warning(f"critical configuration mismatched: {key}")
    if different:
        raise BootstrapError("starting kubernetes: preparing server: failed to validate server configuration: "
                             "critical configuration value mismatch between servers")


def fetch_identity(cluster, headers, layout):
    """Take over the cluster's CAs; what another cluster left on this disk is in the way."""
    try:
        files = cluster.client.json("GET", "/v1-k3s/server-bootstrap", headers=headers)
    except (httpclient.HTTPError, httpclient.WireError) as problem:
        raise BootstrapError(f"starting kubernetes: preparing server: {problem}") from None
    newer = [layout.tls_file(name) for name, content in sorted(files.items())
             if paths.read(layout.tls_file(name)) not in (None, content)]
    if newer:
        raise BootstrapError(", ".join(newer) + " newer than datastore and could cause a cluster outage. Remove the "
                             "file(s) from disk and restart to be recreated from datastore.")
    for name, content in files.items():
        paths.write(layout.tls_file(name), content, 0o644 if name.endswith(".crt") else 0o600)


def become_learner(cluster, headers, settings, layout, name):
    """Ask to be added until the cluster agrees; return (member id, cluster id)."""
    facts = own_facts(settings, name)
    while True:
        try:
            known = cluster.client.json("GET", "/db/info", headers=headers)
            members = known["members"]
            living = {other["name"] for other in members.values()}
            check_skew({one: version for one, version in known["versions"].items() if one in living})
            check_duplicate(members, facts, layout)
            mine = [one for one, other in members.items() if other["name"] == name]
            if mine:
                return mine[0], known["cluster"]
            shown = " ".join(f"{other['name']}={other['peer']}" for other in members.values())
            log.info(f"Adding member {name}={facts['peer']} to etcd cluster [{shown}]")
            added = cluster.client.json("POST", "/v1-k3s/stand-in/members", {"do": "add", "facts": facts}, headers)
            return added["id"], known["cluster"]
        except httpclient.HTTPError as problem:
            reason = refusal(problem)
            if "Peer URLs already exists" in reason:
                raise BootstrapError(f"etcd cluster join failed: {reason}") from None
            log.info(f"Waiting for other members to finish joining etcd cluster: {reason}")
        except httpclient.WireError as problem:
            log.info(f"Waiting to retrieve etcd cluster member list: {problem}")
        time.sleep(timing.JOIN_RETRY)


def refusal(problem):
    """The reason inside an answer."""
    try:
        return json.loads(problem.body)["message"]
    except (ValueError, KeyError):
        return str(problem)


def check_duplicate(members, facts, layout):
    """One member per node name, even if the other is dead."""
    for other in members.values():
        if other["name"] != facts["name"] and other["node"] == facts["node"]:
            os.remove(os.path.join(layout.etcd, "name"))
            raise BootstrapError("etcd cluster join failed: duplicate node name found, please use a unique name "
                                 "for this node")


# --- --cluster-reset --------------------------------------------------------------------------

def reset_cluster(settings, layout):
    """Become the only member, of our own data or of a snapshot; ends the process as k3s does."""
    if os.path.exists(layout.reset_flag):
        raise BootstrapError("Managed etcd cluster membership was previously reset, please remove the cluster-reset "
                             "flag and start k3s normally. If you need to perform another cluster reset, you must "
                             f"first manually delete the file at {layout.reset_flag}")
    path = settings["cluster-reset-restore-path"]
    own = (paths.read(layout.token_file("token")) or "").strip()
    password, node_password, _ = given_passwords(settings, jointoken.parse(own).password if own else "")
    state = read_snapshot(path) if path else state_on_disk(layout)
    restore_identity(layout, state, password, overwrite=bool(path))
    if os.path.isdir(layout.etcd):
        os.rename(layout.etcd, f"{layout.etcd}-old-{int(time.time())}")
    name = new_name(settings, layout)
    place = Place(membership.new_id(), secrets.token_hex(8), name, password, node_password)
    start_alone(settings, layout, place, state)
    paths.write(layout.reset_flag, "")
    log.info("Managed etcd cluster membership has been reset, restart without --cluster-reset flag now. Backup and "
             "delete ${datadir}/server/db on each peer etcd server and rejoin the nodes")
    raise SystemExit(0)


def read_snapshot(path):
    """The state in a snapshot file."""
    if not os.path.exists(path):
        raise BootstrapError(f"starting kubernetes: preparing server: start managed database: etcd: snapshot path "
                             f"does not exist: {path}")
    try:
        return snapshot.read(path)
    except (ValueError, OSError) as problem:
        raise BootstrapError(f"starting kubernetes: preparing server: start managed database: {problem}") from None


def restore_identity(layout, state, password, overwrite):
    """Bring back the CAs from the data; only the right token opens them."""
    try:
        files = vault.unlock(state["keys"][vault.KEY]["value"], password)
    except vault.WrongToken as problem:
        raise BootstrapError(f"starting kubernetes: preparing server: {problem}") from None
    if overwrite:
        for name, content in files.items():
            paths.write(layout.tls_file(name), content, 0o644 if name.endswith(".crt") else 0o600)
