import HelixModel
import HelixPlaybooks
import Testing

/// Files in memory.
private struct Files: SourceReader {
  var texts: [String: String]

  func text(of path: String) throws(Diagnostic) -> String? { texts[path] }
  func names(in folder: String) -> [String]? { nil }
}

@Suite("playbooks for many hosts")
struct ScaleTests {
  /// Five tasks of every sort: constant, with a variable, with a loop's variable, from a file.
  private static func playbook(tasks: Int) -> String {
    let body = (0..<tasks / 5).map { number in
      """
          - hostname: { name: constant-\(number) }
          - name: Limit {{ inventory_hostname }}
            sysctl: { name: a.\(number), value: "{{ limit }}", reload: false }
          - file: { path: "{{ base }}/\(number)", state: directory, mode: "0755" }
          - template: { src: unit.j2, dest: /etc/unit-\(number) }
          - copy:
              dest: /etc/copy-\(number)
              content: |
                {{ inventory_hostname }} at {{ ansible_host }} in {{ group_names | join(',') }}
                {{ missing | default('none') }} {{ number | int + 1 }}
            vars: { number: \(number) }
      """
    }.joined(separator: "\n")
    return "- hosts: all\n  vars: { base: \"/srv/{{ inventory_hostname_short }}\" }\n  tasks:\n"
      + body + "\n"
  }

  private static func inventory(hosts count: Int) -> Inventory {
    let place = SourceLocation(file: "hosts.yaml", line: 1, column: 1)
    let variables = Mapping([
      .init(key: "limit", keyLocation: place, value: Node(.integer(1024), at: place))
    ])
    let names = (0..<count).map { HostName("host-\($0).example.org") }
    let hosts = names.map { name in
      Host(
        name: name, connection: Connection(address: name.rawValue), groups: ["all", "nodes"],
        variables: variables, location: place)
    }
    return Inventory(
      hosts: hosts,
      groups: [Group(name: "all", children: ["nodes"]), Group(name: "nodes", hosts: names)])
  }

  @Test("ten thousand hosts with twenty tasks each are read whole", .timeLimit(.minutes(2)))
  func manyHosts() throws {
    let reader = PlaybookReader(
      inventory: Self.inventory(hosts: 10_000), catalogue: .sample,
      sources: Files(texts: [
        "site.yaml": Self.playbook(tasks: 20),
        "templates/unit.j2": "Host={{ inventory_hostname }}\nLimit={{ limit * 2 }}\n",
      ]))
    let plays = try reader.read(["site.yaml"])
    var count = 0
    for case .tasks(let tasks) in plays[0].items { count += tasks.count }
    #expect(count == 200_000)
    guard case .tasks(let last) = plays[0].items[19] else { return }
    #expect(
      last[9_999].arguments["content"]?.text
        == "host-9999.example.org at host-9999.example.org in nodes\nnone 4\n")
  }
}
