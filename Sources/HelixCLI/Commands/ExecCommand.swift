import ArgumentParser
import HelixModel
import HelixRun

/// Runs a command on many hosts.
struct ExecCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exec", abstract: "Run a command on every host of a pattern.",
    discussion: """
      What follows -- is joined with blanks and read by each host's shell, as ssh does: \
      helix-infra exec worker -- 'df -h / | tail -1'. It runs as the user who logs in, unless \
      --become says otherwise, and at most once.

      Each line of output begins with its host; what the command writes to its standard error goes \
      to standard error. Control characters are shown, never obeyed.

      Exit status: the highest of all hosts' own; 255 when a host did not answer or its command's \
      end was not seen; 64 for invalid input, 130 when interrupted. Ctrl-C ends the command where it \
      still runs.
      """)

  @Argument(help: "Which hosts, as an Ansible host pattern.")
  var pattern: String

  @Argument(parsing: .postTerminator, help: "The command, behind --.")
  var command: [String] = []

  @Flag(name: .shortAndLong, help: "Run it as root, or as the inventory's ansible_become_user.")
  var become = false

  @Option(help: "Run it as this user; --become goes without saying.")
  var becomeUser: String?

  @Option(help: "How many seconds a host may take for it.")
  var timeout = 3600

  @Flag(help: "Send our standard input to every host; else the command reads nothing.")
  var stdin = false

  @Flag(help: "Print a line of JSON for each host; `helix-infra schema exec` describes it.")
  var json = false

  @OptionGroup var inventory: InventoryOptions
  @OptionGroup(title: "Hosts") var connection: ConnectionOptions
  @OptionGroup var parallelism: ParallelismOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard command.contains(where: { !$0.allSatisfy(\.isWhitespace) }) else {
      throw ValidationError(
        "there is no command; write it behind --, as in: helix-infra exec all -- uptime")
    }
    guard (1...1_000_000).contains(timeout) else {
      throw ValidationError("--timeout takes a number of seconds from 1 to 1000000")
    }
  }

  func run() async throws {
    let console = Console(common)
    try await console.guarding {
      let selection = try HostSelection.read(pattern, in: inventory)
      console.report(selection.inventory.warnings)
      let reach = try await Reach(
        selection.inventory.hosts, connection,
        secrets: SecretsDesk(selection.inventory.cluster?.secrets).store(folder: "secrets"))
      let input: CommandInput = stdin ? .secret(try StandardInput.read()) : .nothing
      let orders = selection.names.map { name in
        (host: name, command: order(for: selection.inventory.host(name), input))
      }
      let tally = await carryOut(orders, reach, console)
      await reach.close()
      guard tally.status == 0 else { throw ExitCode(tally.status) }
    }
  }

  private func order(for host: Host?, _ input: CommandInput) -> Command {
    Command(
      command.joined(separator: " "), input: input, become: user(on: host), effect: .deed,
      timeout: .seconds(timeout))
  }

  /// An `ansible_become` in the inventory is for playbooks: what is typed by hand becomes another
  /// user only when it says so itself.
  private func user(on host: Host?) -> Become {
    if let becomeUser { return becomeUser == "root" ? .root : .user(becomeUser) }
    guard become else { return .never }
    guard case .user(let name)? = host?.connection.become else { return .root }
    return .user(name)
  }

  private func carryOut(
    _ orders: [(host: HostName, command: Command)], _ reach: Reach, _ console: Console
  ) async -> ExecTally {
    let text = ExecText(hosts: orders.map(\.host), output: console.output, errors: console.errors)
    var tally = ExecTally(hosts: orders.count)
    let clock = SystemClock()
    let stop = StopRequest()
    let signals = StopSignals(stop)
    await Broadcast(shells: reach.shells, parallelism: parallelism.parallelism, clock: clock)
      .run(orders, stop: stop) { answer in
        tally.count(answer)
        if json {
          if let line = try? ExecLine(answer).jsonLine() { console.answer(line) }
        } else {
          tell(answer, text, console)
        }
        if case .unreachable(let diagnostic) = answer.outcome { console.report([diagnostic]) }
      }
    signals.end()
    console.note(text.summary(tally, seconds: clock.now.seconds))
    return tally
  }

  private func tell(_ answer: Broadcast.Answer, _ text: ExecText, _ console: Console) {
    guard case .ended(let output) = answer.outcome else { return }
    console.answer(text.output(output, of: answer.host))
    console.note(text.errors(output, of: answer.host))
  }
}
