/// Where on a host helix-infra keeps what must outlive connections, and by what the host tells its
/// age and its boots.
package enum HostPlaces {
  /// For root alone.
  package static let state = "/var/lib/helix-infra"
  package static let uptime = "/proc/uptime"
  package static let bootID = "/proc/sys/kernel/random/boot_id"

  /// Shell that puts the seconds since the host's start in `up` and the boot's name in `boot`.
  ///
  /// Wall clocks play no part: they jump, and differ between machines.
  package static let telling = """
    read -r up _ <\(uptime); up=${up%%.*}
    read -r boot <\(bootID)
    """
}
