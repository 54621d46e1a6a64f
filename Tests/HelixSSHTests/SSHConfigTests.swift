import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

/// Settings that come from files of our own, with a home folder of our own.
@Suite("settings from ssh's configuration")
struct SSHConfigTests {
  private let folder: ScratchFolder
  private let local: LocalUser

  init() throws {
    folder = try ScratchFolder()
    try runLocally("/bin/mkdir", "-m", "700", folder.file(".ssh"))
    local = LocalUser(
      name: "me", home: folder.path, agentSocket: "/run/agent",
      systemConfig: folder.file("system"))
  }

  private func settings(
    _ arguments: String = "", name: String = "web-1", policy: HostKeyPolicy = .strict,
    change: (inout Connection) -> Void = { _ in }
  ) throws -> SSHSettings {
    let place = SourceLocation(file: "hosts.yaml", line: 3, column: 5)
    let words = arguments.split(separator: ";").map { Located(String($0), at: place) }
    var connection = Connection(address: name, sshArguments: words)
    change(&connection)
    let host = Host(
      name: "n1", connection: connection, groups: [], variables: Mapping(), location: place)
    return try SSHSettings(host, local: local, policy: policy)
  }

  private func user(_ lines: String) throws {
    try folder.write(lines, to: ".ssh/config")
  }

  @Test("the user's file comes before the system's, and arguments before both")
  func order() throws {
    try user("Host web-*\n  User mine\n  IdentityFile ~/.ssh/%n\n")
    try folder.write("User all\nPort 2200\nConnectTimeout 3\nIdentityFile /all\n", to: "system")
    let settings = try settings("-oConnectTimeout=4;-i;/first")
    #expect(settings.target == "mine@[web-1]:2200")
    #expect(settings.connectTimeout == .seconds(4))
    #expect(settings.identityFiles == ["/first", "\(folder.path)/.ssh/web-1", "/all"])
    #expect(settings.optionalIdentityFiles == ["\(folder.path)/.ssh/web-1", "/all"])
    #expect(settings.defaultIdentityFiles.isEmpty)
    #expect(try self.settings(name: "db-1").user == "all")
  }

  @Test("ansible_ssh_args come before the variables, and those before ansible_ssh_common_args")
  func ansible() throws {
    try user("User file\nPort 1\n")
    let place = SourceLocation(file: "hosts.yaml", line: 9, column: 5)
    let settings = try settings("-oUser=common;-oPort=3;-i;/late") {
      $0.leadingSSHArguments = ["-oPort=2", "-i", "/early"].map { Located($0, at: place) }
      $0.user = "deploy"
      $0.port = 4
      $0.privateKeyFile = "~/50% off"
      $0.knownHostsFiles = ["known"]
    }
    #expect(settings.target == "deploy@[web-1]:2")
    #expect(settings.identityFiles == ["/early", "\(folder.path)/50% off", "/late"])
    #expect(
      settings.systemArguments == [
        "-oPort=2", "-i", "/early", "-o", "Port=4", "-o",
        "IdentityFile=\"\(folder.path)/50%% off\"", "-o", "User=\"deploy\"", "-o",
        "UserKnownHostsFile=\"known\"", "-oUser=common", "-oPort=3", "-i", "/late", "--", "web-1",
      ])
  }

  @Test(
    "the system's ssh understands the arguments we would give it as we do",
    .enabled(if: SSHClient.isAvailable))
  func systemArguments() throws {
    let key = try folder.write("", to: "a \"50% key\\")
    let settings = try settings("-oHostName=10.0.0.1;-oUserKnownHostsFile=/a%%b /c;-F;none") {
      $0.user = "some body"
      $0.port = 99
      $0.privateKeyFile = key
    }
    let theirs = try #require(try SSHClient.understands(settings.systemArguments))
    #expect(theirs["user"] == [settings.user])
    #expect(theirs["port"] == [String(settings.port)])
    #expect(theirs["hostname"] == [settings.address])
    #expect(theirs["userknownhostsfile"] == [settings.userKnownHosts.joined(separator: " ")])
    #expect(theirs["identityfile"] == [settings.identityFiles[0].replacing("%", with: "%%")])
  }

  @Test("included files are looked for beside the user's own")
  func includes() throws {
    try runLocally("/bin/mkdir", folder.file(".ssh/config.d"))
    try folder.write("Port 2201\n", to: ".ssh/config.d/b.conf")
    try folder.write("Port 2202\n", to: ".ssh/config.d/a.conf")
    try user("Include config.d/*.conf\nInclude ~/.ssh/nowhere\n")
    #expect(try settings().port == 2202)
  }

  @Test("-F names the only file, and none reads nothing")
  func onlyFile() throws {
    try user("Port 1\n")
    try folder.write("Port 2\n", to: "system")
    let other = try folder.write("User other\n", to: "other")
    #expect(try settings("-F;\(other)").target == "other@web-1")
    #expect(try settings("-F;none").target == "me@web-1")
    let error = #expect(throws: Diagnostics.self) { try settings("-F;/nowhere/config") }
    #expect(error?.all.map(\.summary) == ["cannot read ssh's configuration /nowhere/config"])
    #expect(error?.all.first?.location?.file == "hosts.yaml")
  }

  @Test("files cannot switch the check of host keys off, but accept new ones or forbid it")
  func policies() throws {
    try user(
      """
      Host off
        StrictHostKeyChecking no
      Host new
        StrictHostKeyChecking accept-new
      Host yes
        StrictHostKeyChecking yes
      """)
    #expect(try settings(name: "off").hostKeyPolicy == .strict)
    #expect(try settings(name: "off", policy: .acceptNew).hostKeyPolicy == .acceptNew)
    #expect(try settings(name: "new").hostKeyPolicy == .acceptNew)
    #expect(try settings(name: "yes", policy: .acceptNew).hostKeyPolicy == .strict)
    #expect(try settings(name: "other", policy: .acceptNew).hostKeyPolicy == .acceptNew)
    #expect(throws: Diagnostics.self) {
      try settings("-oUserKnownHostsFile=/dev/null", name: "new")
    }
  }

  @Test("the agent is found by path, by variable or not at all")
  func agents() throws {
    #expect(try settings("-oIdentityAgent=none").agentSocket == nil)
    #expect(try settings("-oIdentityAgent=SSH_AUTH_SOCK").agentSocket == "/run/agent")
    #expect(try settings("-oIdentityAgent=$PATH").agentSocket == LocalUser.variable("PATH"))
    #expect(try settings("-oIdentityAgent=$NO_SUCH_NAME").agentSocket == nil)
    #expect(try settings("-oIdentityAgent=~/a-%r").agentSocket == "\(folder.path)/a-me")
  }

  @Test("ways to log in keep the order that is preferred, without those that are switched off")
  func methods() throws {
    #expect(try settings().methods == LoginMethod.allCases)
    let preferred = try settings(
      "-oPreferredAuthentications=password,gssapi-with-mic,publickey;-oPasswordAuthentication=yes")
    #expect(preferred.methods == [.password, .publicKey])
    #expect(preferred.needsSystem.isEmpty)
    let none = try settings("-oPreferredAuthentications=gssapi-with-mic")
    #expect(none.methods.isEmpty)
    #expect(none.needsSystem == ["PreferredAuthentications gssapi-with-mic"])
    let off = try settings(
      "-oPubkeyAuthentication=no;-oPasswordAuthentication=no;-oKbdInteractiveAuthentication=no")
    #expect(off.needsSystem == ["logins by key and by password are switched off"])
  }

  @Test("secrets and choices of the inventory are passed on, and a pinned key is read")
  func inventory() throws {
    let key = try makePublicKey()
    let place = SourceLocation(file: "hosts.yaml", line: 7, column: 9)
    let settings = try settings {
      $0.password = SecretValue("geheim")
      $0.transport = .ssh
      $0.hostKey = Located(key, at: place)
      $0.elevation = Elevation(method: .doas, password: SecretValue("auch"))
    }
    #expect(settings.password == SecretValue("geheim"))
    #expect(settings.transport == .ssh)
    #expect(settings.elevation.method == .doas)
    #expect(settings.pinnedKey?.algorithm == "ssh-ed25519")
    for wrong in [
      "", "ssh-ed25519", "ssh-rsa \(key.split(separator: " ")[1])", "AAAA", key + "=",
      String(key.prefix(60)), "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
    ] {
      let error = #expect(throws: Diagnostics.self) {
        try self.settings { $0.hostKey = Located(wrong, at: place) }
      }
      #expect(error?.all.map(\.summary) == ["host_key is no public key"])
      #expect(error?.all.first?.location == place)
    }
  }

  private func makePublicKey() throws -> String {
    _ = try makeKey(in: folder, "pinned")
    return folder.text(of: "pinned.pub").split(separator: " ").prefix(2).joined(separator: " ")
  }
}

// MARK: - What only the system's ssh can do

extension SSHConfigTests {
  @Test(
    "what only the system's ssh can do is a reason in words",
    arguments: [
      ("BindAddress 10.0.0.1", "BindAddress 10.0.0.1"),
      ("BindInterface eth0", "BindInterface eth0"),
      ("KnownHostsCommand /bin/keys %H", "KnownHostsCommand /bin/keys %H"),
      ("VerifyHostKeyDNS ask", "VerifyHostKeyDNS ask"), ("VerifyHostKeyDNS no", nil),
      ("PKCS11Provider /p.so", "PKCS11Provider /p.so"), ("PKCS11Provider none", nil),
      ("SecurityKeyProvider internal", nil), ("ProxyUseFdpass yes", "ProxyUseFdpass yes"),
      ("CanonicalizeHostname yes", "CanonicalizeHostname yes"),
      ("HostbasedAuthentication no", nil), ("RevokedHostKeys /r", "RevokedHostKeys /r"),
      ("RequiredRSASize 2048", nil), ("RequiredRSASize 3072", "RequiredRSASize 3072"),
      ("PubkeyAcceptedAlgorithms +ssh-rsa", nil),
      ("PubkeyAcceptedAlgorithms ssh-ed25519", "PubkeyAcceptedAlgorithms ssh-ed25519"),
      ("Ciphers chacha20-poly1305@openssh.com,aes256-ctr", nil),
      ("Ciphers aes256-cbc", "Ciphers aes256-cbc leaves nothing that libssh2 can do"),
      ("KexAlgorithms -*", "KexAlgorithms -* leaves nothing that libssh2 can do"),
      ("GSSAPIAuthentication yes", nil), ("ForwardAgent yes", nil), ("SendEnv LANG", nil),
      ("Match exec \"exit 0\"\n  Port 1", "Match exec at @:1:1"),
      ("Match user nobody exec \"exit 0\"\n  Port 1", nil),
    ])
  func reasons(lines: String, reason: String?) throws {
    let path = folder.file(".ssh/config")
    try user(lines + "\n")
    let settings = try settings()
    #expect(settings.needsSystem == (reason.map { [$0.replacing("@", with: path)] } ?? []))
    #expect(settings.port == 22)
  }

  @Test("the first word about them counts, and arguments may ask for more")
  func reasonsInArguments() throws {
    try user("VerifyHostKeyDNS yes\nBindAddress 10.0.0.1\n")
    #expect(
      try settings("-oVerifyHostKeyDNS=no;-oForwardAgent=yes;-A;-b;10.0.0.2").needsSystem
        == ["ForwardAgent yes", "the argument -A", "BindAddress 10.0.0.2"])
  }

  @Test("who insists on libssh2 is told what it cannot do")
  func insisting() throws {
    let error = #expect(throws: Diagnostics.self) {
      try settings("-b;10.0.0.2;-oSendEnv=LANG") { $0.transport = .libssh2 }
    }
    #expect(error?.all.map(\.summary) == ["libssh2 cannot do all that is asked of it for n1"])
    #expect(error?.all.first?.reason == "BindAddress 10.0.0.2; SendEnv LANG")
    #expect(try settings { $0.transport = .libssh2 }.transport == .libssh2)
  }

  @Test("files are read once for all hosts")
  func readOnce() throws {
    try user("Port 1\n")
    let files = ConfigFiles()
    let place = SourceLocation(file: "hosts.yaml", line: 3, column: 5)
    func port(_ name: String) throws -> Int {
      let host = Host(
        name: "n1", connection: Connection(address: name), groups: [], variables: Mapping(),
        location: place)
      return try SSHSettings(host, local: local, policy: .strict, files: files).port
    }
    #expect(try port("web-1") == 1)
    try user("Port 2\n")
    #expect(try port("web-2") == 1)
    #expect(try settings().port == 2)
  }

  @Test("a choice of algorithms leaves ours in its own order")
  func algorithms() throws {
    let choice = try settings(
      "-oCiphers=aes256-ctr,aes128-*;-oMACs=-*-512*;-oKexAlgorithms=^ecdh-*"
    )
    .algorithms
    #expect(
      choice.applied(.cipher, to: Algorithms.ciphers)
        == ["aes256-ctr", "aes128-gcm@openssh.com", "aes128-ctr"])
    #expect(
      choice.applied(.mac, to: Algorithms.macs)
        == ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-256"])
    #expect(
      choice.applied(.keyExchange, to: Algorithms.keyExchange).first == "ecdh-sha2-nistp256")
    #expect(choice.applied(.hostKey, to: ["ssh-ed25519"]) == ["ssh-ed25519"])
  }
}

// MARK: - The way to a host

extension SSHConfigTests {
  @Test(
    "each jump host is looked up by its own name, and has nothing of the first host's arguments")
  func jumps() throws {
    try user(
      """
      Host outer
        HostName 10.0.0.1
        User ops
        ProxyCommand nc %h %p as %r for %n
      Host inner
        HostName inner.example.org
        Port 2201
        IdentityFile ~/inner
        HostKeyAlias in
      """)
    let settings = try settings("-J;outer,dba@inner:2202;-oConnectTimeout=3;-i;/k;-F;none")
    #expect(settings.jumps.map(\.target) == ["me@outer", "dba@[inner]:2202"])
    let through = try self.settings("-J;outer,dba@inner:2202;-oConnectTimeout=3;-i;/k")
    #expect(through.jumps.map(\.target) == ["ops@10.0.0.1", "dba@[inner.example.org]:2202"])
    #expect(through.jumps.map(\.hostKeyAlias) == [nil, "in"])
    #expect(through.jumps.map(\.identityFiles) == [[], ["\(folder.path)/inner"]])
    #expect(through.jumps.map(\.connectTimeout) == [.seconds(10), .seconds(10)])
    #expect(through.jumps.map(\.proxyCommand) == ["nc 10.0.0.1 22 as ops for outer", nil])
    #expect(through.jumps[1].jumps == [through.jumps[0]])
    #expect(through.proxyCommand == nil)
    #expect(
      through.jumps.map(\.systemArguments) == [
        ["--", "outer"], ["-l", "dba", "-p", "2202", "-J", "outer", "--", "inner"],
      ])
  }

  @Test("a jump host's own way is followed")
  func jumpsOfJumps() throws {
    try user(
      """
      Host inner
        ProxyJump outer
      Host web-*
        ProxyJump inner
      Host outer
        BindAddress 10.0.0.9
      """)
    let settings = try settings { $0.transport = .ssh }
    #expect(settings.jumps.map(\.address) == ["outer", "inner"])
    #expect(settings.jumps.map(\.host) == ["outer", "inner"])
    #expect(settings.jumps.allSatisfy { $0.transport == .ssh && $0.password == nil })
    #expect(settings.needsSystem == ["BindAddress 10.0.0.9 (jump host outer) (jump host inner)"])
  }

  @Test("jump hosts that go round in a circle are an error")
  func circles() throws {
    try user("Host *\n  ProxyJump bastion\n")
    let own = #expect(throws: Diagnostics.self) { try settings() }
    #expect(own?.all.map(\.summary) == ["the jump hosts of web-1 go round in a circle"])
    #expect(
      own?.all.first?.reason
        == "web-1 is reached through bastion is reached through bastion")
    #expect(own?.all.first?.location?.line == 2)
    try user("Host a\n  ProxyJump b\nHost b\n  ProxyJump c\nHost c\n  ProxyJump a\n")
    let three = #expect(throws: Diagnostics.self) { try settings(name: "a") }
    #expect(
      three?.all.first?.reason
        == "a is reached through b is reached through c is reached through a")
  }

  @Test("a proxy command gets its tokens, and none switches it off")
  func proxyCommands() throws {
    try user("Host db\n  ProxyCommand none\nHost *\n  ProxyCommand nc -x '%h:%p' %% %r %n %k\n")
    #expect(
      try settings("-oHostName=10.0.0.1;-p;99;-l;ops").proxyCommand
        == "nc -x '10.0.0.1:99' % ops web-1 web-1")
    #expect(try settings(name: "db").proxyCommand == nil)
    #expect(throws: Diagnostics.self) { try settings("-oProxyCommand=nc %z") }
  }
}
