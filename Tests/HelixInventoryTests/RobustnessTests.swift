import Foundation
import HelixModel
import Testing

@testable import HelixInventory

/// Files in memory, by path.
struct MemoryReader: SourceReader {
  var files: [String: String]

  func text(of path: String) throws(Diagnostic) -> String? { files[path] }

  func names(in folder: String) -> [String]? {
    let inside = files.keys.filter { $0.hasPrefix(folder + "/") }
      .compactMap { $0.dropFirst(folder.count + 1).split(separator: "/").first.map(String.init) }
    return inside.isEmpty ? nil : Set(inside).sorted()
  }
}

@Suite("Damaged and large inventories")
struct RobustnessTests {
  private func files(_ url: URL) throws -> [String: String] {
    let names = try #require(FileManager.default.enumerator(atPath: url.path))
    var files: [String: String] = [:]
    for case let name as String in names {
      if let text = try? String(contentsOf: url.appendingPathComponent(name), encoding: .utf8) {
        files["inventory/" + name] = text
      }
    }
    return files
  }

  /// What a finger may do to each line: leave it out, double it, indent it, cut it, lose a mark.
  private func damaged(_ lines: [Substring], at line: Int) -> [[Substring]] {
    let text = lines[line]
    let half = text.prefix(text.count / 2)
    let replacements: [[Substring]] = [
      [], [text, text], ["  " + text], [half], ["\t" + text], [text + ": x"], ["- " + text],
      [text.filter { !":\"'".contains($0) }[...]], [text.filter { !"{}[]".contains($0) }[...]],
      ["\(text.filter { $0 != " " })"],
    ]
    return replacements.map { Array(lines[..<line]) + $0 + Array(lines[(line + 1)...]) }
  }

  @Test("no damaged line crashes the reader, and every refusal has a place and words")
  func damage() throws {
    let good = try files(FixtureFolder.own.url)
    #expect(good.count == 5)
    var refused = 0
    for (path, text) in good.sorted(by: { $0.key < $1.key }) {
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      for line in lines.indices {
        for variant in damaged(lines, at: line) {
          var files = good
          files[path] = variant.joined(separator: "\n")
          do {
            _ = try InventoryReader.read(folder: "inventory", reader: MemoryReader(files: files))
          } catch {
            refused += 1
            #expect(!error.all.isEmpty)
            #expect(error.all.allSatisfy { $0.location != nil && !$0.summary.isEmpty })
          }
        }
      }
    }
    #expect(refused > 200)
  }

  @Test("ten thousand hosts are read in seconds", .timeLimit(.minutes(1)))
  func tenThousand() throws {
    var hosts = "all:\n  children:\n    servers:\n      hosts:\n        server-[1:3]:\n"
    hosts += "    agents:\n      vars: { ansible_user: ops }\n      hosts:\n"
    for number in 0..<10_000 {
      hosts += "        agent-\(number): { ansible_host: 10.\(number / 250).\(number % 250).1 }\n"
    }
    let cluster = """
      cluster: large
      k3s:
        version: v1.29.1+k3s2
        servers: servers
        agents: agents:!agent-17
        endpoint: 192.168.0.1
        token: { secret: k3s-token }
        server-config: { cluster-cidr: 172.16.0.0/16, service-cidr: 172.17.0.0/16 }
      """
    let reader = MemoryReader(files: [
      "inventory/hosts.yaml": hosts, "inventory/cluster.yaml": cluster,
    ])
    let inventory = try InventoryReader.read(folder: "inventory", reader: reader)
    #expect(inventory.hosts.count == 10_003)
    #expect(inventory.cluster?.k3s.agents.count == 9_999)
  }
}
