import Foundation
import TestSupport
import Testing

/// The machines the tests work on: Debian systems of their own, made by `Tests/Lab/lab`.
struct Lab {
  static let script = repository.appendingPathComponent("Tests/Lab/lab").path
  /// Labs share one machine's list of names: each copy of the repository has a lab of its own.
  static let name: String = {
    let hash = repository.path.utf8.reduce(UInt32(5381)) { $0 &* 33 &+ UInt32($1) }
    return "test-" + String(hash, radix: 36)
  }()
  /// The release that the repository's own cluster.yaml names.
  static let release = "v1.29.1+k3s2"

  let folder: URL

  /// Nil when there can be a lab on this machine; else why not.
  static let missing: String? = {
    guard ProcessInfo.processInfo.environment["CI"] != "true" else { return nil }
    guard let check = try? run(script, ["check"]), check.status != 0 else { return nil }
    return check.errors.trimmingCharacters(in: .whitespacesAndNewlines)
  }()

  /// Boots the lab, or what of it is down; most tests leave two of the five servers idle.
  static func up(servers: Int = 5, agents: Int = 4) throws -> Lab {
    let folder = repository.appendingPathComponent(".build/lab-test")
    let lab = Lab(folder: folder)
    let up = try lab.lab("up", "--servers", "\(servers)", "--agents", "\(agents)", "--bare")
    try #require(up.status == 0, "\(up.all)")
    let mirror = try run(
      repository.appendingPathComponent("Tests/Lab/mirror").path, [folder.path, release])
    try #require(mirror.status == 0, "\(mirror.all)")
    return lab
  }

  /// Calls the lab's script.
  @discardableResult
  func lab(_ command: String, _ arguments: String...) throws -> Ran {
    try run(
      Self.script, [command] + leading(arguments, of: command) + trailing(arguments, of: command))
  }

  /// Wipes the machines that have heard of a cluster, or were given its names.
  func bare() throws {
    let names = try String(contentsOf: folder.appendingPathComponent("nodes"), encoding: .utf8)
      .split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) }
    let isBare = """
      case $(hostname) in localhost-*) ;; *) exit 1 ;; esac
      ! ls -d /etc/rancher /var/lib/rancher /var/lib/helix-infra 2>/dev/null
      """
    try wipe(names.filter { try inside($0, isBare).status != 0 })
  }

  /// Wipes some machines, all at once.
  func wipe(_ nodes: [String]) throws {
    let running = try nodes.map { node in
      try Running(Self.script, ["wipe", node, "--name", Self.name, "--dir", folder.path])
    }
    for wiping in running {
      let wiped = wiping.finish()
      try #require(wiped.status == 0, "\(wiped.all)")
    }
  }

  /// The cluster's token, a text that no other contains.
  ///
  /// It stays the same for as long as the lab's cluster lives.
  func canary() throws -> String {
    let file = folder.appendingPathComponent("canary")
    if let known = try? String(contentsOf: file, encoding: .utf8) { return known }
    let canary = "canary0f00d5ecre7\(UInt32.random(in: 0..<UInt32.max))"
    try Data(canary.utf8).write(to: file)
    return canary
  }

  /// Runs a shell command as root inside a node.
  func inside(_ node: String, _ command: String) throws -> Ran {
    try run(
      Self.script,
      ["exec", node, "--name", Self.name, "--dir", folder.path, "--", "sh", "-c", command])
  }

  /// The command line that runs a program where the nodes can be reached.
  func reaching(_ program: String, _ arguments: [String]) -> [String] {
    ["run", "--name", Self.name, "--dir", folder.path, "--", program] + arguments
  }

  private func leading(_ arguments: [String], of command: String) -> [String] {
    // Node commands name their node first.
    command == "up" || command == "down" ? [] : Array(arguments.prefix(1))
  }

  private func trailing(_ arguments: [String], of command: String) -> [String] {
    let rest = command == "up" || command == "down" ? arguments : Array(arguments.dropFirst())
    return ["--name", Self.name, "--dir", folder.path] + rest
  }
}

/// A copy of the repository's own inventory and playbooks, as a user's working folder.
final class Estate {
  static let binary = repository.appendingPathComponent(".build/debug/helix-infra").path
  let lab: Lab
  let folder: URL
  /// How many of each its inventory names.
  var size = (servers: 3, agents: 4)

  init(_ lab: Lab) throws {
    self.lab = lab
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("helix-estate-\(UUID().uuidString)")
    let files = FileManager.default
    try files.createDirectory(
      at: folder.appendingPathComponent("secrets"), withIntermediateDirectories: true)
    for name in ["inventory", "playbooks"] {
      try files.copyItem(
        at: repository.appendingPathComponent(name), to: folder.appendingPathComponent(name))
    }
    try files.createSymbolicLink(
      at: folder.appendingPathComponent(".lab"), withDestinationURL: lab.folder)
    let token = folder.appendingPathComponent("secrets/k3s-token")
    try Data("\(try lab.canary())\n".utf8).write(to: token)
    try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: token.path)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// Begins a helix-infra command.
  func begin(_ arguments: String...) throws -> Running { try begin(arguments) }

  /// Runs any program where the nodes can be reached.
  func reach(_ program: String, _ arguments: [String]) throws -> Ran {
    try begin(program, arguments).finish()
  }

  func begin(_ arguments: [String]) throws -> Running {
    try begin(Self.binary, arguments)
  }

  private func begin(_ program: String, _ arguments: [String]) throws -> Running {
    // A cache of its own: the stand-in is another file under a release's name.
    let cache = lab.folder.appendingPathComponent("cache").path
    return try Running(
      Lab.script, lab.reaching("/usr/bin/env", ["XDG_CACHE_HOME=\(cache)", program] + arguments),
      in: folder)
  }

  /// Runs a helix-infra command to its end.
  func helix(_ arguments: String...) throws -> Ran {
    try begin(arguments).finish()
  }

  /// Applies, and requires that it went well.
  func apply() throws {
    let applied = try helix("apply", "--auto-approve")
    try #require(applied.status == 0, "\(applied.all)")
  }

  /// Writes a file below the folder.
  func write(_ text: String, to path: String) throws {
    let file = folder.appendingPathComponent(path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  /// Requires that Python agrees with assertions; `load` reads a JSON file of the folder.
  func check(_ assertions: String) throws {
    let program = """
      import json, jsonschema
      load = lambda name: json.load(open(name))
      \(assertions)
      """
    let checked = try run("python3", ["-c", program], in: folder)
    #expect(checked.status == 0, "\(checked.all)")
  }

  /// Writes the JSON Schema of one of our formats beside what is to be judged by it.
  func writeSchema(_ name: String) throws {
    try write(try helix("schema", name).output, to: "\(name).schema")
  }

  /// Reinstalls a machine, and waits until the cluster has noticed that the old one is gone: a node
  /// that still seems alive under the same name is refused.
  func wipe(_ node: String, asking server: String = "master-2") throws {
    let wiped = try lab.lab("wipe", node)
    try #require(wiped.status == 0, "\(wiped.all)")
    for _ in 0..<60 {
      let seen = try nodes(from: server)
      guard seen.contains(where: { $0.hasPrefix("\(node) ") && $0.contains(" Ready=True") }) else {
        return
      }
      Thread.sleep(forTimeInterval: 0.5)
    }
    Issue.record("\(node) still seems alive")
  }

  /// What a server's kubectl says of the nodes: name, Ready, voter.
  func nodes(from server: String = "master-2") throws -> [String] {
    let path =
      #"{range .items[*]}{.metadata.name}{range .status.conditions[*]}{" "}{.type}={.status}{end}{"\n"}{end}"#
    let ran = try lab.inside(server, "k3s kubectl get nodes -o jsonpath='\(path)'")
    return ran.output.split(separator: "\n").map(String.init).sorted()
  }

  /// Requires that every node is Ready and every server a voter.
  func expectWhole(agents: Int? = nil) throws {
    let nodes = try nodes()
    #expect(nodes.count == size.servers + (agents ?? size.agents), "\(nodes)")
    #expect(nodes.allSatisfy { $0.contains(" Ready=True") }, "\(nodes)")
    #expect(nodes.count { $0.contains("EtcdIsVoter=True") } == size.servers, "\(nodes)")
  }

  /// Requires that a plan has nothing to do.
  func expectNothingToDo() throws {
    let plan = try helix("plan", "--detailed-exitcode")
    #expect(plan.status == 0, "\(plan.all)")
    let hosts = size.servers + size.agents
    #expect(plan.output.hasSuffix("No changes. \(hosts) hosts match.\n"), "\(plan.all)")
  }

  /// The cluster's identity as a node has it on disk.
  func identity(on node: String) throws -> String {
    let path =
      "/var/lib/rancher/k3s/\(node.hasPrefix("master") ? "server/tls" : "agent")/server-ca.crt"
    return try lab.inside(node, "sha256sum < \(path)").output
  }
}
