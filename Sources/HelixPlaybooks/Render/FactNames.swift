internal import HelixTemplates

/// Ansible's facts, which it puts among the variables and we do not.
enum FactNames {
  private static let facts: Set<String> = [
    "all_ipv4_addresses", "all_ipv6_addresses", "apparmor", "architecture", "bios_date",
    "bios_version", "cmdline", "date_time", "default_ipv4", "default_ipv6", "device_links",
    "devices", "distribution", "distribution_file_variety", "distribution_major_version",
    "distribution_release", "distribution_version", "dns", "domain", "effective_user_id", "env",
    "eth0", "fips", "form_factor", "fqdn", "hostname", "interfaces", "is_chroot", "kernel",
    "kernel_version", "loadavg", "lsb", "lvm", "machine", "machine_id", "memfree_mb",
    "memory_mb", "memtotal_mb", "mounts", "nodename", "os_family", "pkg_mgr", "processor",
    "processor_cores", "processor_count", "processor_nproc", "processor_vcpus", "product_name",
    "python", "python_version", "selinux", "service_mgr", "swapfree_mb", "swaptotal_mb",
    "system", "system_vendor", "uptime_seconds", "user_dir", "user_id", "userspace_architecture",
    "virtualization_role", "virtualization_type",
  ]

  /// The answer to a fact's name; nil for every other name.
  ///
  /// `default` would otherwise quietly choose its other value, where Ansible knows the fact.
  static func refusal(of name: String) -> Member? {
    guard name.hasPrefix("ansible_") else { return nil }
    let fact = name.dropFirst("ansible_".count)
    guard fact == "facts" || fact == "local" || facts.contains(String(fact)) else { return nil }
    return .refused(
      reason: "Ansible asks the host for it while it runs, a plan has to know it before",
      remedy: "set a variable of your own in the inventory")
  }
}
