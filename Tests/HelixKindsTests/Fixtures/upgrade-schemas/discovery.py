"""discovery.py KUBECTL FILE: lets kubectl read a file before a server that knows kinds and nothing else."""

import http.server
import json
import subprocess
import sys
import threading

KINDS = {
    "v1": [("namespaces", "Namespace", False), ("serviceaccounts", "ServiceAccount", True),
           ("configmaps", "ConfigMap", True)],
    "apps/v1": [("deployments", "Deployment", True)],
    "rbac.authorization.k8s.io/v1": [
        ("clusterroles", "ClusterRole", False), ("roles", "Role", True),
        ("clusterrolebindings", "ClusterRoleBinding", False), ("rolebindings", "RoleBinding", True)],
    "apiextensions.k8s.io/v1": [("customresourcedefinitions", "CustomResourceDefinition", False)],
    "upgrade.cattle.io/v1": [("plans", "Plan", True)],
}


def group_list():
    groups = []
    for version in KINDS:
        if "/" in version:
            one = {"groupVersion": version, "version": "v1"}
            groups.append({"name": version.split("/")[0], "versions": [one], "preferredVersion": one})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


class Handler(http.server.BaseHTTPRequestHandler):
    """Discovery, and no objects."""

    def do_GET(self):
        path = self.path.split("?")[0]
        version = path.removeprefix("/apis/").removeprefix("/api/")
        status, answer = 404, {"kind": "Status", "apiVersion": "v1", "status": "Failure",
                               "reason": "NotFound", "code": 404}
        if path == "/api":
            status, answer = 200, {"kind": "APIVersions", "versions": ["v1"]}
        elif path == "/apis":
            status, answer = 200, group_list()
        elif version in KINDS:
            status, answer = 200, {
                "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version,
                "resources": [{"name": name, "singularName": kind.lower(), "kind": kind,
                               "namespaced": inside, "verbs": ["get", "patch", "create"]}
                              for name, kind, inside in KINDS[version]]}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
sys.exit(subprocess.run(
    [sys.argv[1], "--kubeconfig", "/dev/null", "--server", address, "apply", "--dry-run=client",
     "--validate=false", "-f", sys.argv[2]], check=False).returncode)
