internal import HelixModel
internal import HelixTemplates

/// Fills one task in for each of its hosts.
struct TaskRenderer {
  /// A mistake on this many hosts is the same on the others; looking for it there takes time.
  private static let mostFaultyHosts = 10

  let task: TaskSyntax
  let playBecome: Bool?
  let play: PlayScope
  let renderer: Renderer
  let reading: Reading

  /// One demand per host and element of the loop, host by host.
  func demands(on hosts: [HostScope]) -> [TaskDemand] {
    var demands: [TaskDemand] = []
    demands.reserveCapacity(hosts.count)
    var faults = 0
    for host in hosts where faults < Self.mostFaultyHosts {
      do {
        try append(host, to: &demands)
      } catch {
        reading.problems.add(error, on: host.host.name)
        faults += 1
      }
    }
    return demands
  }

  private func append(_ host: HostScope, to demands: inout [TaskDemand]) throws(Diagnostic) {
    var scope = TaskScope(host: host, play: play, variables: task.variables)
    guard let loop = task.loop else {
      demands.append(try demand(on: host, in: scope, label: nil))
      return
    }
    for element in try elements(of: loop, in: scope) {
      scope.loopVariable = (loop.variable, element.value)
      var label = element.value
      if let template = loop.label { label = try renderer.render(template, in: scope).value }
      demands.append(try demand(on: host, in: scope, label: label.templateText))
    }
  }

  private func demand(
    on host: HostScope, in scope: TaskScope, label: String?
  ) throws(Diagnostic) -> TaskDemand {
    var title = task.call.word
    if let name = task.name {
      title =
        name.isConstant
        ? name.node.value.templateText
        : try renderer.render(name, in: scope).value.templateText
    }
    if let label { title += " (item=\(label))" }
    return TaskDemand(
      module: task.call.fullName,
      arguments: try task.call.arguments(in: scope, renderer, reading.sources),
      host: host.host.name, title: title, become: become(on: host.host),
      location: task.location)
  }

  private func elements(
    of loop: LoopSyntax, in scope: TaskScope
  ) throws(Diagnostic) -> [Node] {
    let node = try renderer.render(loop.elements, in: scope)
    guard loop.flattens else {
      guard let list = node.list else {
        throw Keywords.wrongType(of: "loop", node, wanted: "a list")
      }
      return list
    }
    return (node.list ?? [node]).flatMap { $0.list ?? [$0] }
  }

  /// As with Ansible, the inventory's `ansible_become` wins over what playbooks say.
  private func become(on host: Host) -> Become {
    guard host.variables["ansible_become"] == nil, let wanted = task.become ?? playBecome else {
      return host.connection.become
    }
    return wanted ? host.connection.elevation.user : .never
  }
}
