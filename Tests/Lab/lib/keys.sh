# shellcheck shell=bash
# Keys: one for the controller's user, and for each node those it shows to who connects.

# new_key FILE TYPE COMMENT: makes a key unless it is there.
new_key() {
  [[ -s $1.pub ]] || { rm -f "$1" && ssh-keygen -q -t "$2" -N '' -C "$3" -f "$1"; }
}

# ensure_keys NODE…: and known_hosts, which names each node by name and address.
ensure_keys() {
  local node type
  new_key "$DIR/id_ed25519" ed25519 "helix-lab-$NAME"
  for node in "$@"; do
    mkdir -p "$DIR/hostkeys/$node"
    for type in ed25519 ecdsa; do
      new_key "$DIR/hostkeys/$node/ssh_host_${type}_key" "$type" "root@$node"
    done
  done
  for node in "$@"; do
    sed "s/^/$node,$(address_of "$node") /; s/ root@.*//" "$DIR/hostkeys/$node"/*.pub
  done >"$DIR/known_hosts"
}
