import Foundation
import HelixInventory
import HelixModel
import HelixPlaybooks
import Testing

/// The folder of this test target's fixtures.
let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

/// The folders in a folder of fixtures.
func cases(in folder: String) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: fixtures.appending(path: folder).path)
    .sorted()
}

/// Files below a folder, as the user's working folder.
struct FolderReader: SourceReader {
  var root: URL

  func text(of path: String) throws(Diagnostic) -> String? {
    guard let data = try? Data(contentsOf: root.appending(path: path)) else { return nil }
    return String(decoding: data, as: UTF8.self)
  }

  func names(in folder: String) -> [String]? {
    try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path)
      .sorted()
  }
}

/// Compares with a recorded text; `HELIX_RECORD=1` records it anew and still fails.
func expectRecorded(_ actual: String, _ path: String) throws {
  let file = fixtures.appending(path: path)
  if ProcessInfo.processInfo.environment["HELIX_RECORD"] == "1" {
    try Data(actual.utf8).write(to: file)
    Issue.record("recorded \(path)")
    return
  }
  let expected = (try? String(contentsOf: file, encoding: .utf8)) ?? "nothing is recorded"
  #expect(actual == expected, "\(path)")
}

/// Diagnostics as people read them, without the marked line.
func shown(_ diagnostics: [Diagnostic]) -> String {
  diagnostics.map { diagnostic in
    let place = diagnostic.location.map { "\($0): " } ?? ""
    return "\(place)\(diagnostic.severity.rawValue): \(diagnostic.summary)\n"
      + (diagnostic.reason.map { "why: \($0)\n" } ?? "")
      + (diagnostic.remedy.map { "fix: \($0)\n" } ?? "")
  }.joined()
}

extension ModuleCatalogue {
  /// Modules and roles in the shapes that real ones have.
  static let sample = ModuleCatalogue(
    modules: [
      ModuleSpec(
        names: ["ansible.builtin.hostname", "hostname"],
        parameters: [.init("name", required: true)]),
      ModuleSpec(
        names: ["community.general.timezone", "timezone"],
        parameters: [.init("name", required: true)]),
      ModuleSpec(names: ["ansible.posix.mount", "mount"], parameters: mountParameters),
      ModuleSpec(
        names: ["community.general.modprobe", "modprobe"],
        parameters: [
          .init("name", required: true), .init("state", choices: ["present", "absent"]),
          .init("persistent", choices: ["present", "absent", "disabled"]),
        ]),
      ModuleSpec(names: ["ansible.posix.sysctl", "sysctl"], parameters: sysctlParameters),
      ModuleSpec(
        names: ["ansible.builtin.copy", "copy"],
        parameters: fileParameters + [
          .init("src", .sourceFile(rendered: false)), .init("content", mayHoldSecrets: true),
        ]),
      ModuleSpec(
        names: ["ansible.builtin.template", "template"],
        parameters: fileParameters + [.init("src", .sourceFile(rendered: true), required: true)]),
      ModuleSpec(
        names: ["ansible.builtin.apt", "apt"],
        parameters: [
          .init("name", .list, aliases: ["package", "pkg"]),
          .init("state", choices: ["present", "absent", "latest"]),
          .init("update_cache", .bool, aliases: ["update-cache"]),
          .init("cache_valid_time", .integer),
        ]),
      ModuleSpec(
        names: [
          "ansible.builtin.systemd_service", "ansible.builtin.systemd", "systemd",
          "systemd_service", "ansible.builtin.service", "service",
        ],
        parameters: serviceParameters),
      ModuleSpec(
        names: ["ansible.builtin.file", "file"],
        parameters: [
          .init("path", .path, required: true, aliases: ["dest", "name"]),
          .init("state", choices: ["absent", "directory", "file"]), .init("mode", .mode),
          .init("owner"), .init("group"), .init("labels", .mapping), .init("anything", .any),
        ]),
    ],
    roles: [
      RoleSpec(name: "helix.infra.k3s"),
      RoleSpec(
        name: "helix.infra.linode_pool", notYet: "it needs the cloud rooms of a later version"),
    ])

  private static let mountParameters: [ModuleSpec.Parameter] = [
    .init("path", .path, required: true, aliases: ["name"]), .init("src", .path),
    .init("fstype", choices: ["swap"]), .init("state", required: true, choices: ["absent"]),
  ]

  private static let sysctlParameters: [ModuleSpec.Parameter] = [
    .init("name", required: true, aliases: ["key"]), .init("value", aliases: ["val"]),
    .init("state", choices: ["present", "absent"]), .init("reload", .bool),
    .init("sysctl_file", .path), .init("sysctl_set", .bool),
  ]

  private static let serviceParameters: [ModuleSpec.Parameter] = [
    .init("name"), .init("state", choices: ["started", "stopped", "restarted", "reloaded"]),
    .init("enabled", .bool), .init("masked", .bool),
    .init("daemon_reload", .bool, aliases: ["daemon-reload"]),
  ]

  private static let fileParameters: [ModuleSpec.Parameter] = [
    .init("dest", .path, required: true), .init("owner"), .init("group"), .init("mode", .mode),
  ]
}
