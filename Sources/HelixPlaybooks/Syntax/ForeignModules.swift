/// Ansible's well-known modules that are no kinds here, so that messages can say why.
enum ForeignModules {
  /// Modules that do something rather than describe a state.
  private static let actions: Set<String> = [
    "add_host", "assert", "async_status", "command", "debug", "expect", "fail", "fetch",
    "group_by", "include_vars", "meta", "pause", "ping", "raw", "reboot", "script", "set_fact",
    "setup", "shell", "slurp", "stat", "uri", "wait_for", "wait_for_connection",
  ]

  /// Modules that bring in other tasks.
  private static let imports: Set<String> = [
    "import_role", "import_tasks", "include_role", "include_tasks",
  ]

  /// Modules that describe a state, without a kind here yet.
  private static let states: Set<String> = [
    "apt_key", "apt_repository", "assemble", "authorized_key", "blockinfile", "cron",
    "deb822_repository", "debconf", "dnf", "docker_container", "firewalld", "get_url", "git",
    "group", "helm", "ini_file", "iptables", "k8s", "known_hosts", "lineinfile", "locale_gen",
    "lvol", "package", "pip", "replace", "rpm_key", "seboolean", "selinux", "subversion",
    "synchronize", "tempfile", "ufw", "unarchive", "user", "yum", "yum_repository",
  ]

  /// The bare name of a module we know of, however it is written.
  static func shortName(of name: String) -> String? {
    let short = name.split(separator: ".").last.map(String.init) ?? name
    let isKnown = actions.contains(short) || imports.contains(short) || states.contains(short)
    return isKnown ? short : nil
  }

  static func reason(for name: String) -> String {
    if imports.contains(name) { return "a play's tasks stand in the play itself" }
    if states.contains(name) { return "it has no kind yet, so its difference cannot be shown" }
    return "it does something rather than say what should be so, and a plan could not show it"
  }

  static func remedy(for name: String) -> String {
    switch name {
    case "package", "dnf", "yum": "use ansible.builtin.apt"
    case "lineinfile", "blockinfile", "replace", "ini_file", "get_url":
      "write the whole file with ansible.builtin.copy or ansible.builtin.template"
    case _ where imports.contains(name): "write the tasks here"
    default: "say what should be so with another module, or keep it for ansible-playbook"
    }
  }
}
