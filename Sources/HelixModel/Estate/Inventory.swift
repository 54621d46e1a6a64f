/// Everything the inventory folder says exists.
package struct Inventory: Sendable {
  /// In the order in which Ansible would list them.
  package var hosts: [Host]
  package var groups: [Group]
  package var cluster: ClusterSpec?
  package var linode: LinodeSpec?
  package var aws: AWSSpec?
  /// What is odd but no error.
  package var warnings: [Diagnostic]

  package init(
    hosts: [Host], groups: [Group], cluster: ClusterSpec? = nil, linode: LinodeSpec? = nil,
    aws: AWSSpec? = nil, warnings: [Diagnostic] = []
  ) {
    self.hosts = hosts
    self.groups = groups
    self.cluster = cluster
    self.linode = linode
    self.aws = aws
    self.warnings = warnings
  }

  /// The host with a name.
  package func host(_ name: HostName) -> Host? { hosts.first { $0.name == name } }
}

/// A named set of hosts.
package struct Group: Sendable, Hashable {
  package let name: String
  /// Child groups, in the order written.
  package var children: [String]
  /// Hosts named directly in the group, in the order written.
  package var hosts: [HostName]
  package var location: SourceLocation?

  package init(
    name: String, children: [String] = [], hosts: [HostName] = [], location: SourceLocation? = nil
  ) {
    self.name = name
    self.children = children
    self.hosts = hosts
    self.location = location
  }
}

/// A machine that can be asked and changed.
package struct Host: Sendable {
  package let name: HostName
  package var connection: Connection
  /// Every group the host is in, ancestors included, sorted.
  package var groups: [String]
  /// The variables in force after Ansible's precedence.
  package var variables: Mapping
  package var location: SourceLocation

  package init(
    name: HostName, connection: Connection, groups: [String], variables: Mapping,
    location: SourceLocation
  ) {
    self.name = name
    self.connection = connection
    self.groups = groups
    self.variables = variables
    self.location = location
  }
}

/// How to reach a host, from its `ansible_*` variables.
package struct Connection: Sendable, Hashable {
  /// `ansible_host`, or the host's name.
  package var address: String
  package var port: Int
  /// `ansible_user`; nil means the user who runs helix-infra.
  package var user: String?
  /// `ansible_ssh_private_key_file`, as written (relative to the working folder, `~` allowed).
  package var privateKeyFile: String?
  /// Files of known host keys; empty means OpenSSH's defaults.
  package var knownHostsFiles: [String]
  /// `-o` options and flags from `ansible_ssh_common_args` and `ansible_ssh_extra_args`, split as a shell would.
  package var sshArguments: [Located<String>]
  package var become: Become

  package init(
    address: String, port: Int = 22, user: String? = nil, privateKeyFile: String? = nil,
    knownHostsFiles: [String] = [], sshArguments: [Located<String>] = [], become: Become = .never
  ) {
    self.address = address
    self.port = port
    self.user = user
    self.privateKeyFile = privateKeyFile
    self.knownHostsFiles = knownHostsFiles
    self.sshArguments = sshArguments
    self.become = become
  }
}

/// How a command becomes another user on the host.
package enum Become: Sendable, Hashable, Codable {
  /// Runs as the user who logged in.
  case never
  /// Runs as root through passwordless sudo, unless the login already is root.
  case root
}
