"""Every duration (seconds) and port in one place; k3s's own value stands in the comment where it differs."""

HEARTBEAT = 0.3              # etcd in k3s: 0.5
ELECTION_MIN = 2.0           # etcd in k3s: 5
ELECTION_MAX = 3.5
REQUEST_TIMEOUT = 7.0        # how long a read or write waits for the majority
READYZ_TIMEOUT = 2.0
PEER_TIMEOUT = 2.0
HEALTHY_CONTACT = 5.0        # a voter unheard of for longer blocks a join ("unhealthy cluster")

PROMOTE_AFTER = 1.5          # a learner that is in sync for this long becomes a voter; k3s looks every 15 s
LEARNER_STALL = 300.0
JOIN_RETRY = 1.0
DATASTORE_RETRY = 5.0
AGENT_RETRY = 2.0
CONFIG_RETRY = 5.0

NODE_HEARTBEAT = 2.0         # kubelet: 10
NODE_GRACE = 10.0            # kube-controller-manager: 40
CONTROLLER_PERIOD = 1.0
WORKLOAD_PERIOD = 0.3
POD_START = 0.5              # from a pod's node to its readiness: real images take longer
POD_PATIENCE = 3.0           # how long pods wait for a silent node by default: 300
EVICTION_RETRY = 1.0         # kubectl drain: 5
MANIFEST_PERIOD = 5.0        # k3s: 15

JOB_PERIOD = 0.5             # the job controller and the controller of Plans look; real ones are told
JOB_BACKOFF = 0.5            # before a Job's next pod, doubling; kube-controller-manager: 10
JOB_BACKOFF_MAX = 8.0        # kube-controller-manager: 360
POD_PERIOD = 0.5             # a node looks for pods; a kubelet is told
PULL_BACKOFF = 2.0           # before the next pull, doubling; kubelet: 10
PULL_BACKOFF_MAX = 16.0      # kubelet: 300
PREPARE_PERIOD = 1.0         # k3s-upgrade: 5
CHANNEL_PERIOD = 10.0        # system-upgrade-controller: 15 minutes

API_PORT = 6443
PEER_PORT = 2380
CLIENT_PORT = 2379           # only named in member lists: nothing of ours listens there
METRICS_PORT = 2381
BALANCER_PORT = 6444         # only named in log lines: see agent.py
