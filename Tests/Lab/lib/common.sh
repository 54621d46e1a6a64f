# shellcheck shell=bash
# shellcheck disable=SC2034  # the constants are for the files that are read after this one
# Words every part of the lab uses: exit codes, messages, names and addresses.

readonly EXIT_FAILED=1 EXIT_USAGE=64 EXIT_UNAVAILABLE=69

readonly SUBNET=10.77.0
readonly CONTROLLER_ADDRESS=$SUBNET.1
readonly ENDPOINT_ADDRESS=$SUBNET.10
readonly MIRROR_PORT=8000
readonly API_PORT=6443
# The address plan has ten places between the first server and the first agent.
readonly MOST_SERVERS=10 MOST_AGENTS=200

# Long enough for a machine busy with two compilers; an idle one needs a few seconds.
readonly BOOT_DEADLINE=120
readonly STOP_DEADLINE=20

say() { printf '%s\n' "$*" >&2; }

# fail STATUS WHAT [WHY [FIX]]: prints the reason and ends the command.
fail() {
  local status=$1
  say "lab: error: $2"
  [[ -z ${3:-} ]] || say "why: $3"
  [[ -z ${4:-} ]] || say "fix: $4"
  exit "$status"
}

# address_of NODE: the address that the node's name stands for.
address_of() {
  case $1 in
    master-*) printf '%s.%d\n' "$SUBNET" $((10 + ${1#master-})) ;;
    worker-*) printf '%s.%d\n' "$SUBNET" $((20 + ${1#worker-})) ;;
  esac
}

controller_namespace() { printf 'helix-%s\n' "$NAME"; }

# The dot cannot occur in a lab's name, so no two labs can meet in a namespace name.
node_namespace() { printf 'helix-%s.%s\n' "$NAME" "$1"; }

# in_controller CMD…: runs a command where the lab's network is; unlike `ip netns exec` this keeps every mount.
in_controller() { nsenter --net="/run/netns/$(controller_namespace)" -- "$@"; }

# wait_until SECONDS CMD…: asks again until the command is true or the time is over.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}
