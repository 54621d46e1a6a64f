# shellcheck shell=bash
# The commands that are about one node.

lab_ssh() { over_ssh "$NODE" "$@"; }

lab_exec() {
  (($# > 0)) || usage_error 'exec needs a command'
  is_powered "$NODE" || fail "$EXIT_FAILED" "$NODE is not running" '' "start it with: lab start $NODE"
  inside "$NODE" "$@"
}

# start_node NODE: until it answers; one that was just going down is started when it is.
start_node() {
  power_on "$1"
  wait_until "$BOOT_DEADLINE" has_ended_or_is_ready "$1" || true
  power_on "$1"
  await_node "$1"
}

lab_start() { start_node "$NODE"; }

lab_kill() { cut_power "$NODE"; }

# The node's own init reboots it; the supervisor starts it again.
lab_reboot() {
  local before
  before=$(boot_id "$NODE") || fail "$EXIT_FAILED" "$NODE is not running" '' "start it with: lab start $NODE"
  inside "$NODE" systemctl reboot || true
  await_node "$NODE" "$before"
}

# A new machine in the old one's place: same name, address and host key, nothing else.
lab_wipe() {
  cut_power "$NODE"
  remove_root "$NODE"
  start_node "$NODE"
}

lab_cut() { cut_cable "$NODE"; }
lab_mend() { mend_cable "$NODE"; }

# The kernel still accepts connections for a stopped sshd; nothing ever answers on them.
lab_freeze-sshd() { signal_sshd STOP; }
lab_thaw() { signal_sshd CONT; }

# The names are looked up inside the node, where no other node's processes can be seen.
signal_sshd() { inside "$NODE" pkill "-$1" -x sshd; }
