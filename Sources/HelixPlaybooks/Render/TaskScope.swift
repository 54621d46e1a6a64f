internal import HelixModel
internal import HelixTemplates

/// The variables in force for a play, before any host is known.
final class PlayScope: Namespace {
  /// Names that Ansible sets, and that no variable should have.
  static let magic: Set<String> = ["omit", "playbook_dir"]

  let identity = "play"
  let folder: String
  private let extraVariables: Mapping
  /// The strongest first.
  private let layers: [Mapping]

  init(folder: String, extraVariables: Mapping, layers: [Mapping]) {
    self.folder = folder
    self.extraVariables = extraVariables
    self.layers = layers
  }

  func member(_ name: String) -> Member? {
    magic(name) ?? extraVariables[name].map(Member.written) ?? own(name)
  }

  var memberNames: [String] {
    Set(layers.flatMap(\.keys) + extraVariables.keys).union(Self.magic).sorted()
  }

  func magic(_ name: String) -> Member? {
    switch name {
    case "playbook_dir": .value(.text(folder.isEmpty ? "." : folder))
    case "omit": .value(.text(TaskScope.omitted))
    default: nil
    }
  }

  /// What the play's own keys set.
  func own(_ name: String) -> Member? {
    for layer in layers {
      if let node = layer[name] { return .written(node) }
    }
    return nil
  }
}

/// The variables in force for one task on one host, in Ansible's precedence.
struct TaskScope: Namespace {
  /// What `omit` stands for: text that nobody writes.
  static let omitted = "\u{0}omit this argument\u{0}"

  let host: HostScope
  let play: PlayScope
  let variables: Mapping
  var loopVariable: (name: String, value: Value)?
  /// In template files Ansible also knows `ansible_managed`.
  private var isFile = false

  init(host: HostScope, play: PlayScope, variables: Mapping) {
    self.host = host
    self.play = play
    self.variables = variables
  }

  /// The same for a template file.
  var forFiles: TaskScope {
    var scope = self
    scope.isFile = true
    return scope
  }

  var identity: String { host.identity }

  func member(_ name: String) -> Member? {
    if let loopVariable, loopVariable.name == name { return .value(loopVariable.value) }
    if let magic = host.magic(name) ?? play.magic(name) ?? host.extra(name) { return magic }
    if let node = variables[name] { return .written(node) }
    if let member = play.own(name) ?? host.own(name) { return member }
    return isFile && name == "ansible_managed" ? .value(.text("Ansible managed")) : nil
  }

  var memberNames: [String] {
    let own = variables.keys + (loopVariable.map { [$0.name] } ?? [])
    return Set(own).union(host.memberNames).union(play.memberNames).sorted()
  }
}
