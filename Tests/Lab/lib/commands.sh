# shellcheck shell=bash
# The commands that see the lab as a whole.

# all_nodes: every node's name, servers first.
all_nodes() { cut -d' ' -f1 "$DIR/nodes"; }

# prepare_folder: what must be there before anything runs.
prepare_folder() {
  mkdir -p "$DIR"/{pids,log,machines,hostkeys,mirror}
  save_configuration
  list_nodes >"$DIR/nodes.new"
  mv "$DIR/nodes.new" "$DIR/nodes"
}

list_nodes() {
  local index
  for ((index = 1; index <= SERVERS; index++)); do echo "master-$index $(address_of "master-$index")"; done
  for ((index = 1; index <= AGENTS; index++)); do echo "worker-$index $(address_of "worker-$index")"; done
}

# take_lock: one command at a time changes the lab as a whole.
take_lock() {
  mkdir -p "$DIR"
  exec 9>"$DIR/lock"
  flock 9
}

# for_each_node FUNCTION: all at once; fails when one of them failed.
for_each_node() {
  local node pid failed=0
  local -a pids=()
  for node in $(all_nodes); do
    "$1" "$node" &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
  return "$failed"
}

lab_up() {
  take_lock
  change_configuration
  ensure_base
  claim_name
  prepare_folder
  # shellcheck disable=SC2046  # one word for each node
  ensure_keys $(all_nodes)
  ensure_controller_network
  ensure_services
  for_each_node start_node
  say "lab: $NAME is up: $SERVERS servers, $AGENTS agents, in $DIR"
}

lab_down() {
  local node
  if [[ ! -e $DIR/lab.conf ]]; then
    say "lab: there is no lab in $DIR"
    return
  fi
  take_lock
  if [[ -e $DIR/nodes ]]; then
    for_each_node power_off
    for node in $(all_nodes); do
      remove_namespace "$(node_namespace "$node")"
      remove_root "$node"
    done
  fi
  stop_services
  remove_namespace "$(controller_namespace)"
  release_name
  remove_folder
  say "lab: $NAME is down"
}

# remove_folder: only what a lab makes; other files in the folder stay.
remove_folder() {
  local entry
  for entry in machines hostkeys pids log mirror nodes known_hosts id_ed25519 id_ed25519.pub lab.conf lock; do
    rm -rf --one-file-system "${DIR:?}/$entry"
  done
  rmdir "$DIR" 2>/dev/null || true
}

lab_status() {
  require_lab
  local node failed=0
  printf '%-12s %-12s %-5s %-37s %s\n' NODE ADDRESS POWER BOOT-ID SSH
  for node in $(all_nodes); do
    status_of "$node" || failed=$EXIT_FAILED
  done
  return "$failed"
}

# status_of NODE: one line; fails unless the node answers.
status_of() {
  local power=off boot=- ssh=no
  if is_powered "$1"; then
    power=on
    boot=$(boot_id "$1") || boot=-
    ! answers_ssh "$1" || ssh=yes
  fi
  printf '%-12s %-12s %-5s %-37s %s\n' "$1" "$(address_of "$1")" "$power" "$boot" "$ssh"
  [[ $ssh == yes ]]
}

lab_run() {
  (($# > 0)) || usage_error 'run needs a command'
  exec nsenter --net="/run/netns/$(controller_namespace)" -- "$@"
}
