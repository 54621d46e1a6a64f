import HelixModel
import HelixTemplates

/// Demands as plain text: a line per play, item and argument.
func dump(_ plays: [PlayDemand]) -> String {
  plays.map { play in
    let hosts = play.hosts.map(\.rawValue).joined(separator: " ")
    return "play \"\(play.name)\" at \(play.location) on: \(hosts)\n"
      + play.items.map(dump).joined()
  }.joined()
}

private func dump(_ item: DemandItem) -> String {
  switch item {
  case .role(let role):
    let hosts = role.hosts.map(\.rawValue).joined(separator: " ")
    return "  role \(role.role) at \(role.location) on: \(hosts)\n"
  case .tasks(let tasks): return tasks.map(dump).joined()
  }
}

private func dump(_ task: TaskDemand) -> String {
  "  \(task.host) \(task.module) \"\(task.title)\" as \(task.become == .root ? "root" : "itself")"
    + " at \(task.location)\n"
    + task.arguments.entries.map { "    \($0.key): \(shown($0.value.value))\n" }.joined()
}

/// A value that shows its type.
private func shown(_ value: Value) -> String {
  Value.list([Node(value, at: SourceLocation(file: "", line: 1, column: 1))]).templateText
}
