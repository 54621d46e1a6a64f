import HelixModel

/// Bounds what a run may have asked for at once, so that the keeper's memory is bounded too.
final class Allowance: Sendable {
  /// What all requests under way may weigh; a keeper hangs up on those who take twice as much.
  static let limit = 256 * 1024 * 1024
  /// What any request weighs.
  static let least = 64 * 1024

  fileprivate struct State {
    var used = 0
    var waiting: [(weight: Int, turn: Pending<Void>)] = []
  }

  private let state = Lock(State())

  /// A request's weight: what the keeper has to hold for it.
  static func weight(of command: Command) -> Int {
    switch command.input {
    case .nothing, .file: least
    case .text(let text): least + text.utf8.count
    case .secret(let secret): least + secret.reveal().count
    }
  }

  /// Waits until there is room; what was taken must be given back.
  func take(_ weight: Int) async throws {
    let turn = Pending<Void>()
    state.withLock { state in
      state.waiting.append((weight, turn))
      state.admit()
    }
    try await turn.value()
  }

  func giveBack(_ weight: Int) {
    state.withLock { state in
      state.used -= weight
      state.admit()
    }
  }
}

extension Allowance.State {
  /// Lets in who is next, unless they have given up.
  fileprivate mutating func admit() {
    while let next = waiting.first, used == 0 || used + next.weight <= Allowance.limit {
      waiting.removeFirst()
      if next.turn.settle(.success(())) { used += next.weight }
    }
  }
}
