internal import HelixModel

/// Fills a draft from hosts.yaml: groups of `hosts`, `children` and `vars`.
///
/// Where Ansible skips what it does not know with a warning, this is an error: a group whose
/// hosts stand under a misspelt key would otherwise be empty.
struct YAMLInventory {
  private static let sections = ["children", "hosts", "vars"]

  private(set) var draft = InventoryDraft()

  /// Reads the file's one document.
  mutating func read(_ document: Node) {
    guard let top = document.mapping else {
      draft.problems.append(
        wrongType(document, what: "an inventory", wants: "a mapping of groups", example: "all:"))
      return
    }
    if let plugin = top.entry("plugin") {
      draft.problems.append(
        Diagnostic(
          "this is the configuration of an inventory plugin, which helix-infra does not run",
          reason: "an inventory must say the same thing every time it is read",
          remedy: "write the hosts that \"ansible-inventory --list\" prints into the file",
          at: plugin.keyLocation))
      return
    }
    for entry in top.entries { readGroup(entry) }
  }

  private mutating func readGroup(_ entry: Mapping.Entry) {
    draft.addGroup(entry.key, at: entry.keyLocation)
    switch entry.value.value {
    case .null: break
    case .mapping(let body): readBody(body, of: entry.key)
    default:
      draft.problems.append(
        wrongType(
          entry.value, what: "the group \"\(entry.key)\"",
          wants: "a mapping with hosts, children or vars", example: "hosts:"))
    }
  }

  private mutating func readBody(_ body: Mapping, of group: String) {
    for section in body.entries {
      switch section.key {
      case "vars": readVariables(section, of: group)
      case "children": readChildren(section, of: group)
      case "hosts": readHosts(section, of: group)
      default:
        draft.problems.append(
          Diagnostic(
            "\"\(section.key)\" is not a part of a group",
            reason: "Ansible skips it, and with it everything below",
            remedy: nearestName(to: section.key, among: Self.sections)
              .map { "did you mean \"\($0)\"?" }
              ?? "put hosts below \"hosts:\", groups below \"children:\"",
            at: section.keyLocation))
      }
    }
  }

  private mutating func readVariables(_ section: Mapping.Entry, of group: String) {
    guard let variables = entries(of: section, what: "vars") else { return }
    draft.setVariables(variables, ofGroup: group)
  }

  private mutating func readChildren(_ section: Mapping.Entry, of group: String) {
    guard let children = entries(of: section, what: "children") else { return }
    for child in children.entries {
      readGroup(child)
      draft.addChild(child.key, to: group, at: child.keyLocation)
    }
  }

  private mutating func readHosts(_ section: Mapping.Entry, of group: String) {
    guard let hosts = entries(of: section, what: "hosts") else { return }
    for host in hosts.entries {
      do throws(Diagnostic) {
        try readHost(host, of: group)
      } catch {
        draft.problems.append(error)
      }
    }
  }

  private mutating func readHost(_ entry: Mapping.Entry, of group: String) throws(Diagnostic) {
    let (names, port) = try HostRange.expand(Located(entry.key, at: entry.keyLocation))
    var variables: Mapping
    switch entry.value.value {
    case .null: variables = Mapping()
    case .mapping(let mapping): variables = mapping
    default:
      throw wrongType(
        entry.value, what: "the host \"\(entry.key)\"", wants: "a mapping of variables",
        example: "ansible_host: \(entry.value.scalarText ?? "192.168.1.10")")
    }
    if let port {
      let value = Node(.integer(port), at: entry.keyLocation, written: "\(port)")
      variables = Mapping([
        .init(key: "ansible_port", keyLocation: entry.keyLocation, value: value)
      ]).merging(variables)
    }
    for name in names {
      draft.addHost(name, to: group, at: entry.keyLocation)
      draft.setVariables(variables, ofHost: name)
    }
  }

  /// A section's entries; one bare word stands for a mapping with just that key, as in Ansible.
  private mutating func entries(of section: Mapping.Entry, what: String) -> Mapping? {
    let node = section.value
    switch node.value {
    case .null: return nil
    case .mapping(let mapping): return mapping
    case .text(let word) where what != "vars":
      let nothing = Node(.null, at: node.location)
      return Mapping([.init(key: word, keyLocation: node.location, value: nothing)])
    default:
      let first = node.list?.first?.scalarText ?? "name"
      draft.problems.append(
        wrongType(
          node, what: "\"\(what)\"",
          wants: what == "vars" ? "a mapping of variables" : "a mapping of names",
          example: what == "vars" ? "name: value" : "\(first):"))
      return nil
    }
  }

  private func wrongType(
    _ node: Node, what: String, wants: String, example: String
  ) -> Diagnostic {
    Diagnostic(
      "\(what) must be \(wants), and this is \(node.value.typeName)",
      remedy: "write \"\(example)\", indented below it", at: node.location)
  }
}
