package import Foundation

/// What a program said and how it ended.
package struct Ran: Sendable {
  /// The exit status; 128 + n when signal n ended it.
  package let status: Int32
  package let output: String
  package let errors: String

  /// Everything it said, for messages of failed expectations.
  package var all: String { "exit \(status)\n\(output)\n\(errors)" }
}

/// A program could not be started.
package struct NotStarted: Error {
  package let program: String
  package let code: Int32
}

/// A program under way, whose words go to files, so that it never waits for a reader.
///
/// Foundation's `Process` will not do: the threads of tests have their signals blocked, a child
/// inherits that, and a shell with SIGCHLD blocked waits for ever.
package final class Running {
  package let pid: pid_t
  private let folder: URL
  private var status: Int32?

  package init(
    _ program: String, _ arguments: [String], in workingFolder: URL? = nil, input: String = "",
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("helix-running-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(input.utf8).write(to: folder.appendingPathComponent("input"))
    // The system's spawn has no portable way to change the folder; exec keeps the pid.
    let there = workingFolder.map { ["/bin/sh", "-c", #"cd "$0" && exec "$@""#, $0.path] } ?? []
    pid = try Self.spawn(
      there + [program] + arguments, environment: environment, streams: folder)
  }

  package var isRunning: Bool {
    reap(WNOHANG)
    return status == nil
  }

  /// Waits for its end.
  package func finish() -> Ran {
    reap(0)
    defer { try? FileManager.default.removeItem(at: folder) }
    return Ran(status: status ?? -1, output: read("output"), errors: read("errors"))
  }

  /// Sends a signal to it and to everything it has started, what was started last first.
  package func signal(_ signal: Int32) { Self.signal(pid, signal) }

  private static func signal(_ pid: pid_t, _ number: Int32) {
    let path = "/proc/\(pid)/task/\(pid)/children"
    let children = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    for child in children.split(separator: " ").compactMap({ pid_t($0) }) {
      signal(child, number)
    }
    kill(pid, number)
  }

  private func reap(_ options: Int32) {
    guard status == nil else { return }
    var raw: Int32 = 0
    guard waitpid(pid, &raw, options) == pid else { return }
    let signal = raw & 0x7f
    status = signal == 0 ? (raw >> 8) & 0xff : 128 + signal
  }

  private func read(_ name: String) -> String {
    let data = FileManager.default.contents(atPath: folder.appendingPathComponent(name).path)
    return String(decoding: data ?? Data(), as: UTF8.self)
  }

  private static func spawn(
    _ arguments: [String], environment: [String: String], streams: URL
  ) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let input = streams.appendingPathComponent("input").path
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
    for (number, name) in [(Int32(1), "output"), (2, "errors")] {
      let path = streams.appendingPathComponent(name).path
      posix_spawn_file_actions_addopen(&actions, number, path, O_WRONLY | O_CREAT, 0o600)
    }
    // A socket of another test would have the child for a second owner, and stay open with it.
    for descriptor in openDescriptors() where descriptor > 2 {
      posix_spawn_file_actions_addclose(&actions, descriptor)
    }
    var attributes = unblocked()
    defer { posix_spawnattr_destroy(&attributes) }
    let argv = arguments.map { strdup($0) } + [nil]
    let envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (argv + envp).forEach { free($0) } }
    var pid: pid_t = 0
    let code = posix_spawnp(&pid, arguments[0], &actions, &attributes, argv, envp)
    guard code == 0 else { throw NotStarted(program: arguments[0], code: code) }
    return pid
  }

  private static func openDescriptors() -> [Int32] {
    let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
    return (names ?? []).compactMap { Int32($0) }
  }

  private static func unblocked() -> posix_spawnattr_t {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    return attributes
  }
}

/// Runs a program to its end; one without a slash is looked for in PATH.
package func run(
  _ program: String, _ arguments: [String], in folder: URL? = nil, input: String = "",
  environment: [String: String] = ProcessInfo.processInfo.environment
) throws -> Ran {
  try Running(program, arguments, in: folder, input: input, environment: environment).finish()
}

/// Runs a script from a file of its own, in a shell that is given by its words (`busybox sh -n`).
package func run(
  script: String, in shell: String = "sh",
  environment: [String: String] = ProcessInfo.processInfo.environment
) throws -> Ran {
  let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
  try Data(script.utf8).write(to: file)
  defer { try? FileManager.default.removeItem(at: file) }
  let words = shell.split(separator: " ").map(String.init)
  return try run(words[0], words.dropFirst() + [file.path], environment: environment)
}

/// The repository's top folder.
package let repository = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
