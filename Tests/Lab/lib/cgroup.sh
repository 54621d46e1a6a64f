# shellcheck shell=bash
# A control group for each node: two inits in one group would take each other's services for their own.

# cgroup_hierarchies: the ones that systemd keeps its books in, in either layout of control groups.
cgroup_hierarchies() {
  if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
    echo /sys/fs/cgroup
  else
    ls -d /sys/fs/cgroup/systemd /sys/fs/cgroup/unified 2>/dev/null
  fi
}

# cgroup_of LAB NODE HIERARCHY: the node's group there.
cgroup_of() { printf '%s/helix-lab.%s.%s\n' "$3" "$1" "$2"; }

# enter_cgroup LAB NODE: moves this process, and so what it becomes, to a new group of the node.
enter_cgroup() {
  local hierarchy controller group
  remove_cgroup "$1" "$2"
  for hierarchy in $(cgroup_hierarchies); do
    group=$(cgroup_of "$1" "$2" "$hierarchy")
    mkdir "$group"
    # A group has only the controllers that the one above hands down; not every kernel has all of these.
    for controller in cpuset cpu io memory pids; do
      { echo "+$controller" >"$hierarchy/cgroup.subtree_control"; } 2>/dev/null || true
    done
    echo "$BASHPID" >"$group/cgroup.procs"
  done
}

# remove_cgroup LAB NODE: an ended node leaves empty groups behind.
remove_cgroup() {
  local hierarchy group
  for hierarchy in $(cgroup_hierarchies); do
    group=$(cgroup_of "$1" "$2" "$hierarchy")
    [[ ! -d $group ]] || find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null || true
  done
}
