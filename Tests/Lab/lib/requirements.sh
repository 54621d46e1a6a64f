# shellcheck shell=bash
# What the machine must have before it can hold a lab.

# Program, and the Debian package that brings it.
readonly REQUIREMENTS=(
  systemd-nspawn:systemd-container debootstrap:debootstrap ip:iproute2 nsenter:util-linux
  unshare:util-linux setpriv:util-linux setsid:util-linux flock:util-linux
  ssh:openssh-client ssh-keygen:openssh-client python3:python3
  dpkg-deb:dpkg apt-get:apt
)

# missing_requirement: prints in one line why this machine cannot hold a lab, or nothing.
missing_requirement() {
  local entry
  if [[ $(uname -s) != Linux ]]; then
    printf 'the lab needs Linux'
  elif ((EUID != 0)); then
    printf 'the lab needs root, for namespaces and mounts'
  else
    for entry in "${REQUIREMENTS[@]}"; do
      command -v "${entry%%:*}" >/dev/null && continue
      printf 'the lab needs %s (package %s; Tests/Lab/lab install brings it)' "${entry%%:*}" "${entry##*:}"
      return
    done
    unshare --mount --net true 2>/dev/null || printf 'the lab needs namespaces, and this machine refuses to make them'
  fi
}

# check_requirements: ends the command with exit 69 and one line when there can be no lab here.
check_requirements() {
  local reason
  reason=$(missing_requirement)
  [[ -z $reason ]] || fail "$EXIT_UNAVAILABLE" "$reason"
}

# install_requirements: brings the missing packages with the machine's own apt.
install_requirements() {
  local entry
  local -a packages=()
  ((EUID == 0)) || fail "$EXIT_UNAVAILABLE" 'installing packages needs root'
  command -v apt-get >/dev/null || fail "$EXIT_UNAVAILABLE" 'the lab installs only from apt' '' \
    "install these programs by hand: ${REQUIREMENTS[*]%%:*}"
  for entry in "${REQUIREMENTS[@]}"; do
    command -v "${entry%%:*}" >/dev/null || packages+=("${entry##*:}")
  done
  ((${#packages[@]} > 0)) || return 0
  apt-get -o DPkg::Lock::Timeout=300 update
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends "${packages[@]}"
}
