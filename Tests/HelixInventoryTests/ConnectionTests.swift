import HelixModel
import Testing

@testable import HelixInventory

@Suite("Connections and typed values")
struct ConnectionTests {
  private func connection(_ yaml: String) throws -> (Connection, [String]) {
    let document = try #require(try YAMLReader.readOne(yaml, file: "h.yaml"))
    var reader = ConnectionReader(host: "web-1", variables: try #require(document.mapping))
    return (reader.connection(), reader.problems.map(\.summary))
  }

  @Test("variables become a connection")
  func variables() throws {
    let (connection, problems) = try connection(
      """
      ansible_host: 10.0.0.1
      ansible_port: "2222"
      ansible_user: ops
      ansible_become: "yes"
      ansible_ssh_private_key_file: .lab/key
      """)
    #expect(problems == [])
    #expect(
      connection
        == Connection(
          address: "10.0.0.1", port: 2222, user: "ops", privateKeyFile: ".lab/key", become: .root))
  }

  @Test("a host without variables is reached by its name, as nobody else")
  func defaults() throws {
    let (connection, problems) = try connection("other: 1\n")
    #expect(problems == [])
    #expect(connection == Connection(address: "web-1"))
  }

  @Test("ssh's arguments keep their order and get one form, those of ansible_ssh_args apart")
  func arguments() throws {
    let (connection, problems) = try connection(
      """
      ansible_ssh_extra_args: -o 'ProxyCommand=ssh -W %h:%p gate'
      ansible_ssh_common_args: >-
        -o UserKnownHostsFile=.lab/known -oStrictHostKeyChecking=yes
        -o "UserKnownHostsFile a 'b c'" -J jump -C
      ansible_ssh_args: -o Port=22
      ansible_timeout: 20
      """)
    #expect(problems == [])
    #expect(connection.leadingSSHArguments.map(\.value) == ["-o", "Port=22"])
    #expect(
      connection.sshArguments.map(\.value) == [
        "-o", "ConnectTimeout=20", "-o", "UserKnownHostsFile=.lab/known", "-o",
        "StrictHostKeyChecking=yes", "-o", "UserKnownHostsFile=a 'b c'", "-J", "jump", "-C", "-o",
        "ProxyCommand=ssh -W %h:%p gate",
      ])
  }

  @Test("passwords, ways to become somebody, a pinned key and the transport are read")
  func trust() throws {
    let (connection, problems) = try connection(
      """
      ansible_ssh_pass: 0123
      ansible_become: true
      ansible_become_method: community.general.doas
      ansible_become_user: postgres
      ansible_become_pass: "geheim"
      host_key: ssh-ed25519 AAAA
      transport: libssh2
      """)
    #expect(problems == [])
    #expect(connection.password == SecretValue("0123"))
    #expect(connection.become == .user("postgres"))
    #expect(
      connection.elevation
        == Elevation(
          method: .doas, user: .user("postgres"), password: SecretValue("geheim")))
    #expect(connection.hostKey?.value == "ssh-ed25519 AAAA")
    #expect(connection.hostKey?.location.line == 6)
    #expect(connection.transport == .libssh2)
    #expect(!"\(connection)".contains("geheim") && !"\(connection)".contains("0123"))
    let (never, _) = try self.connection("ansible_become_user: postgres\n")
    #expect(never.become == .never)
    #expect(never.elevation.user == .user("postgres"))
  }

  @Test("the endpoint joins tls-san, after what stands there")
  func certificate() throws {
    let folder = try #require(
      FixtureFolder.all("odd").first { $0.name == "endpoint-not-in-tls-san" })
    let inventory = try InventoryReader.read(folder: "inventory", reader: folder.reader)
    let names = inventory.cluster?.k3s.serverConfig["tls-san"]?.list?.map(\.text)
    #expect(names == ["k3s.example.org", "10.0.0.10"])
  }

  @Test("the repository's own estate is the lab's")
  func own() throws {
    let inventory = try InventoryReader.read(
      folder: "inventory", reader: FixtureFolder.own.reader)
    let connection = try #require(inventory.host("worker-4")?.connection)
    #expect(
      connection
        == Connection(
          address: "10.77.0.24", user: "ops", privateKeyFile: ".lab/id_ed25519",
          sshArguments: connection.sshArguments, become: .root))
    #expect(
      connection.sshArguments.map(\.value) == [
        "-o", "UserKnownHostsFile=.lab/known_hosts", "-o", "StrictHostKeyChecking=yes",
      ])
    #expect(inventory.cluster?.k3s.servers.count == 3)
    #expect(inventory.cluster?.k3s.agents.count == 4)
    #expect(inventory.cluster?.kubeconfig?.path.value == ".helix-infra/kubeconfig")
    #expect(inventory.cluster?.k3s.artifacts == .mirror("http://10.77.0.1:8000"))
    #expect(inventory.linode?.pools.map(\.maximum) == [5])
    #expect(inventory.aws?.targets.map(\.platform) == [.ec2, .eks])
  }

  @Test("the reference cluster is read whole")
  func reference() throws {
    let folder = try #require(FixtureFolder.all("good").first { $0.name == "reference" })
    let inventory = try InventoryReader.read(folder: "inventory", reader: folder.reader)
    let cluster = try #require(inventory.cluster)
    #expect(cluster.k3s.servers == ["master-1", "master-2", "master-3"])
    #expect(cluster.k3s.agents == ["worker-1", "worker-2"])
    #expect(cluster.k3s.token.value == SecretName("k3s-token"))
    #expect(cluster.k3s.version.value == K3sVersion("v1.29.1+k3s2"))
    #expect(inventory.host("worker-1")?.groups == ["all", "worker"])
    #expect(inventory.host("worker-1")?.connection.port == 2222)
  }

  @Test(
    "globs match whole names",
    arguments: [
      ("web-*", "web-1", true), ("web-?", "web-12", false), ("*", "", true),
      ("a*b*c", "aXbYc", true),
      ("a*b*c", "aXbY", false), ("[a-c]1", "b1", true), ("[!a-c]1", "b1", false),
      ("[]]x", "]x", true), ("[ab", "[ab", true), ("**", "x", true),
    ])
  func globs(pattern: String, name: String, fits: Bool) {
    #expect(Glob(pattern).matches(name) == fits)
  }

  @Test(
    "networks know what they hold",
    arguments: [
      ("10.42.0.0/16", "10.42.255.1", true), ("10.42.0.0/16", "10.43.0.1", false),
      ("0.0.0.0/0", "1.2.3.4", true), ("fd00:42::/56", "fd00:42:0:ff::1", true),
      ("fd00:42::/56", "fd00:43::1", false), ("10.0.0.0/8", "::ffff:10.0.0.1", false),
    ])
  func networks(network: String, address: String, holds: Bool) throws {
    let range = try #require(CIDR(network))
    #expect(range.contains(try #require(IPAddress(address))) == holds)
  }

  @Test(
    "what is no address is not taken for one",
    arguments: [
      "10.0.0", "10.0.0.256", "010.0.0.1", "1::2::3", "12345::", "", ":::", "1:2:3:4:5:6:7",
    ])
  func noAddresses(text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test("durations are read as Kubernetes writes them")
  func durations() {
    let place = SourceLocation(file: "d", line: 1, column: 1)
    let seconds = ["300s", "5m", "1h30m", "90", "5 minutes", "s", "", "-5s"].map {
      DurationText.seconds(Node(.text($0), at: place))
    }
    #expect(seconds == [300, 300, 5400, nil, nil, nil, nil, nil])
  }

  @Test("every typed document has a schema that names its keys", arguments: DocumentSchemas.files)
  func schemas(file: String) throws {
    let text = try #require(DocumentSchemas.schema(of: file))
    let schema = try #require(try YAMLReader.readOne(text, file: "schema.json"))
    #expect(schema.mapping?["additionalProperties"]?.value == .bool(false))
    #expect(schema.mapping?["properties"]?.mapping?.isEmpty == false)
  }
}
