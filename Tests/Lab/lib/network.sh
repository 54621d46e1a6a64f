# shellcheck shell=bash
# The lab's network: a bridge in the controller's namespace, and a cable from it to each node's namespace.
# Nothing here touches the namespace the machine itself lives in.

readonly BRIDGE=lab0

# Named by hand, as `ip netns list` would also show what others are in the middle of making.
namespace_exists() { [[ -e /run/netns/$1 ]] && nsenter --net="/run/netns/$1" true 2>/dev/null; }

ensure_namespace() {
  namespace_exists "$1" && return
  # A file without a namespace behind it is what a cut creation leaves.
  rm -f "/run/netns/$1"
  ip netns add "$1"
  ip -netns "$1" link set lo up
}

# ensure_controller_network: the bridge with the controller's and the endpoint's address.
ensure_controller_network() {
  local namespace
  namespace=$(controller_namespace)
  ensure_namespace "$namespace"
  ip -netns "$namespace" link show "$BRIDGE" >/dev/null 2>&1 ||
    ip -netns "$namespace" link add "$BRIDGE" type bridge
  ip -netns "$namespace" address replace "$CONTROLLER_ADDRESS/24" dev "$BRIDGE"
  ip -netns "$namespace" address replace "$ENDPOINT_ADDRESS/24" dev "$BRIDGE"
  ip -netns "$namespace" link set "$BRIDGE" up
}

# ensure_node_network NODE: the node's namespace, its eth0 and address, plugged into the bridge.
ensure_node_network() {
  local node=$1 controller namespace
  controller=$(controller_namespace)
  namespace=$(node_namespace "$node")
  ensure_namespace "$namespace"
  if ! ip -netns "$controller" link show "$node" >/dev/null 2>&1; then
    ip -netns "$controller" link add "$node" type veth peer name eth0 netns "$namespace"
    ip -netns "$controller" link set "$node" master "$BRIDGE" up
  fi
  ip -netns "$namespace" address replace "$(address_of "$node")/24" dev eth0
  ip -netns "$namespace" link set eth0 up
}

# cut_cable NODE and mend_cable NODE: pull the node's plug out of the bridge, and put it back.
cut_cable() { ip -netns "$(controller_namespace)" link set "$1" down; }
mend_cable() { ip -netns "$(controller_namespace)" link set "$1" up; }

# remove_namespace NAMESPACE: also takes the interfaces in it; whatever still runs there is the lab's.
remove_namespace() {
  local pids
  [[ -e /run/netns/$1 ]] || return 0
  pids=$(ip netns pids "$1" 2>/dev/null || true)
  # shellcheck disable=SC2086  # one word for each process
  [[ -z $pids ]] || kill -KILL $pids 2>/dev/null || true
  ip netns delete "$1"
}
