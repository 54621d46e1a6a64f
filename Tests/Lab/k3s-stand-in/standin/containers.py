"""The kubelet's running of Job pods: images, containers in order, and what the pod's status says of them.

A container is a thread here. It ends with its kubelet: what ran when k3s ended has failed when k3s is back.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import threading
import time

from standin import access, images, kinds, log, paths, timing, upgrader
from standin.httpclient import HTTPError, WireError
from standin.kubeclient import path_of
from standin.objects import now

MERGE = {"Content-Type": "application/merge-patch+json", "User-Agent": "k3s"}
FINISHED = ("Succeeded", "Failed")


class Runner:
    """All Job pods of one node."""

    def __init__(self, node, settings):
        self.node = node
        self.store = images.Store(node.layout, images.Registries(settings))
        self.pods = {}

    def start(self):
        """Look for pods until the end of the process."""
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                self._look()
            except (HTTPError, WireError):
                pass  # the heartbeat complains of it already
            except Exception as problem:  # one odd pod must not stop all others
                log.error(f"Error syncing pods: {type(problem).__name__}: {problem}")
            time.sleep(timing.POD_PERIOD)

    def _look(self):
        path = path_of(kinds.PODS, None, labelSelector="job-name", fieldSelector=f"spec.nodeName={self.node.name}")
        found = {item["metadata"]["uid"]: item for item in self.node.client.json("GET", path)["items"]}
        for uid in [uid for uid in self.pods if uid not in found or _is_leaving(found[uid])]:
            self.pods.pop(uid).killed.set()
        for uid, item in found.items():
            if uid in self.pods or _is_leaving(item) or (item.get("status") or {}).get("phase") in FINISHED:
                continue
            self.pods[uid] = PodRun(self, item)
            threading.Thread(target=self.pods[uid].run, daemon=True).start()


def _is_leaving(pod):
    return bool(pod["metadata"].get("deletionTimestamp"))


class PodRun:
    """One pod."""

    def __init__(self, runner, pod):
        self.runner, self.pod = runner, pod
        self.killed = threading.Event()
        spec = pod["spec"]
        self.containers = [(True, one) for one in spec.get("initContainers") or []] + \
            [(False, one) for one in spec["containers"]]
        self.states = {one["name"]: {"waiting": {"reason": "PodInitializing"}} for _, one in self.containers}
        self.started = (pod.get("status") or {}).get("startTime") or now()

    def run(self):
        """Run the containers one after the other; the first failure ends the pod."""
        try:
            if self._was_cut():
                self._report("Failed")
                return
            for first, container in self.containers:
                self._pull(container)
                if self.killed.is_set() or not self._run_one(first, container):
                    break
            else:
                self._report("Succeeded")
                return
            if not self.killed.is_set():
                self._report("Failed")
        except Gone:
            pass  # the pod was deleted: nobody wants to know

    def _was_cut(self):
        """Take over what an earlier kubelet left: what was running then runs no more."""
        status = self.pod.get("status") or {}
        old = {one["name"]: one["state"] for field in ("initContainerStatuses", "containerStatuses")
               for one in status.get(field) or []}
        cut = {name: state for name, state in old.items() if "running" in state}
        if not cut:
            return False
        self.states.update(old)
        for name, state in cut.items():
            self.states[name] = {"terminated": {
                "exitCode": 255, "reason": "Unknown", "startedAt": state["running"]["startedAt"], "finishedAt": now()}}
        return True

    # --- one container ------------------------------------------------------------------------

    def _pull(self, container):
        """Pull until it works; a pod waits for its image as long as it lives."""
        image, pause = images.Image(container["image"]), timing.PULL_BACKOFF
        while not self.killed.is_set():
            try:
                self.runner.store.pull(image, container.get("imagePullPolicy"))
                return
            except images.PullError as problem:
                reason = "ErrImageNeverPull" if container.get("imagePullPolicy") == "Never" else "ErrImagePull"
                self._wait(container, reason, str(problem))
            if self.killed.wait(pause / 2):
                return
            self._wait(container, "ImagePullBackOff", f'Back-off pulling image "{container["image"]}"')
            self.killed.wait(pause / 2)
            pause = min(2 * pause, timing.PULL_BACKOFF_MAX)

    def _wait(self, container, reason, message):
        self.states[container["name"]] = {"waiting": {"reason": reason, "message": message}}
        self._report("Pending")

    def _run_one(self, first, container):
        """Run one container to its end; whether it ended well."""
        begun = now()
        self.states[container["name"]] = {"running": {"startedAt": begun}}
        self._report("Pending" if first else "Running")
        try:
            self._work(container)
            code, message = 0, ""
        except upgrader.Failed as problem:
            code, message = 1, str(problem)
            log.info(f"container {container['name']} of pod {self.pod['metadata']['name']} failed: {message}")
        self.states[container["name"]] = {"terminated": {
            "exitCode": code, "reason": "Error" if code else "Completed", "startedAt": begun, "finishedAt": now(),
            **({"message": message} if message else {})}}
        return code == 0

    def _work(self, container):
        image = images.Image(container["image"])
        words = [*(container.get("command") or []), *(container.get("args") or [])]
        if image.program == "k3s-upgrade" and not container.get("command"):
            self._upgrade(image, words or ["upgrade"], container)
        elif image.program.startswith("kubectl") and not container.get("command"):
            self._kubectl(words)
        elif "fail" in image.text:
            raise upgrader.Failed("this image fails")

    def _upgrade(self, image, words, container):
        if words[0] == "upgrade":
            upgrader.upgrade(self.runner.store.binary(image), self.killed)
        elif words[0] == "prepare":
            values = {one["name"]: one.get("value", "") for one in container.get("env") or []}
            upgrader.prepare(words[1] if len(words) > 1 else "", self.pod["metadata"]["namespace"],
                             values.get("SYSTEM_UPGRADE_PLAN_LATEST_VERSION", ""),
                             lambda path: self.runner.node.client.json("GET", path), self.killed)
        else:
            raise upgrader.Failed(f"/bin/upgrade.sh: line 1: {words[0]}: not found")

    def _kubectl(self, words):
        """Run kubectl with the rights of the pod's account, and end it when the pod ends."""
        self._check_rights(words)
        path = os.path.join(self.runner.node.layout.agent, "pods.kubeconfig")
        paths.write(path, json.dumps(kubeconfig(self.runner.node)))
        # It must not outlive us: nobody would be left to end it.
        leash = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        process = subprocess.Popen(
            [*leash, sys.executable, sys.argv[0], "kubectl", "--kubeconfig", path, *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        threading.Thread(target=_end_with, args=(process, self.killed), daemon=True).start()
        lines = process.communicate()[0].strip().splitlines()
        if process.returncode:
            raise upgrader.Failed(lines[-1] if lines else f"exit status {process.returncode}")

    def _check_rights(self, words):
        wanted = {"cordon": [("get", "nodes"), ("patch", "nodes")], "uncordon": [("get", "nodes"), ("patch", "nodes")],
                  "drain": [("get", "nodes"), ("patch", "nodes"), ("list", "pods"), ("create", "pods/eviction")]}
        account = (self.pod["metadata"]["namespace"], self.pod["spec"].get("serviceAccountName") or "default")
        rights = access.Access(lambda kind: self.runner.node.client.json("GET", path_of(kind, None))["items"])
        for verb, resource in wanted.get(words[0] if words else "", []):
            denial = rights.denial(account, verb, "", resource)
            if denial:
                raise upgrader.Failed(f"Error from server (Forbidden): {denial}")

    # --- the status ---------------------------------------------------------------------------

    def _statuses(self, wanted):
        images_of = {one["name"]: one["image"] for _, one in self.containers}
        return [{"name": one["name"], "image": images_of[one["name"]], "imageID": "", "restartCount": 0,
                 "ready": "running" in self.states[one["name"]] and not first
                 or first and self.states[one["name"]].get("terminated", {}).get("exitCode") == 0,
                 "started": "running" in self.states[one["name"]], "state": self.states[one["name"]]}
                for first, one in self.containers if first == wanted]

    def _report(self, phase):
        """Write the pod's status, however long the API takes to answer."""
        ready = "True" if phase == "Running" else "False"
        reason = {"reason": "PodCompleted"} if phase == "Succeeded" else \
            {"reason": "PodFailed"} if phase == "Failed" else {}
        status = {"phase": phase, "startTime": self.started, "hostIP": self.runner.node.address,
                  "podIP": self.runner.node.address,
                  "conditions": [{"type": "PodScheduled", "status": "True"},
                                 {"type": "Ready", "status": ready, **({} if ready == "True" else reason)}],
                  "containerStatuses": self._statuses(False)}
        if any(first for first, _ in self.containers):
            status["initContainerStatuses"] = self._statuses(True)
        meta = self.pod["metadata"]
        path = path_of(kinds.PODS, meta["namespace"], meta["name"], "status")
        while True:
            try:
                self.runner.node.client.json("PATCH", path, {"status": status}, MERGE)
                return
            except HTTPError as problem:
                if problem.status == 404:
                    raise Gone() from None
            except WireError:
                pass
            if self.killed.wait(timing.POD_PERIOD):
                raise Gone()


class Gone(Exception):
    """The pod is no longer in the API."""


def _end_with(process, killed):
    while process.poll() is None:
        if killed.wait(0.5):
            process.kill()
            return


def kubeconfig(node):
    """A kubeconfig of the node's own, for the kubectl of its pods."""
    authority = paths.read(os.path.join(node.layout.agent, "server-ca.crt")) or ""
    base = os.path.join(node.layout.agent, "client-kubelet")
    return {"current-context": "default",
            "contexts": [{"name": "default", "context": {"cluster": "default", "user": "default"}}],
            "clusters": [{"name": "default", "cluster": {
                "server": node.client.url,
                "certificate-authority-data": base64.b64encode(authority.encode()).decode()}}],
            "users": [{"name": "default", "user": {
                "client-certificate": base + ".crt", "client-key": base + ".key"}}]}
