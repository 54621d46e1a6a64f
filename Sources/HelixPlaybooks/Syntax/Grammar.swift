internal import HelixModel

/// The keys of one part of a playbook: those we act on, and those we only know by name.
struct Grammar {
  /// What has these keys: "a play".
  let owner: String
  let supported: Set<String>
  /// Ansible's other keys.
  let others: Set<String>

  /// Why a key cannot stand here; nil when it can.
  func complaint(about entry: Mapping.Entry) -> Diagnostic? {
    if supported.contains(entry.key) { return nil }
    guard others.contains(entry.key) || entry.key.hasPrefix("with_") else { return unknown(entry) }
    return Diagnostic(
      "\"\(entry.key)\" is not supported by this version yet",
      reason: "leaving it out silently would change what \(owner) does",
      remedy: Self.remedies[entry.key] ?? "remove it, or run this playbook with ansible-playbook",
      at: entry.keyLocation)
  }

  func unknown(_ entry: Mapping.Entry) -> Diagnostic {
    Diagnostic(
      "\(owner) has no key \"\(entry.key)\"",
      remedy: suggestion(for: entry.key, among: supported.union(others)) ?? "remove it",
      at: entry.keyLocation)
  }

  /// Whether a key is one of these, acted on or not.
  func knows(_ key: String) -> Bool {
    supported.contains(key) || others.contains(key) || key.hasPrefix("with_")
  }
}

extension Grammar {
  static let play = Grammar(
    owner: "a play",
    supported: [
      "any_errors_fatal", "become", "become_method", "become_user", "gather_facts", "hosts",
      "name", "post_tasks", "pre_tasks", "roles", "tags", "tasks", "vars", "vars_files",
    ],
    others: shared.union([
      "fact_path", "force_handlers", "gather_subset", "gather_timeout", "handlers",
      "max_fail_percentage", "order", "serial", "strategy", "vars_prompt",
    ]))

  static let importPlaybook = Grammar(
    owner: "import_playbook",
    supported: ["import_playbook", "ansible.builtin.import_playbook", "name", "tags", "vars"],
    others: ["when"])

  static let task = Grammar(
    owner: "a task",
    supported: [
      "args", "become", "become_method", "become_user", "loop", "loop_control", "name", "tags",
      "vars", "with_items",
    ],
    others: shared.union([
      "action", "always", "any_errors_fatal", "async", "block", "changed_when", "delay",
      "delegate_facts", "delegate_to", "failed_when", "listen", "local_action", "notify", "poll",
      "register", "rescue", "retries", "until", "when",
    ]))

  static let role = Grammar(
    owner: "a role", supported: ["role", "name", "tags"],
    others: shared.union([
      "any_errors_fatal", "become", "become_method", "become_user", "delegate_facts",
      "delegate_to", "vars", "when",
    ]))

  static let loopControl = Grammar(
    owner: "loop_control", supported: ["label", "loop_var"],
    others: ["break_when", "extended", "extended_allitems", "index_var", "pause"])

  /// Keys that Ansible has for plays, roles and tasks alike.
  private static let shared: Set<String> = [
    "become_exe", "become_flags", "check_mode", "collections", "connection", "debugger", "diff",
    "environment", "ignore_errors", "ignore_unreachable", "module_defaults", "no_log", "port",
    "remote_user", "run_once", "throttle", "timeout",
  ]

  private static let remedies: [String: String] = [
    "block": "write the tasks one after the other",
    "connection": "set ansible_connection in the inventory",
    "handlers": "remove them, and let tasks say which state each service should have",
    "include_tasks": "write the tasks here",
    "import_tasks": "write the tasks here",
    "notify": "remove it, and let a task say which state the service should have",
    "port": "set ansible_port in the inventory",
    "register": "remove it, with whatever reads what it keeps",
    "remote_user": "set ansible_user in the inventory",
    "vars_prompt": "pass the values with -e",
    "when": "let the hosts: of a play select what needs it",
    "with_dict": "write the elements as a list under loop",
    "max_fail_percentage": "remove it: a failed step already stops only what waits for it",
  ]
}
