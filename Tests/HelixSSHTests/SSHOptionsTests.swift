import HelixModel
import Testing

@testable import HelixSSH

@Suite("ssh options of the inventory")
struct SSHOptionsTests {
  private func located(_ words: String) -> [Located<String>] {
    words.split(separator: ";").enumerated().map { index, word in
      Located(
        String(word), at: SourceLocation(file: "hosts.yaml", line: 1, column: index + 1))
    }
  }

  private func settings(
    _ words: String, policy: HostKeyPolicy = .strict,
    change: (inout Connection) -> Void = { _ in }
  ) throws -> SSHSettings {
    var connection = Connection(address: "10.0.0.7", sshArguments: located(words))
    change(&connection)
    let host = Host(
      name: "n1", connection: connection, groups: [], variables: Mapping(),
      location: SourceLocation(file: "hosts.yaml", line: 1, column: 1))
    let local = LocalUser(name: "me", home: "/home/me", agentSocket: "/run/agent")
    return try SSHSettings(host, local: local, policy: policy)
  }

  @Test("without options the defaults of OpenSSH count")
  func defaults() throws {
    let settings = try settings("")
    #expect(settings.target == "me@10.0.0.7")
    #expect(
      settings.userKnownHosts == ["/home/me/.ssh/known_hosts", "/home/me/.ssh/known_hosts2"])
    #expect(
      settings.globalKnownHosts == ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"])
    #expect(settings.identityFiles.isEmpty)
    #expect(settings.defaultIdentityFiles.first == "/home/me/.ssh/id_ed25519")
    #expect(settings.agentSocket == "/run/agent")
    #expect(settings.hostKeyPolicy == .strict)
    #expect(settings.knownHostsName == ("10.0.0.7", nil))
  }

  @Test("options are understood in every way of writing")
  func ways() throws {
    let settings = try settings(
      "-o;User=root;-oPort=2222;-i;~/.ssh/a;-o;IdentityFile %d/b;-oIdentitiesOnly=yes"
        + ";-o;UserKnownHostsFile=~/k1 /k2;-o;ConnectTimeout=1m30s;-o;serveraliveinterval = 5"
        + ";-oServerAliveCountMax=2;-4;-C;-o;ControlMaster=auto;-o;ProxyCommand=none"
        + ";-o;GlobalKnownHostsFile=none;-oIdentityAgent=%d/agent")
    #expect(settings.target == "root@[10.0.0.7]:2222")
    #expect(settings.identityFiles == ["/home/me/.ssh/a", "/home/me/b"])
    #expect(settings.identitiesOnly)
    #expect(settings.userKnownHosts == ["/home/me/k1", "/k2"])
    #expect(settings.globalKnownHosts.isEmpty)
    #expect(settings.connectTimeout == .seconds(90))
    #expect(settings.loginTimeout == .seconds(90))
    #expect(settings.aliveInterval == .seconds(5))
    #expect(settings.aliveCount == 2)
    #expect(settings.family == .v4)
    #expect(settings.agentSocket == "/home/me/agent")
    #expect(settings.knownHostsName == ("[10.0.0.7]:2222", "10.0.0.7"))
  }

  @Test("the inventory's own variables come before options, and first options before later ones")
  func precedence() throws {
    let settings = try settings("-oUser=a;-lb;-oPort=1;-oHostKeyAlias=node") {
      $0.user = "deploy"
      $0.port = 2200
      $0.privateKeyFile = "~/key%d"
      $0.knownHostsFiles = ["hosts/known"]
    }
    #expect(settings.user == "deploy")
    #expect(settings.port == 2200)
    #expect(settings.identityFiles == ["/home/me/key%d"])
    #expect(settings.userKnownHosts == ["hosts/known"])
    #expect(settings.knownHostsName == ("node", nil))
    #expect(try self.settings("-la;-lb").user == "a")
  }

  @Test("new host keys are accepted where the user or the host says so")
  func policies() throws {
    #expect(try settings("", policy: .acceptNew).hostKeyPolicy == .acceptNew)
    #expect(try settings("-oStrictHostKeyChecking=accept-new").hostKeyPolicy == .acceptNew)
    let strict = try settings("-oStrictHostKeyChecking=yes", policy: .acceptNew)
    #expect(strict.hostKeyPolicy == .strict)
    let error = #expect(throws: Diagnostics.self) {
      try settings("-oStrictHostKeyChecking=accept-new;-oUserKnownHostsFile=/dev/null")
    }
    #expect(error?.all.first?.summary == "new host keys cannot be accepted into /dev/null")
  }

  @Test(
    "what is wrong is refused by name",
    arguments: zip(
      [
        "-oStrictHostKeyChecking=no", "-oLocalForward=1:b:2", "-J;a@", "-oProxyComand=x",
        "-oPort=0", "-oConnectTimeout=soon", "-oIdentitiesOnly=maybe", "-o", "-oPort",
        "bastion", "-W;x", "-oHost=x", "-oCiphers=,", "-F",
        "-oConnectTimeout=", "-Cz", "-oStrictHostKeyChecking=perhaps",
      ],
      [
        "host keys are always checked", "the ssh option LocalForward is not supported",
        "\"a@\" is no way to a host", "unknown ssh option \"ProxyComand\"",
        "\"0\" is not a port", "\"soon\" is not a time", "\"maybe\" is neither yes nor no",
        "the ssh option \"-o\" lacks its value", "the ssh option \"Port\" has no value",
        "\"bastion\" is no ssh option", "the ssh option \"-W\" is not supported",
        "Host cannot be an argument", "\",\" names no algorithms",
        "the ssh option \"-F\" lacks its value",
        "the ssh option \"ConnectTimeout=\" has no value", "the ssh option \"-z\" is not supported",
        "\"perhaps\" says nothing about host keys",
      ]))
  func refusals(words: String, summary: String) {
    let problems = SSHOptions.read(located(words)).problems
    #expect(problems.first?.summary == summary)
    #expect(problems.allSatisfy { $0.location?.file == "hosts.yaml" && $0.reason != nil })
  }

  @Test("all mistakes are told at once, with the nearest name")
  func severalMistakes() {
    let problems = SSHOptions.read(located("-oUsr=a;-oPort=x;-oProxyJump=a,,b")).problems
    #expect(problems.map(\.location?.column) == [1, 2, 3])
    #expect(problems[0].remedy == "did you mean \"User\"?")
  }
}
