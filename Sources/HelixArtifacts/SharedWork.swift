/// Lets callers that want the same thing share one piece of work, and keeps what came of it.
///
/// A failure is told to all who waited and then forgotten. A caller who is cancelled waits on while
/// others want the work; when the last one leaves, the work itself is cancelled.
actor SharedWork<Value: Sendable> {
  private struct Entry {
    let task: Task<Value, any Error>
    var waiting: Int
  }

  private var entries: [String: Entry] = [:]

  /// The value of a key, worked out by the first caller who asks for it.
  func value(
    _ key: String, _ work: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let task = join(key, work)
    do {
      let value = try await withTaskCancellationHandler {
        try await task.value
      } onCancel: {
        Task { await self.leave(key, task) }
      }
      entries[key]?.waiting = 0
      return value
    } catch {
      if entries[key]?.task == task { entries[key] = nil }
      throw error
    }
  }

  private func join(
    _ key: String, _ work: @escaping @Sendable () async throws -> Value
  ) -> Task<Value, any Error> {
    var entry = entries[key] ?? Entry(task: Task { try await work() }, waiting: 0)
    entry.waiting += 1
    entries[key] = entry
    return entry.task
  }

  private func leave(_ key: String, _ task: Task<Value, any Error>) {
    guard var entry = entries[key], entry.task == task else { return }
    entry.waiting -= 1
    entries[key] = entry
    guard entry.waiting == 0 else { return }
    // Whoever asks from now on must not be given the cancelled work.
    entries[key] = nil
    task.cancel()
  }
}
