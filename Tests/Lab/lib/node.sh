# shellcheck shell=bash
# One node: its root folder, its power, and ways in.

machine_folder() { printf '%s/machines/%s\n' "$DIR" "$1"; }
root_folder() { printf '%s/machines/%s/root\n' "$DIR" "$1"; }
node_log() { printf '%s/log/%s.log\n' "$DIR" "$1"; }
supervisor_record() { printf '%s/pids/%s.supervisor\n' "$DIR" "$1"; }
container_record() { printf '%s/pids/%s.container\n' "$DIR" "$1"; }

is_powered() { is_recorded_running "$(supervisor_record "$1")"; }

# init_pid NODE: the process that the node knows as its process 1.
init_pid() {
  local container child
  local -a children=()
  container=$(recorded_pid "$(container_record "$1")") || return 1
  read -ra children 2>/dev/null <"/proc/$container/task/$container/children" || true
  for child in "${children[@]}"; do
    grep -qs $'^NSpid:.*\t1$' "/proc/$child/status" && printf '%s\n' "$child" && return
  done
  return 1
}

# inside NODE CMD…: runs a command as root in the node's namespaces, without any help from the node.
# Entering keeps the powers of who enters, so the one over the machine's clock is left at the door.
inside() {
  local pid
  pid=$(init_pid "$1") || return "$EXIT_FAILED"
  shift
  setpriv --bounding-set=-sys_time -- nsenter --target "$pid" --mount --uts --ipc --net --pid --cgroup -- \
    /usr/bin/env -i HOME=/root USER=root LANG=C.UTF-8 TERM="${TERM:-dumb}" \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

boot_id() { inside "$1" cat /proc/sys/kernel/random/boot_id 2>/dev/null; }

# over_ssh NODE [CMD…]: a login as the user that helix-infra uses, from where helix-infra runs.
over_ssh() {
  local node=$1
  shift
  in_controller ssh -F none -i "$DIR/id_ed25519" -o IdentitiesOnly=yes -o BatchMode=yes -o LogLevel=ERROR \
    -o UserKnownHostsFile="\"$DIR/known_hosts\"" -o GlobalKnownHostsFile=none -o StrictHostKeyChecking=yes \
    -o ConnectTimeout=5 "ops@$(address_of "$node")" "$@"
}

answers_ssh() { over_ssh "$1" true </dev/null >/dev/null 2>&1; }

# is_ready NODE [BOOT-ID]: answers, and not from the boot with that id.
is_ready() {
  local boot
  boot=$(boot_id "$1") && [[ $boot != "${2:-}" ]] && answers_ssh "$1"
}

has_ended_or_is_ready() { ! is_powered "$1" || is_ready "$@"; }

# await_node NODE [BOOT-ID]: until it answers; if it does not, its last words are shown.
await_node() {
  wait_until "$BOOT_DEADLINE" has_ended_or_is_ready "$@" && is_powered "$1" && return
  say "--- last lines of $(node_log "$1")"
  tail -n 15 "$(node_log "$1")" >&2
  fail "$EXIT_FAILED" "$1 does not answer over ssh" "it did not finish booting in $BOOT_DEADLINE s, or stopped"
}

# ensure_root NODE: mounts the node's root folder; a node that was never finished is begun again.
ensure_root() {
  local folder root
  folder=$(machine_folder "$1")
  root=$folder/root
  [[ -e $folder/made ]] || remove_root "$1"
  mkdir -p "$folder/upper" "$folder/work" "$root"
  mountpoint -q "$root" ||
    mount -t overlay "lab-$1" -o "lowerdir=$BASE,upperdir=$folder/upper,workdir=$folder/work" "$root"
  [[ -e $folder/made ]] && return
  personalise "$1" "$root"
  touch "$folder/made"
}

remove_root() {
  local folder
  folder=$(machine_folder "$1")
  if mountpoint -q "$folder/root"; then
    # systemd-nspawn removes its lock itself, unless its power was cut.
    rm -f "/run/systemd/nspawn/locks/inode-$(stat -c %d:%i "$folder/root")"
    umount "$folder/root"
  fi
  rm -rf --one-file-system "$folder"
}

# personalise NODE ROOT: makes a fresh copy of the base into this one machine.
personalise() {
  local node=$1 root=$2 hostname home=$2/home/ops
  hostname=$(hostname_of "$node")
  printf '%s\n' "$hostname" >"$root/etc/hostname"
  printf '127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost ip6-localhost ip6-loopback\n' "$hostname" >"$root/etc/hosts"
  tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
  cp "$DIR/hostkeys/$node"/ssh_host_* "$root/etc/ssh/"
  install -m 0600 -o "$(stat -c %u "$home")" -g "$(stat -c %g "$home")" \
    "$DIR/id_ed25519.pub" "$home/.ssh/authorized_keys"
  [[ -d /lib/modules/$(uname -r) ]] || describe_kernel "$root"
}

# hostname_of NODE: bare nodes do not yet have the name that the inventory wants.
hostname_of() {
  if [[ $BARE == yes ]]; then
    printf 'localhost-%s\n' "$(grep -n "^$1 " "$DIR/nodes" | cut -d: -f1)"
  else
    printf '%s\n' "$1"
  fi
}

# describe_kernel ROOT: where the kernel has everything built in, modprobe must be told what that is.
describe_kernel() {
  local folder
  folder=/lib/modules/$(uname -r)
  mkdir -p "$1$folder"
  : >"$1$folder/modules.order"
  : >"$1$folder/modules.builtin.modinfo"
  {
    ls /sys/module
    awk '{ print $NF }' /proc/filesystems
    # It has no parameters, hence no folder under /sys/module; its settings tell that it is there.
    [[ ! -d /proc/sys/net/bridge ]] || echo br_netfilter
  } | sort -u | sed 's|.*|kernel/&.ko|' >"$1$folder/modules.builtin"
  chroot "$1" depmod "$(uname -r)"
}

# power_on NODE: boots it unless it runs; does not wait for it.
power_on() {
  is_powered "$1" && return
  ensure_node_network "$1"
  ensure_root "$1"
  start_recorded "$(supervisor_record "$1")" "$(node_log "$1")" \
    "$LAB_HOME/programs/supervise" "$(root_folder "$1")" "$NAME" "$1" "$(container_record "$1")"
}

# request_shutdown NODE: asks its init to halt, as an operator's `poweroff` would.
request_shutdown() {
  local pid
  pid=$(recorded_pid "$(container_record "$1")") || return 0
  kill -TERM "$pid" 2>/dev/null || true
}

# power_off NODE: after a request that was not heeded in time, the same as a power cut.
power_off() {
  local pid
  if pid=$(recorded_pid "$(supervisor_record "$1")"); then
    # Tells the supervisor not to start a node again that was just rebooting.
    kill -TERM "$pid" 2>/dev/null || true
    request_shutdown "$1"
    wait_until "$STOP_DEADLINE" is_recorded_gone "$(supervisor_record "$1")" || true
  fi
  cut_power "$1"
}

# cut_power NODE: everything in it ends at once, nothing is told.
cut_power() {
  local pid init=''
  if pid=$(init_pid "$1"); then init=$(process_identity "$pid"); fi
  kill_recorded_group "$(supervisor_record "$1")"
  kill_recorded_group "$(container_record "$1")"
  [[ -n $init ]] || return 0
  # The kernel ends all of a node with its process 1.
  [[ $(process_identity "$pid") != "$init" ]] || kill -KILL "$pid" 2>/dev/null || true
  wait_until "$STOP_DEADLINE" is_gone "$init"
}

is_gone() { [[ $(process_identity "${1%% *}") != "$1" ]]; }
