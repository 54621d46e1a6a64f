import Foundation
import HelixModel
import HelixPlan
import TestSupport

/// A folder that stands for a server's root, with a program `k3s` that writes down how it is called
/// and answers what a test has laid for its verb.
struct FakeKubectl {
  let root: ScratchFolder

  init() throws {
    root = try ScratchFolder()
    try root.program(Self.program(root.path), "usr/local/bin/k3s")
  }

  /// Answers stand in files called after the verb; `dry-run` is the apply that changes nothing,
  /// `forced-` stands before one that takes fields over.
  private static func program(_ root: String) -> String {
    """
    #!/bin/sh
    shift 2
    verb=$1
    [ "$1" != -n ] || verb=$3
    case "$*" in *--dry-run=server*) verb=dry-run ;; esac
    case "$*" in *--force-conflicts*) verb=forced-$verb ;; esac
    printf '%s\\n' "$*" >>\(root)/calls
    case "$*" in *"-f -"*) cat >\(root)/stdin-$verb ;; esac
    [ ! -f \(root)/answer-$verb ] || cat \(root)/answer-$verb
    [ ! -f \(root)/errors-$verb ] || { cat \(root)/errors-$verb >&2; exit 1; }
    """
  }

  func answer(_ verb: String, _ text: String, failing errors: String? = nil) throws {
    try root.write(text, to: "answer-\(verb)")
    if let errors { try root.write(errors, to: "errors-\(verb)") }
  }

  /// How kubectl was called, without the limits that every call has.
  var calls: [String] { root.text(of: "calls").split(separator: "\n").map(String.init) }

  func input(of verb: String) throws -> String {
    try String(contentsOfFile: root.file("stdin-\(verb)"), encoding: .utf8)
  }

  func ask<Value>(_ fact: Fact<Value>, in shell: String = "sh", served: Bool = true) throws -> Value
  {
    // As the observer asks: nothing on standard input, and what is complained about is lost.
    let script = "(eval \(shellQuoted(inRoot(fact.request.command)))) </dev/null 2>/dev/null"
    let result = try run(script, in: shell, served: served)
    return try fact.parse(FactAnswer(status: Int(result.status), output: result.output))
  }

  /// Runs a step's script as the executor does.
  func perform(_ script: String, in shell: String = "sh", stopping: Bool = true) throws -> Ran {
    try run((stopping ? "set -eu\n" : "") + inRoot(script), in: shell)
  }

  private func inRoot(_ script: String) -> String {
    script.replacingOccurrences(of: "/usr/local/bin", with: root.path + "/usr/local/bin")
  }

  private func run(_ script: String, in shell: String, served: Bool = true) throws -> Ran {
    try TestSupport.run(
      script: "systemctl() { return \(served ? 0 : 3); }\n\(script)", in: shell)
  }
}
