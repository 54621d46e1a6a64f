import Glibc
import HelixModel
import HelixPlan
import Synchronization

@testable import HelixRun

/// A machine of its own as far as helix-infra's scripts can tell: they run on this one, and find
/// their state, their uptime and their boot in its folder.
final class FarMachine: Shell {
  let host: HostName
  let folder: String
  private let state = Mutex((isCut: false, isMute: false, busy: 0, requests: [Command]()))

  /// A machine that has been up for 1000 seconds.
  init(_ host: HostName, in scratch: borrowing ScratchFolder) throws {
    self.host = host
    folder = scratch(host.rawValue)
    guard mkdir(folder, 0o700) == 0 else { throw Diagnostic("no folder for \(host)") }
    try boot("boot-1", uptime: 1000)
  }

  /// Gives the machine another boot or another age.
  func boot(_ name: String, uptime: Int) throws {
    try put("\(uptime).37 4711.00\n", in: "uptime")
    try put("\(name)\n", in: "boot_id")
  }

  func put(_ text: String, in name: String, mode: String = "0644") throws {
    try LocalFile("\(folder)/\(name)", home: "").write(text, mode: mode, nonce: randomNonce())
  }

  func text(of name: String) -> String? {
    (try? contents(of: "\(folder)/\(name)")).flatMap(\.self).map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  /// What it was asked and told, in order.
  var commands: [Command] { state.withLock { $0.requests } }

  /// Whether it is at work on something.
  var isBusy: Bool { state.withLock { $0.busy > 0 } }

  /// Whether it can be reached.
  var isCut: Bool {
    get { state.withLock { $0.isCut } }
    set { state.withLock { $0.isCut = newValue } }
  }

  /// Whether it never answers.
  var isMute: Bool {
    get { state.withLock { $0.isMute } }
    set { state.withLock { $0.isMute = newValue } }
  }

  func run(_ command: Command) async throws -> CommandOutput {
    state.withLock { state in
      state.requests.append(command)
      state.busy += 1
    }
    defer { state.withLock { $0.busy -= 1 } }
    if isMute { try await Task.sleep(for: .seconds(3600)) }
    if isCut { throw Diagnostic("cannot connect to \(host)") }
    var here = command
    here.line = moved(command.line)
    if case .text(let text) = command.input {
      here.input = .text("PATH=\(folder)/bin:$PATH\n\(moved(text))")
    }
    let output = try await LocalHost.shell.run(here)
    // What was done is done; whether we hear of it is another matter.
    if isCut { throw Diagnostic("the connection to \(host) was lost") }
    return output
  }

  private func moved(_ text: String) -> String {
    text.replacing("/var/lib/helix-infra", with: "\(folder)/state")
      .replacing("/proc/uptime", with: "\(folder)/uptime")
      .replacing("/proc/sys/kernel/random/boot_id", with: "\(folder)/boot_id")
  }

  func send(_ transfer: FileTransfer) async throws { try await LocalHost.shell.send(transfer) }
  func close() async {}
}

/// A run that somebody began on a machine far away.
func runIdentity(_ id: String, user: String = "alice", process: String = "") -> RunIdentity {
  RunIdentity(
    id: id, user: user, host: "laptop", pid: 4711, command: "apply",
    started: "2026-11-21T05:45:32.120Z", process: process)
}

/// The shells of machines, for one run.
func shells(of machines: [FarMachine]) -> HostShells {
  HostShells(
    hosts: machines.map { host($0.host) }, remote: ScriptedProvider(machines),
    local: ScriptedShell(.controller))
}
