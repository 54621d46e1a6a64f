/// The systemd unit and the scripts beside k3s, laid out as the official installer lays them out.
enum NodeScripts {
  /// Stands in every file that is ours to change.
  static let mark = "written by helix-infra"

  static func unit(_ role: K3sRoleOfNode) -> String {
    """
    # \(mark); settings belong into \(K3sPaths.config)
    [Unit]
    Description=k3s \(role.rawValue)
    Documentation=https://k3s.io
    Wants=network-online.target
    After=network-online.target

    [Service]
    Type=notify
    User=root
    EnvironmentFile=-/etc/default/%N
    EnvironmentFile=-/etc/sysconfig/%N
    EnvironmentFile=-\(K3sPaths.environment(role))
    KillMode=process
    Delegate=yes
    LimitNOFILE=1048576
    LimitNPROC=infinity
    LimitCORE=infinity
    TasksMax=infinity
    TimeoutStartSec=0
    Restart=always
    RestartSec=5s
    ExecStartPre=-/sbin/modprobe br_netfilter
    ExecStartPre=-/sbin/modprobe overlay
    ExecStart=\(K3sPaths.binary) \(role.rawValue)

    [Install]
    WantedBy=multi-user.target

    """
  }

  /// Ends k3s and everything it started, and takes its networks and mounts down; data stays.
  static let kill = """
    #!/bin/sh
    # Stops k3s and all its containers; \(mark)
    [ "$(id -u)" -eq 0 ] || exec sudo "$0" "$@"

    for unit in k3s k3s-agent; do
      systemctl stop "$unit.service" 2>/dev/null
    done

    # Containers outlive k3s by design: end each shim with all that runs below it.
    descendants() {
      for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
        echo "$child"
        descendants "$child"
      done
    }
    for process in /proc/[0-9]*; do
      case $(tr '\\0' ' ' <"$process/cmdline" 2>/dev/null) in
      \(K3sPaths.data)/data/*/bin/containerd-shim*)
        shim=${process#/proc/}
        for pid in $(descendants "$shim") "$shim"; do kill -9 "$pid" 2>/dev/null; done ;;
      esac
    done

    # Innermost mounts first.
    awk '{ print $2 }' /proc/self/mounts | sort -r | while read -r place; do
      case $place in
      /run/k3s/* | /var/lib/kubelet/pods/* | /var/lib/kubelet/plugins/* | /run/netns/cni-*)
        umount "$place" && rm -rf --one-file-system "$place" ;;
      esac
    done

    if command -v ip >/dev/null 2>&1; then
      for name in $(ls /run/netns 2>/dev/null | grep '^cni-'); do ip netns delete "$name"; done
      for link in cni0 flannel.1 flannel-v6.1 flannel-wg flannel-wg-v6 kube-ipvs0; do
        ip link delete "$link" 2>/dev/null
      done
    fi
    rm -rf /var/lib/cni/

    for tables in iptables ip6tables; do
      command -v "$tables-save" >/dev/null 2>&1 || continue
      "$tables-save" | grep -v -e KUBE- -e CNI- -e flannel | "$tables-restore"
    done

    """

  /// Takes k3s off a host, its data included.
  static func uninstall(_ role: K3sRoleOfNode) -> String {
    let other: K3sRoleOfNode = role == .server ? .agent : .server
    return """
      #!/bin/sh
      # Removes k3s and all its data from this host; \(mark)
      [ "$(id -u)" -eq 0 ] || exec sudo "$0" "$@"

      [ ! -x \(K3sPaths.killScript) ] || \(K3sPaths.killScript)
      systemctl disable \(role.service).service 2>/dev/null
      rm -f \(K3sPaths.unit(role)) \(K3sPaths.environment(role))
      systemctl daemon-reload
      systemctl reset-failed \(role.service).service 2>/dev/null

      if [ -e \(K3sPaths.unit(other)) ]; then
        echo "\(other.service) is still installed, so its files are kept" >&2
        rm -f \(K3sPaths.uninstallScript(role))
        exit 0
      fi
      for name in \(InstalledUnit.commands.joined(separator: " ")); do
        link=/usr/local/bin/$name
        case $(readlink "$link") in k3s | \(K3sPaths.binary)) rm -f "$link" ;; esac
      done
      rm -rf /etc/rancher/k3s /etc/rancher/node /run/k3s /run/flannel \\
        \(K3sPaths.data) /var/lib/kubelet
      rm -f \(K3sPaths.binary) \(K3sPaths.previousBinary) \(K3sPaths.killScript)
      rm -f \(K3sPaths.uninstallScript(role))

      """
  }
}
