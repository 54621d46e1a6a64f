# shellcheck shell=bash
# What the lab offers its nodes from the controller's namespace: the mirror and the endpoint.

service_record() { printf '%s/pids/%s\n' "$DIR" "$1"; }
service_log() { printf '%s/log/%s.log\n' "$DIR" "$1"; }

# start_service NAME CMD…: starts it in the controller's namespace unless it runs.
start_service() {
  local name=$1
  shift
  is_recorded_running "$(service_record "$name")" && return
  start_recorded "$(service_record "$name")" "$(service_log "$name")" \
    nsenter --net="/run/netns/$(controller_namespace)" -- "$@"
}

# listens ADDRESS PORT: whether something in the lab answers there; bash's own /dev/tcp needs no tool.
# shellcheck disable=SC2016  # for the shell that is run
listens() { in_controller bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>/dev/null; }

await_service() {
  wait_until 20 listens "$2" "$3" && return
  tail -n 15 "$(service_log "$1")" >&2
  fail "$EXIT_FAILED" "the lab's $1 does not answer on $2:$3" "the last lines of $(service_log "$1") are above"
}

ensure_services() {
  mkdir -p "$DIR/mirror"
  start_service mirror python3 -u -m http.server "$MIRROR_PORT" \
    --bind "$CONTROLLER_ADDRESS" --directory "$DIR/mirror"
  start_service front-door python3 -u "$LAB_HOME/programs/front-door" \
    "$ENDPOINT_ADDRESS" "$API_PORT" "$DIR/nodes"
  await_service mirror "$CONTROLLER_ADDRESS" "$MIRROR_PORT"
  await_service front-door "$ENDPOINT_ADDRESS" "$API_PORT"
}

stop_services() {
  kill_recorded_group "$(service_record mirror)"
  kill_recorded_group "$(service_record front-door)"
}
