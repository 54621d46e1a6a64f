import HelixModel
import Testing

@testable import HelixInventory

@Suite("Host patterns")
struct HostPatternTests {
  private static let place = SourceLocation(file: "p", line: 1, column: 1, length: 1)

  private static let inventory: Inventory = {
    let names: [HostName] = ["master-1", "master-2", "master-3", "worker-1", "worker-2", "db.lan"]
    let hosts = names.map {
      Host(
        name: $0, connection: Connection(address: $0.rawValue), groups: [], variables: Mapping(),
        location: place)
    }
    return Inventory(
      hosts: hosts,
      groups: [
        HelixModel.Group(name: "all", children: ["ungrouped", "cluster"]),
        HelixModel.Group(name: "ungrouped", hosts: ["db.lan"]),
        HelixModel.Group(name: "cluster", children: ["master", "worker"]),
        HelixModel.Group(name: "master", hosts: ["master-1", "master-2", "master-3"]),
        HelixModel.Group(name: "worker", hosts: ["worker-1", "worker-2"]),
      ])
  }()

  private func select(_ pattern: String) throws(Diagnostic) -> String {
    let text = Located(
      pattern, at: SourceLocation(file: "p", line: 1, column: 5, length: pattern.count))
    return try HostPattern(text).select(from: Self.inventory).map(\.rawValue)
      .joined(separator: " ")
  }

  @Test(
    "select the hosts that Ansible selects",
    arguments: [
      ("all", "db.lan master-1 master-2 master-3 worker-1 worker-2"),
      ("*", "db.lan master-1 master-2 master-3 worker-1 worker-2"),
      ("worker:master", "worker-1 worker-2 master-1 master-2 master-3"),
      ("worker, master-2", "worker-1 worker-2 master-2"),
      ("all:!master", "db.lan worker-1 worker-2"),
      ("!master:all:&cluster", "worker-1 worker-2"),
      ("&worker", "worker-1 worker-2"),
      ("master[0]", "master-1"), ("master[-1]", "master-3"), ("master[1:2]", "master-2 master-3"),
      ("master[1:]", "master-2 master-3"), ("master[0:9]", "master-1 master-2 master-3"),
      ("master[0:0]:worker[1]", "master-1 worker-2"),
      ("*-1", "master-1 worker-1"), ("~.*-[12]$", "master-1 master-2 worker-1 worker-2"),
      ("master-?", "master-1 master-2 master-3"), ("db.lan", "db.lan"),
      ("localhost", "localhost"), ("worker:!worker", ""),
    ])
  func selections(pattern: String, hosts: String) throws {
    #expect(try select(pattern) == hosts)
  }

  @Test(
    "refuse what selects nothing or makes no sense",
    arguments: [
      ("worker:!mastr", "p:1:12: no host or group is named \"mastr\"", "did you mean \"master\"?"),
      ("web*", "p:1:5: no host or group matches \"web*\"", nil),
      ("master[3]", "p:1:5: \"master\" has no host [3]", "choose a number that it has"),
      ("master[2:1]", "p:1:5: the range [2:1] runs backwards", "write [1:2]"),
      ("", "p:1:5: the host pattern is empty", nil),
      ("all:!", "p:1:9: \"!\" names no host", nil),
      ("~(", "p:1:5: \"~(\" is not a regular expression", nil),
    ] as [(String, String, String?)])
  func refusals(pattern: String, summary: String, remedy: String?) throws {
    do {
      _ = try select(pattern)
      Issue.record("nothing was refused")
    } catch {
      #expect("\(error.location?.description ?? ""): \(error.summary)" == summary)
      if let remedy { #expect(error.remedy == remedy) }
    }
  }
}
