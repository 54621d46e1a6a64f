/// Keeps the connections that have not logged in yet below what sshd lets through.
///
/// sshd starts to drop connections at random from its `MaxStartups`, by default ten; behind one
/// address there may be many hosts of ours.
actor ConnectionLimiter {
  private let limit: Int
  private var counts: [String: Int] = [:]
  private var queues: [String: [CheckedContinuation<Void, Never>]] = [:]

  init(limit: Int = 10) { self.limit = limit }

  /// Waits for a turn at an address; every turn must be given back.
  func enter(_ address: String) async {
    if counts[address, default: 0] < limit {
      counts[address, default: 0] += 1
    } else {
      await withCheckedContinuation { queues[address, default: []].append($0) }
    }
  }

  /// Gives a turn back; the next in line has it at once.
  func leave(_ address: String) {
    if var queue = queues[address], !queue.isEmpty {
      let next = queue.removeFirst()
      queues[address] = queue.isEmpty ? nil : queue
      next.resume()
    } else {
      counts[address] = counts[address, default: 1] == 1 ? nil : counts[address, default: 1] - 1
    }
  }
}
