# shellcheck shell=bash
# What labs on one machine share: the list of their names, and the kernel's settings.

readonly REGISTRY=/run/helix-lab

# Settings that belong to the whole kernel; a node that changes one changes the machine's.
readonly SHARED_SETTINGS=(
  fs.aio-max-nr fs.file-max fs.nr_open 'fs.inotify.*' 'fs.protected_*' fs.suid_dumpable
  kernel.core_pattern kernel.core_uses_pid kernel.dmesg_restrict 'kernel.keys.*' 'kernel.kptr_restrict'
  kernel.panic 'kernel.panic_on_*' kernel.perf_event_paranoid kernel.pid_max kernel.printk kernel.sysrq
  kernel.threads-max kernel.unprivileged_bpf_disabled 'kernel.yama.*'
  vm.dirty_background_ratio vm.dirty_ratio vm.max_map_count vm.min_free_kbytes vm.mmap_min_addr
  'vm.overcommit_*' vm.panic_on_oom vm.swappiness vm.vfs_cache_pressure
)

# with_registry FUNCTION ARG…: one lab at a time.
with_registry() {
  mkdir -p "$REGISTRY/labs"
  (
    flock 7
    "$@"
  ) 7>"$REGISTRY/lock"
}

# claim_name: one name, one folder; the first lab of all notes the kernel's settings.
claim_name() { with_registry claim_name_alone; }
claim_name_alone() {
  local owner=''
  [[ ! -e $REGISTRY/labs/$NAME ]] || read -r owner <"$REGISTRY/labs/$NAME"
  if [[ -n $owner && $owner != "$DIR" && -e $owner/lab.conf ]]; then
    fail "$EXIT_FAILED" "a lab named \"$NAME\" is already there" "it lives in $owner" \
      "take another --name, or end it with: lab down --dir $owner"
  fi
  [[ -n $(ls "$REGISTRY/labs") || -e $REGISTRY/settings ]] || save_settings "$REGISTRY/settings"
  printf '%s\n' "$DIR" >"$REGISTRY/labs/$NAME"
}

# release_name: the last lab of all puts the kernel's settings back.
release_name() { with_registry release_name_alone; }
release_name_alone() {
  rm -f "$REGISTRY/labs/$NAME"
  [[ -z $(ls "$REGISTRY/labs") && -e $REGISTRY/settings ]] || return 0
  restore_settings "$REGISTRY/settings"
  rm -f "$REGISTRY/settings"
}

# save_settings FILE: "path value" for each shared setting that this kernel has.
save_settings() {
  local pattern path
  for pattern in "${SHARED_SETTINGS[@]}"; do
    for path in $(compgen -G "/proc/sys/${pattern//.//}"); do
      printf '%s %s\n' "$path" "$(cat "$path")"
    done 2>/dev/null
  done >"$1.new"
  mv "$1.new" "$1"
}

# restore_settings FILE: writes only what is different now.
restore_settings() {
  local path value
  while read -r path value; do
    [[ "$(cat "$path")" == "$value" ]] || printf '%s\n' "$value" >"$path" ||
      say "lab: warning: $path could not be put back to $value"
  done 2>/dev/null <"$1"
}
