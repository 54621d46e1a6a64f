import HelixModel
import Testing

@testable import HelixInventory

@Suite("variables that SOPS has encrypted")
struct SealedVariablesTests {
  private static let canary = "Y2FuYXJ5"

  private static func sealed(_ lines: String) -> String {
    lines.replacing("SECRET", with: "ENC[AES256_GCM,data:\(canary),iv:a=,tag:b=,type:str]")
      + "\nsops:\n  mac: ENC[AES256_GCM,data:x,iv:a=,tag:b=,type:str]\n  version: 3.9.0\n"
  }

  private static let hosts = """
    all:
      children:
        web: { hosts: { w1: { ansible_host: 10.0.0.1 } }, children: { blue: { hosts: { w1: } } } }
        db: { hosts: { d1: { ansible_host: 10.0.0.2 } } }
    """

  private func read(_ files: [String: String]) throws -> Inventory {
    var all = ["inventory/hosts.yaml": Self.hosts]
    for (name, text) in files { all["inventory/\(name)"] = text }
    return try InventoryReader.read(folder: "inventory", reader: MemoryReader(files: all))
  }

  private func value(_ name: String, of host: String, in inventory: Inventory) throws -> Value? {
    try #require(inventory.host(HostName(host))).variables[name]?.value
  }

  private func mistakes(_ files: [String: String]) -> [String] {
    do {
      _ = try read(files)
      return []
    } catch let error as Diagnostics {
      return error.all.map { "\($0.location.map { "\($0): " } ?? "")\($0.summary)" }
    } catch {
      return ["\(error)"]
    }
  }

  @Test("are secrets by the names of their places, and what stands plain is plain")
  func names() throws {
    let inventory = try read([
      "group_vars/all.sops.yaml": Self.sealed(
        """
        db:
          user: web
          password: SECRET
          "odd \\"key": SECRET
        tokens:
          - SECRET
          - ENC[AES256_GCM,data:x,iv:a=,tag:b=,type:comment]
          - a: SECRET
        empty: ""
        count: 3
        pin: ENC[AES256_GCM,data:x,iv:a=,tag:b=,type:int]
        flag: ENC[AES256_GCM,data:x,iv:a=,tag:b=,type:bool]
        """)
    ])
    let file = "inventory/group_vars/all.sops.yaml"
    let db = try #require(try value("db", of: "w1", in: inventory)?.node.mapping)
    #expect(db["user"]?.value == .text("web"))
    #expect(
      db["password"]?.value == .hidden("\(secret: SecretName("\(file)[\"db\"][\"password\"]"))"))
    #expect(
      db["odd \"key"]?.value
        == .hidden("\(secret: SecretName("\(file)[\"db\"][\"odd \\\"key\"]"))"))
    #expect(db["password"]?.location.description == "\(file):3:13")
    let tokens = try #require(try value("tokens", of: "d1", in: inventory)?.node.list)
    #expect(
      tokens.flatMap { $0.value.secrets } == [
        SecretName("\(file)[\"tokens\"][0]"), SecretName("\(file)[\"tokens\"][2][\"a\"]"),
      ])
    #expect(tokens.count == 2)
    #expect(try value("empty", of: "w1", in: inventory) == .text(""))
    #expect(try value("count", of: "w1", in: inventory) == .integer(3))
    #expect(try value("pin", of: "w1", in: inventory)?.holdsSecret == true)
    #expect(try value("sops", of: "w1", in: inventory) == nil)
    #expect(
      try value("flag", of: "w1", in: inventory)
        == .hidden("\(secret: SecretName("\(file)[\"flag\"]|bool"))"))
    #expect(inventory.variableSecrets.count == 6)
    #expect(inventory.warnings.isEmpty)
  }

  @Test("come after all plain files of the same rank, as with Ansible's plugin")
  func precedence() throws {
    let inventory = try read(
      [
        "group_vars/all.yaml": "a: plain\nb: plain\nc: plain\nd: plain",
        "group_vars/all.sops.yaml": Self.sealed("a: all\nb: all\nc: all\nd: all"),
        "group_vars/web.sops.json":
          #"{"b": "web", "c": "web", "d": "web", "sops": {"mac": "ENC[x]"}}"#,
        "group_vars/blue.yaml": "b: blue",
        "group_vars/blue/x.yaml": "c: blue",
        "host_vars/w1.yaml": "d: host",
        "host_vars/w1.sops.yml": Self.sealed("d: SECRET"),
      ].filter { $0.key != "group_vars/blue.yaml" })
    #expect(try value("a", of: "w1", in: inventory) == .text("all"))
    #expect(try value("b", of: "w1", in: inventory) == .text("web"))
    // What a parent has encrypted beats what its child has plain.
    #expect(try value("c", of: "w1", in: inventory) == .text("web"))
    #expect(
      try value("d", of: "w1", in: inventory)?.secrets
        == [SecretName("inventory/host_vars/w1.sops.yml[\"d\"]")])
    #expect(try value("d", of: "d1", in: inventory) == .text("all"))
  }

  @Test("lie in folders too, and only the first of several endings is read")
  func folders() throws {
    let inventory = try read([
      "group_vars/web/a.sops.yaml": Self.sealed("a: SECRET"), "group_vars/web/b.yaml": "a: plain",
    ])
    #expect(try value("a", of: "w1", in: inventory)?.holdsSecret == true)
    #expect(
      mistakes([
        "group_vars/web.sops.yml": Self.sealed("a: 1"),
        "group_vars/web.sops.yaml": Self.sealed("a: 2"),
      ]) == [
        "inventory/group_vars/web.sops.yaml:1:1: inventory/group_vars/web.sops.yaml is never read"
      ])
  }

  @Test("are refused where they would be no secrets, and nothing of them is quoted")
  func refused() {
    #expect(
      mistakes(["group_vars/all.sops.yaml": "password: SECRET"])
        == [
          "inventory/group_vars/all.sops.yaml:1:1: inventory/group_vars/all.sops.yaml is not encrypted"
        ])
    #expect(
      mistakes(["group_vars/all.yaml": Self.sealed("password: SECRET")]) == [
        "inventory/group_vars/all.yaml:1:1: inventory/group_vars/all.yaml is encrypted with SOPS, and "
          + "its name does not say so"
      ])
    let odd = Self.sealed(
      """
      a: ENC[AES256_GCM,data:\(Self.canary),iv:a=,tag:b=,type:time]
      b: ENC[AES256_GCM,data:\(Self.canary)
      """)
    let found = mistakes(["group_vars/all.sops.yaml": odd])
    #expect(
      found == [
        "inventory/group_vars/all.sops.yaml:1:4: this secret is a time",
        "inventory/group_vars/all.sops.yaml:2:4: this value is damaged",
      ])
    #expect(!"\(found)".contains(Self.canary))
    #expect(
      mistakes(["group_vars/all.sops.yaml": "a: b\n\(Self.canary): \"c"]) == [
        "inventory/group_vars/all.sops.yaml:2:11: inventory/group_vars/all.sops.yaml cannot be read "
          + "as YAML here"
      ])
    #expect(
      mistakes(["group_vars/all.sops.yaml": "[\(Self.canary)]"]) == [
        "inventory/group_vars/all.sops.yaml:1:1: a file of variables must be a mapping, and this is "
          + "a list"
      ])
  }

  @Test("may be passwords, and nothing else that says how to reach a host")
  func connections() throws {
    let inventory = try read([
      "group_vars/all.sops.yaml": Self.sealed(
        "ansible_password: SECRET\nansible_become_password: SECRET\nansible_become: true")
    ])
    let host = try #require(inventory.host("w1"))
    #expect(host.connection.password == nil)
    let store = PasswordStore()
    let known = try host.lookingUpPasswords(in: store)
    let file = "inventory/group_vars/all.sops.yaml"
    #expect(known.connection.password == SecretValue("\(file)[\"ansible_password\"]"))
    #expect(
      known.connection.elevation.password == SecretValue("\(file)[\"ansible_become_password\"]"))
    #expect(
      mistakes([
        "host_vars/w1.sops.yaml": Self.sealed("ansible_user: SECRET\nansible_become: SECRET")
      ]) == [
        "inventory/host_vars/w1.sops.yaml:1:15: ansible_user cannot be a secret",
        "inventory/host_vars/w1.sops.yaml:2:17: ansible_become cannot be a secret",
      ])
  }

  @Test("are listed by name, never as ciphertext")
  func listing() throws {
    let inventory = try read(["host_vars/w1.sops.yaml": Self.sealed("a: SECRET\nb:\n  - SECRET")])
    let text = InventoryListing.list(inventory)
    #expect(text.contains(#""a": "‹secret inventory/host_vars/w1.sops.yaml[\"a\"]›""#))
    #expect(text.contains(#""‹secret inventory/host_vars/w1.sops.yaml[\"b\"][0]›""#))
    #expect(!text.contains(Self.canary))
    #expect(!text.contains("ENC["))
  }

  /// The name of every secret is its value.
  private struct PasswordStore: SecretStore {
    func value(of name: SecretName) throws -> SecretValue { SecretValue(name.rawValue) }
  }
}

extension Value {
  fileprivate var node: Node {
    Node(self, at: SourceLocation(file: "", line: 1, column: 1))
  }
}
