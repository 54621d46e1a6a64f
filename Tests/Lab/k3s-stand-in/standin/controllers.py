"""What runs on the leader: nodes that fall silent, learners to promote, members to remove."""

import time

from standin import kinds, log, raft, timing
from standin.apierror import ApiError
from standin.datastore import Unavailable
from standin.objects import now

FINALIZER = "wrangler.cattle.io/managed-etcd-controller"
TAINT = "node.kubernetes.io/unreachable"


class Controllers:
    """Periodic work of the cluster's leader, and of each server for itself."""

    def __init__(self, objects, node_name, member_name, address):
        self.objects = objects
        self.node_name, self.member_name, self.address = node_name, member_name, address
        self.seen = {}  # node -> (its lease's last renewal, when we saw it change)

    def run(self):
        """Work for ever; a lost majority only means to try again."""
        while True:
            time.sleep(timing.CONTROLLER_PERIOD)
            try:
                self.step()
            except (ApiError, Unavailable):
                continue
            except Exception as problem:  # one odd object must not stop the watch over all others
                log.error(f"error syncing: {type(problem).__name__}: {problem}")

    def step(self):
        """One round."""
        self.mark_own_node()
        if self.objects.datastore.member.role != raft.LEADER:
            self.seen = {}
            return
        self._promote_learner()
        for node in self.objects.list(kinds.NODES)[1]:
            if node["metadata"].get("deletionTimestamp"):
                self._let_go(node)
            else:
                self._judge(node)
                self._show_vote(node)

    # --- etcd members -------------------------------------------------------------------------

    def mark_own_node(self):
        """Name our etcd member on our node, and hold the node until the member is removed."""
        node = self.objects.find(kinds.NODES, None, self.node_name)
        if node is None or node["metadata"].get("deletionTimestamp"):
            return
        wanted = {"etcd.k3s.cattle.io/node-name": self.member_name,
                  "etcd.k3s.cattle.io/node-address": self.address}
        meta = node["metadata"]
        if wanted.items() <= meta.get("annotations", {}).items() and FINALIZER in meta.get("finalizers", []):
            return

        def change(old):
            meta = old["metadata"]
            meta["annotations"] = {**meta.get("annotations", {}), **wanted}
            meta["finalizers"] = list(dict.fromkeys([*meta.get("finalizers", []), FINALIZER]))
            return old
        self.objects.update(kinds.NODES, None, self.node_name, change)

    def _member_of(self, node):
        name = node["metadata"].get("annotations", {}).get("etcd.k3s.cattle.io/node-name")
        with self.objects.datastore.member.lock:
            members = dict(self.objects.datastore.member.members)
        return next(((member, facts) for member, facts in members.items() if facts["name"] == name), (None, None))

    def _promote_learner(self):
        member = self.objects.datastore.member
        with member.lock:
            learners = [(one, facts) for one, facts in member.members.items() if facts["learner"]]
        for learner, facts in learners:
            if member.synced_for(learner) >= timing.PROMOTE_AFTER:
                self._change({"do": "promote", "id": learner}, f"Promoted learner {facts['name']}")
                continue
            with member.lock:
                peer = member.peers.get(learner)
                silent = time.monotonic() - peer.contact if peer else 0.0
            if silent > timing.LEARNER_STALL:
                self._change({"do": "remove", "id": learner},
                             f"Removing learner {facts['name']} from etcd cluster: stalled")

    def _change(self, request, message):
        try:
            self.objects.datastore.change_members(request)
            log.info(message)
            return True
        except raft.Refused as problem:
            log.error(f"Failed to change etcd members: {problem}")
            return False

    def _let_go(self, node):
        """Remove the member of a deleted node, then let the node go."""
        member, facts = self._member_of(node)
        name = node["metadata"]["name"]
        if member is not None:
            log.info(f"Removing name={facts['name']} id={int(member):x} address={facts['address']} from etcd")
            if not self._change({"do": "remove", "id": member}, f"Removed {facts['name']} from etcd"):
                return

        def change(old):
            old["metadata"]["finalizers"] = [one for one in old["metadata"].get("finalizers", []) if one != FINALIZER]
            return old
        self.objects.update(kinds.NODES, None, name, change)

    def _show_vote(self, node):
        """Keep the EtcdIsVoter condition of a server's node true to the membership."""
        member, facts = self._member_of(node)
        if member is None:
            return
        status = "False" if facts["learner"] else "True"
        reason = "MemberIsLearner" if facts["learner"] else "MemberNotLearner"
        text = "Node has not been promoted to voting member of the etcd cluster" if facts["learner"] else \
            "Node is a voting member of the etcd cluster"
        self._set_condition(node, "EtcdIsVoter", status, reason, text)

    # --- nodes --------------------------------------------------------------------------------

    def _judge(self, node):
        """Doubt a node whose lease no longer moves; trust it again when it does.

        Only our own clock counts, from when we saw a change: a node's clock may be wrong.
        """
        name = node["metadata"]["name"]
        lease = self.objects.find(kinds.LEASES, "kube-node-lease", name)
        stamp = lease["spec"]["renewTime"] if lease else None
        if self.seen.get(name, (None, 0))[0] != stamp or name not in self.seen:
            self.seen[name] = (stamp, time.monotonic())
        silent = time.monotonic() - self.seen[name][1] > timing.NODE_GRACE
        if silent:
            self._set_condition(node, "Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
        self._taint(node, silent)

    def _taint(self, node, silent):
        tainted = any(taint["key"] == TAINT for taint in node.get("spec", {}).get("taints", []))
        if tainted == silent:
            return

        def change(old):
            taints = [taint for taint in old.setdefault("spec", {}).get("taints", []) if taint["key"] != TAINT]
            if silent:
                taints += [{"key": TAINT, "effect": effect, "timeAdded": now()}
                           for effect in ("NoSchedule", "NoExecute")]
            old["spec"]["taints"] = taints
            if not taints:
                del old["spec"]["taints"]
            return old
        self.objects.update(kinds.NODES, None, node["metadata"]["name"], change)

    def _set_condition(self, node, kind, status, reason, message):
        conditions = node.get("status", {}).get("conditions", [])
        if any(one["type"] == kind and one["status"] == status for one in conditions):
            return

        def change(old):
            stamp = now()
            rest = [one for one in old.get("status", {}).get("conditions", []) if one["type"] != kind]
            old.setdefault("status", {})["conditions"] = rest + [{
                "type": kind, "status": status, "reason": reason, "message": message,
                "lastHeartbeatTime": stamp, "lastTransitionTime": stamp}]
            return old
        self.objects.update(kinds.NODES, None, node["metadata"]["name"], change, "status")
