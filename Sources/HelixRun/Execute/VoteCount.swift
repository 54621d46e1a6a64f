import HelixModel
import HelixPlan

/// Asks all servers at once what they know of etcd's votes.
struct VoteCount: Sendable {
  let ports: RunPorts
  let quorum: QuorumGuard

  /// How long one server may take; one that hangs must not hold up the others' steps for ever.
  private static let limit: Duration = .seconds(40)

  /// What each server says; one that cannot be asked in time has no word.
  func words() async -> [HostName: QuorumWord] {
    await withTaskGroup(of: HostAnswer<QuorumWord?>.self) { group in
      for host in Set(quorum.seats.map(\.host)) {
        group.addTask { HostAnswer(host, try? await word(of: host)) }
      }
      var words: [HostName: QuorumWord] = [:]
      for await answer in group { words[answer.host] = answer.value }
      return words
    }
  }

  private func word(of host: HostName) async throws -> QuorumWord? {
    try await within(Self.limit, clock: ports.clock) {
      let command = Command.script(
        ShellScript(quorum.script, .goesOn), .question, become: ports.shells.become(on: host),
        timeout: Self.limit)
      return QuorumWord(try await ports.shells.shell(to: host).run(command).output)
    }
  }
}
