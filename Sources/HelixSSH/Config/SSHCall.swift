import HelixModel

/// One call of `ssh` as it would be written on a command line: what it is told, and for whom.
struct SSHCall {
  let destination: String
  var options: SSHOptions
  /// The words before `--` and the destination.
  var arguments: [String]

  /// The call that Ansible would make for a host of the inventory: `ansible_ssh_args`, then the
  /// variables of their own, then `ansible_ssh_common_args` and `ansible_ssh_extra_args`.
  ///
  /// - Throws: all arguments that are wrong, unknown or not possible.
  init(_ host: Host, _ local: LocalUser) throws(Diagnostics) {
    let connection = host.connection
    destination = connection.address
    arguments = connection.leadingSSHArguments.map(\.value)
    var early = SSHArgumentReader(SSHOptions())
    early.read(connection.leadingSSHArguments)
    var options = early.options
    if let port = connection.port {
      options.keep(\.port, port)
      arguments += ["-o", "Port=\(port)"]
    }
    if let file = connection.privateKeyFile {
      // A plain path: only ssh's own options have tokens.
      let path = Located(Tokens.literal(local.expand(file)), at: host.location)
      options.add(SSHOptions.Identity(path: path, isRequired: true))
      arguments += ["-o", "IdentityFile=\(ConfigLine.quoted(path.value))"]
    }
    if let user = connection.user {
      options.keep(\.user, user)
      arguments += ["-o", "User=\(ConfigLine.quoted(user))"]
    }
    if !connection.knownHostsFiles.isEmpty {
      let files = connection.knownHostsFiles.map {
        ConfigLine.quoted(Tokens.literal(local.expand($0)))
      }
      arguments += ["-o", "UserKnownHostsFile=\(files.joined(separator: " "))"]
    }
    var late = SSHArgumentReader(options)
    late.read(connection.sshArguments)
    self.options = late.options
    arguments += connection.sshArguments.map(\.value)
    let problems = early.problems + late.problems
    guard problems.isEmpty else { throw Diagnostics(problems) }
  }

  /// The call that ssh itself makes for a jump host: nothing of the first call's options but `-F`.
  init(to route: JumpRoute, at location: SourceLocation, configFile: Located<String>?) {
    destination = route.host
    options = SSHOptions()
    arguments = []
    if let user = route.user {
      options.user = user
      arguments += ["-l", user]
    }
    if let port = route.port {
      options.port = port
      arguments += ["-p", String(port)]
    }
    if let before = route.before, let route = JumpRoute(before) {
      options.proxy = .jump(Located(route, at: location))
      arguments += ["-J", before]
    }
    if let configFile {
      options.configFile = configFile
      arguments += ["-F", configFile.value]
    }
  }
}
