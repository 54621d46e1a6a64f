/// The `ansible_*` names that mean something to Ansible, so that misspelt ones can be told apart.
enum ConnectionVariables {
  /// What the login may be answered with.
  static let loginPasswords = ["ansible_password", "ansible_ssh_pass", "ansible_ssh_password"]
  /// What sudo may be answered with.
  static let becomePasswords = [
    "ansible_become_password", "ansible_become_pass", "ansible_sudo_pass",
  ]

  /// Read by helix-infra.
  private static let read = [
    "ansible_host", "ansible_ssh_host", "ansible_port", "ansible_ssh_port", "ansible_user",
    "ansible_ssh_user", "ansible_ssh_private_key_file", "ansible_private_key_file",
    "ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args", "ansible_become",
    "ansible_become_method", "ansible_become_user", "ansible_connection",
    "ansible_host_key_checking", "ansible_ssh_host_key_checking", "ansible_ssh_timeout",
    "ansible_timeout",
  ]

  /// Means something to `ansible-playbook` alone.
  private static let ansibleOnly = [
    "ansible_python_interpreter", "ansible_shell_type", "ansible_shell_executable",
    "ansible_ssh_executable", "ansible_sftp_extra_args", "ansible_scp_extra_args",
    "ansible_ssh_pipelining", "ansible_pipelining",
    "ansible_ssh_retries", "ansible_ssh_transfer_method", "ansible_become_exe",
    "ansible_become_flags", "ansible_remote_tmp", "ansible_group_priority", "ansible_facts",
    "ansible_distribution", "ansible_hostname", "ansible_fqdn", "ansible_nodename",
    "ansible_os_family", "ansible_architecture", "ansible_managed", "ansible_check_mode",
    "ansible_diff_mode", "ansible_version", "ansible_network_os", "ansible_local", "ansible_env",
    "ansible_all_ipv4_addresses", "ansible_default_ipv4", "ansible_interfaces", "ansible_async_dir",
  ]

  static let all = Set(loginPasswords + becomePasswords + read + ansibleOnly)
}
