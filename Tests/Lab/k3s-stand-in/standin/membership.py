"""etcd's rules for changing who is a member, and its words when it refuses."""

import secrets

from standin.raft import Refused


def new_id():
    """A member id in etcd's width."""
    return str(secrets.randbits(63) | 1)


def change(members, request, healthy):
    """Return the new membership, or raise Refused; `healthy` are the voters heard of lately."""
    if request["do"] == "add":
        return _add(members, request, healthy)
    if request["id"] not in members:
        raise Refused("etcdserver: member not found")
    if request["do"] == "promote":
        return _promote(members, request["id"])
    return _remove(members, request["id"], healthy)


def _add(members, request, healthy):
    voters = [member for member, facts in members.items() if not facts["learner"]]
    if any(facts["peer"] == request["facts"]["peer"] for facts in members.values()):
        raise Refused("etcdserver: Peer URLs already exists")
    if any(facts["learner"] for facts in members.values()):
        raise Refused("etcdserver: too many learner members in cluster")
    if set(voters) - set(healthy):
        raise Refused("etcdserver: unhealthy cluster")
    members[request["id"]] = {**request["facts"], "learner": True}
    return members


def _promote(members, member):
    if not members[member]["learner"]:
        raise Refused("etcdserver: can only promote a learner member")
    members[member] = {**members[member], "learner": False}
    return members


def _remove(members, member, healthy):
    rest = [other for other, facts in members.items() if not facts["learner"] and other != member]
    alive = [other for other in rest if other in healthy]
    if not members[member]["learner"] and len(alive) <= len(rest) // 2:
        raise Refused("etcdserver: re-configuration failed due to not enough started members")
    del members[member]
    return members
