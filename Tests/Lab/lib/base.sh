# shellcheck shell=bash
# The base: one read-only Debian root folder that all nodes of all labs are layered on.

readonly CACHE=${LAB_CACHE:-/var/cache/helix-lab}

# base_folder: where the base made by this recipe on this release and architecture is.
base_folder() {
  local recipe
  recipe=$(cat "$LAB_HOME"/recipe/* "$LAB_HOME/programs/build-base" /etc/os-release &&
    dpkg --print-architecture)
  printf '%s/base-%s\n' "$CACHE" "$(sha256sum <<<"$recipe" | cut -c1-16)"
}

# ensure_base: sets BASE, and builds it unless it is there; labs that start together build it once.
ensure_base() {
  # A lab stays on the base it was made from while the recipe goes on.
  [[ -n $BASE && -d $BASE ]] || BASE=$(base_folder)
  [[ ! -d $BASE ]] || return 0
  mkdir -p "$CACHE"
  (
    flock 8
    [[ ! -d $BASE ]] || exit 0
    # A build keeps the lock as long as it runs: a part left here belongs to one that was cut.
    rm -rf --one-file-system "$CACHE"/partial.*
    build_base "$BASE"
  ) 8>"$CACHE/lock"
}

# build_base FOLDER: the folder appears under its name only when it is whole.
build_base() {
  local partial=$CACHE/partial.$$ log=$CACHE/build.log
  say "lab: building the base root folder, once, in a minute or two (log: $log)"
  # Mounts made while building end with this mount namespace, however the build ends.
  if ! unshare --mount "$LAB_HOME/programs/build-base" "$partial" >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    fail "$EXIT_FAILED" 'the base root folder could not be built' "the last lines of $log are above" \
      'check that apt-get update works on this machine, then run the command again'
  fi
  mv "$partial" "$1"
}
