import Foundation
import HelixModel
import HelixPlan
import TestSupport

@testable import HelixKinds

/// A folder that stands for a host's root, with programs that only write down what they are asked.
final class ShellHost: Sendable {
  private let root: ScratchFolder

  init() throws {
    root = try ScratchFolder()
    for folder in [
      "bin", "etc/rancher/k3s", "usr/local/bin", "var/lib/rancher/k3s", "var/lib/apt/lists",
      "var/lib/helix-infra", "run", "boot",
    ] {
      try root.folder(folder)
    }
  }

  /// Puts a program there; what it was asked stands in `calls`.
  func program(_ name: String, _ body: String) throws {
    let folder = name.hasPrefix("k3s") ? "usr/local/bin" : "bin"
    try root.program(
      "#!/bin/sh\nprintf '%s\\n' \"$*\" >>\(root.file("calls"))\n\(body)\n", "\(folder)/\(name)")
  }

  /// Every call of every program, in order.
  var calls: [String] {
    get throws { try read("calls").split(separator: "\n").map(String.init) }
  }

  func write(_ text: String, to path: String) throws {
    try root.write(text, to: path)
  }

  func read(_ path: String) throws -> String {
    try String(contentsOfFile: root.file(path), encoding: .utf8)
  }

  func remove(_ path: String) throws {
    try FileManager.default.removeItem(atPath: root.file(path))
  }

  func date(_ path: String, _ when: String) throws {
    _ = try shell("touch -d '\(when)' '\(root.file(path))'")
  }

  func run(_ instruction: Instruction) throws -> Ran {
    switch instruction {
    case .run(let script): try shell(inRoot(script))
    case .launch(let launch): try shell(inRoot(launch.script))
    case .wait(let wait): try shell(inRoot(wait.script))
    default: throw Diagnostic("the instruction has no script")
    }
  }

  func ask<Value>(_ fact: Fact<Value>) throws -> Value { try askRaw(fact).0 }

  func askRaw<Value>(_ fact: Fact<Value>) throws -> (Value, String) {
    let result = try shell(
      "HELIX_KEY=key\nHELIX_NOW=$(date +%s)\n\(FactPrelude.script)\n\(inRoot(fact.request.command))"
    )
    let output = result.output.replacingOccurrences(of: root.path, with: "")
    return (try fact.parse(FactAnswer(status: Int(result.status), output: output)), output)
  }

  private func inRoot(_ script: String) -> String {
    [
      "/etc/rancher", "/usr/local/bin", "/var/lib/rancher", "/var/lib/apt",
      "/var/lib/helix-infra", "/var/run/reboot", "/run/reboot", "/boot/",
    ].reduce(script) { text, path in
      path == "/run/reboot"
        // Below /var it has been moved already.
        ? text.replacingOccurrences(of: " /run/reboot", with: " \(root.path)/run/reboot")
        : text.replacingOccurrences(of: path, with: root.path + path)
    }
  }

  private func shell(_ script: String) throws -> Ran {
    var environment = ProcessInfo.processInfo.environment
    environment["PATH"] = "\(root.path)/bin:\(environment["PATH"] ?? "/usr/bin:/bin")"
    return try TestSupport.run(script: script, environment: environment)
  }
}
