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
  /// `ansible_port`; nil leaves it to ssh's configuration.
  package var port: Int?
  /// `ansible_user`; nil leaves it to ssh's configuration.
  package var user: String?
  /// `ansible_password`, shown to servers only after all keys.
  package var password: SecretValue?
  /// `ansible_password` where it is secret; looked up before anything logs in.
  package var passwordName: TemplateText?
  /// `ansible_ssh_private_key_file`, as written (relative to the working folder, `~` allowed).
  package var privateKeyFile: String?
  /// Files of known host keys; empty means OpenSSH's defaults.
  package var knownHostsFiles: [String]
  /// `-o` options and flags from `ansible_ssh_args`, split as a shell would; they outweigh the
  /// variables above.
  package var leadingSSHArguments: [Located<String>]
  /// The same from `ansible_ssh_common_args` and `ansible_ssh_extra_args`, which the variables
  /// above outweigh.
  package var sshArguments: [Located<String>]
  /// What `ansible_become` and `ansible_become_user` ask for.
  package var become: Become
  /// How commands that need another user get there.
  package var elevation: Elevation
  /// `host_key`: the only key the host may show, `ssh-ed25519 AAAA…`; outweighs known_hosts files.
  package var hostKey: Located<String>?
  package var transport: TransportChoice

  package init(
    address: String, port: Int? = nil, user: String? = nil, password: SecretValue? = nil,
    passwordName: TemplateText? = nil, privateKeyFile: String? = nil,
    knownHostsFiles: [String] = [],
    leadingSSHArguments: [Located<String>] = [], sshArguments: [Located<String>] = [],
    become: Become = .never,
    elevation: Elevation = Elevation(), hostKey: Located<String>? = nil,
    transport: TransportChoice = .auto
  ) {
    self.address = address
    self.port = port
    self.user = user
    self.password = password
    self.passwordName = passwordName
    self.privateKeyFile = privateKeyFile
    self.knownHostsFiles = knownHostsFiles
    self.leadingSSHArguments = leadingSSHArguments
    self.sshArguments = sshArguments
    self.become = become
    self.elevation = elevation
    self.hostKey = hostKey
    self.transport = transport
  }
}

/// As whom a command runs on the host.
package enum Become: Sendable, Hashable, Codable {
  /// As the user who logged in.
  case never
  /// As root, unless the login already is root.
  case root
  /// As some other user.
  case user(String)
}

/// How a login becomes another user.
package struct Elevation: Sendable, Hashable {
  /// The program that does it.
  package enum Method: String, Sendable, Hashable, CaseIterable {
    case sudo, doas
  }

  package var method: Method
  /// Who is meant where something asks to become another user and names nobody
  /// (`ansible_become_user`).
  package var user: Become
  /// What the program may ask for (`ansible_become_password`); nil means that it must not ask.
  package var password: SecretValue?
  /// `ansible_become_password` where it is secret; looked up before anything logs in.
  package var passwordName: TemplateText?

  package init(
    method: Method = .sudo, user: Become = .root, password: SecretValue? = nil,
    passwordName: TemplateText? = nil
  ) {
    self.method = method
    self.user = user
    self.password = password
    self.passwordName = passwordName
  }
}

extension Host {
  /// Whether its variables name passwords that have to be looked up.
  package var namesPasswords: Bool {
    connection.passwordName != nil || connection.elevation.passwordName != nil
  }

  /// The host with the passwords in place that its variables name.
  ///
  /// - Throws: a `Diagnostic` when a secret is unknown.
  package func lookingUpPasswords(in store: some SecretStore) throws(Diagnostic) -> Host {
    var host = self
    if let name = connection.passwordName {
      host.connection.password = try store.fill(name).value
    }
    if let name = connection.elevation.passwordName {
      host.connection.elevation.password = try store.fill(name).value
    }
    return host
  }
}

extension Inventory {
  /// Every secret that a variable holds, each once, in order.
  package var variableSecrets: [SecretName] {
    var seen: Set<SecretName> = []
    return hosts.flatMap { host in host.variables.entries.flatMap(\.value.value.secrets) }
      .filter { seen.insert($0).inserted }
  }
}

/// Which program speaks SSH with a host (`transport` in the inventory).
package enum TransportChoice: String, Sendable, Hashable, CaseIterable {
  /// libssh2, and the system's `ssh` for what libssh2 cannot do.
  case auto
  case libssh2
  case ssh
}
