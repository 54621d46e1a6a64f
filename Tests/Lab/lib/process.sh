# shellcheck shell=bash
# Records of the processes the lab started, so that nothing else is ever signalled.
# A record is "pid start-time boot-id": a pid alone may meanwhile belong to somebody else.

# process_identity PID: what tells this process from any other that had or will have its pid.
process_identity() {
  local stat boot
  local -a fields
  read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
  # The command name may hold blanks; the fields are counted after its closing parenthesis.
  read -ra fields <<<"${stat##*) }"
  [[ ${fields[0]} != Z ]] || return 1
  read -r boot </proc/sys/kernel/random/boot_id
  printf '%s %s %s\n' "$1" "${fields[19]}" "$boot"
}

# record_process FILE PID: remembers a process in a file.
record_process() {
  process_identity "$2" >"$1.new" && mv "$1.new" "$1"
}

# recorded_pid FILE: prints the pid when the recorded process is still the same one.
recorded_pid() {
  local record pid
  read -r record 2>/dev/null <"$1" || return 1
  pid=${record%% *}
  [[ -n $pid && $(process_identity "$pid") == "$record" ]] && printf '%s\n' "$pid"
}

is_recorded_running() { recorded_pid "$1" >/dev/null; }
is_recorded_gone() { ! is_recorded_running "$1"; }

# kill_recorded_group FILE: ends at once the process group that the recorded process leads.
kill_recorded_group() {
  local pid
  if pid=$(recorded_pid "$1"); then
    kill -KILL -- "-$pid" 2>/dev/null || true
    wait_until "$STOP_DEADLINE" is_recorded_gone "$1" || true
  fi
  rm -f "$1"
}

# start_recorded FILE LOG CMD…: starts a command as the leader of a process group of its own.
start_recorded() {
  local record=$1 log=$2
  shift 2
  # Descriptor 9 is the lab's lock, which must not outlive this command.
  setsid "$@" </dev/null >>"$log" 2>&1 9>&- &
  local pid=$!
  record_process "$record" "$pid" || fail "$EXIT_FAILED" "$1 ended at once" "its output is in $log"
}
