internal import HelixModel

/// Reads the Ansible part of an inventory folder: the hosts file, group_vars/ and host_vars/.
struct AnsibleReader {
  /// The hosts file may have any of these names; a folder has one of them.
  static let hostsFiles = ["hosts.yaml", "hosts.yml", "hosts.ini", "hosts"]

  private let folder: String
  private let reader: any SourceReader
  private(set) var problems: [Diagnostic] = []
  private(set) var warnings: [Diagnostic] = []

  init(folder: String, reader: any SourceReader) {
    self.folder = folder
    self.reader = reader
  }

  /// The hosts and groups; nil when the hosts file could not be read at all.
  mutating func read(names: [String]) -> (hosts: [Host], groups: [HelixModel.Group])? {
    guard let file = hostsFile(among: names), var draft = draft(from: "\(folder)/\(file)") else {
      return nil
    }
    draft.settle()
    problems += draft.problems
    warnings += draft.warnings
    var files = VariableFiles(in: folder, reader: reader)
    var precedence = VariablePrecedence(
      draft: draft,
      groupFiles: files.variables(in: "group_vars", known: draft.groupNames),
      hostFiles: files.variables(in: "host_vars", known: draft.hostNames.map(\.rawValue)))
    problems += files.problems
    warnings += files.warnings
    let hosts = draft.hostNames.compactMap { host($0, in: draft, &precedence) }
    let groups = draft.groupNames.compactMap { draft.groups[$0] }.map {
      HelixModel.Group(
        name: $0.name, children: $0.children, hosts: $0.hosts, location: $0.location)
    }
    checkNamesAndAddresses(hosts)
    return (hosts, groups)
  }

  private mutating func host(
    _ name: HostName, in draft: InventoryDraft, _ precedence: inout VariablePrecedence
  ) -> Host? {
    guard let known = draft.hosts[name] else { return nil }
    let variables = precedence.variables(of: name)
    var connection = ConnectionReader(host: name, variables: variables)
    let host = Host(
      name: name, connection: connection.connection(),
      groups: ([InventoryDraft.all] + draft.groupsByPrecedence(of: name)).sorted(),
      variables: variables, location: known.location)
    problems += connection.problems
    warnings += connection.warnings
    return host
  }

  // MARK: - The hosts file

  private mutating func hostsFile(among names: [String]) -> String? {
    let found = Self.hostsFiles.filter(names.contains)
    guard let first = found.first else {
      problems.append(
        Diagnostic(
          "there is no hosts.yaml in \(folder)/", reason: "it says which machines there are",
          remedy: "write one, or name another folder with --inventory",
          at: SourceLocation(file: "\(folder)/hosts.yaml", line: 1, column: 1)))
      return nil
    }
    guard found.count == 1 else {
      problems.append(
        Diagnostic(
          "\(folder)/ has both \(first) and \(found[1])", reason: "only one of them would count",
          remedy: "keep one of them",
          at: SourceLocation(file: "\(folder)/\(found[1])", line: 1, column: 1)))
      return nil
    }
    return first
  }

  private mutating func draft(from path: String) -> InventoryDraft? {
    do {
      guard let text = try reader.text(of: path) else { return nil }
      guard path.hasSuffix(".yaml") || path.hasSuffix(".yml") else {
        var inventory = INIInventory(file: path)
        inventory.read(text)
        return inventory.draft
      }
      guard let document = try YAMLReader.readOne(text, file: path) else {
        problems.append(
          Diagnostic(
            "\(path) is empty", reason: "it says which machines there are",
            remedy: "write the group all: with its hosts: below",
            at: SourceLocation(file: path, line: 1, column: 1)))
        return nil
      }
      var inventory = YAMLInventory()
      inventory.read(document)
      return inventory.draft
    } catch let error as Diagnostics {
      problems += error.all
    } catch let error as Diagnostic {
      problems.append(error)
    } catch {
      problems.append(Diagnostic("\(error)"))
    }
    return nil
  }

  // MARK: - Checks

  /// Two names for one machine would have it changed twice at once.
  private mutating func checkNamesAndAddresses(_ hosts: [Host]) {
    var byAddress: [String: Host] = [:]
    var byName: [String: Host] = [:]
    for host in hosts {
      let address = "\(host.connection.address.lowercased()) \(host.connection.port ?? 22)"
      if let first = byAddress[address] {
        let place = host.variables["ansible_host"]?.location ?? host.location
        problems.append(
          Diagnostic(
            "\"\(host.name)\" has the address of \"\(first.name)\", \(host.connection.address)",
            reason: "both names would change the same machine at once",
            remedy:
              "correct one address, or keep one name (the other is in line \(first.location.line))",
            at: place))
      }
      byAddress[address] = byAddress[address] ?? host
      if let first = byName[host.name.rawValue.lowercased()] {
        problems.append(
          Diagnostic(
            "\"\(host.name)\" and \"\(first.name)\" differ only in upper and lower case",
            reason: "names of machines and nodes are the same in either case",
            remedy: "give one of them another name", at: host.location))
      }
      byName[host.name.rawValue.lowercased()] = host
    }
  }
}
