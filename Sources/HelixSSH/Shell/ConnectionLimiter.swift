/// Keeps the connections that have not logged in yet below what sshd and this machine stand.
///
/// sshd starts to drop connections at random from its `MaxStartups`, by default ten; behind one
/// address there may be many hosts of ours. The limit over all addresses bounds memory: most of
/// what a session ever needs, it needs for its handshake.
actor ConnectionLimiter {
  /// Allows one handshake; to be given back.
  struct Turn: Sendable {
    fileprivate let address: String
    fileprivate let number: Int
  }

  private let addressLimit: Int
  private let totalLimit: Int
  /// A handshake that takes longer does not count any more, so that hosts which accept a
  /// connection and then say nothing cannot hold up the others.
  private let patience: Duration

  private var atAddress: [String: Int] = [:]
  /// Turns that count toward the limit over all.
  private var counted: Set<Int> = []
  private var nextNumber = 0
  private var queue: [(address: String, entry: CheckedContinuation<Turn, Never>)] = []
  private var isWatching = false

  init(limit: Int = 10, total: Int = 64, patience: Duration = .seconds(2)) {
    addressLimit = limit
    totalLimit = total
    self.patience = patience
  }

  /// Waits for a turn at an address.
  func enter(_ address: String) async -> Turn {
    if let turn = turn(at: address) { return turn }
    return await withCheckedContinuation { entry in
      queue.append((address, entry))
      admit()
    }
  }

  /// Gives a turn back; those who can go now do.
  func leave(_ turn: Turn) {
    counted.remove(turn.number)
    let left = atAddress[turn.address, default: 1] - 1
    atAddress[turn.address] = left == 0 ? nil : left
    admit()
  }

  private var hasRoom: Bool { counted.count < totalLimit }

  private func turn(at address: String) -> Turn? {
    guard hasRoom, atAddress[address, default: 0] < addressLimit else { return nil }
    atAddress[address, default: 0] += 1
    nextNumber += 1
    let number = nextNumber
    counted.insert(number)
    return Turn(address: address, number: number)
  }

  /// Lets in who can go, first come first served at each address.
  private func admit() {
    var waiting: [(address: String, entry: CheckedContinuation<Turn, Never>)] = []
    for (address, entry) in queue {
      if let turn = turn(at: address) {
        entry.resume(returning: turn)
      } else {
        waiting.append((address, entry))
      }
    }
    queue = waiting
    if !queue.isEmpty, !hasRoom { watchForStallers() }
  }

  /// After a while, what is still shaking hands counts no more.
  private func watchForStallers() {
    guard !isWatching else { return }
    isWatching = true
    let stalling = counted
    Task {
      try? await Task.sleep(for: patience)
      isWatching = false
      counted.subtract(stalling)
      admit()
    }
  }
}
