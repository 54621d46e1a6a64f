import Dispatch

/// The queue on which calls that may block run: name resolution and files.
private let blockingQueue = DispatchQueue(
  label: "helix.ssh.blocking", qos: .userInitiated, attributes: .concurrent)

/// Runs a blocking call away from the event loops and from Swift's own threads.
func blocking<Value: Sendable>(_ call: @escaping @Sendable () -> Value) async -> Value {
  await withCheckedContinuation { continuation in
    blockingQueue.async { continuation.resume(returning: call()) }
  }
}

/// The same for a wait that may be given up; the call then ends unobserved.
func blocking<Value: Sendable>(
  settling pending: Pending<Value>, _ call: @escaping @Sendable () -> Result<Value, any Error>
) {
  blockingQueue.async { pending.settle(call()) }
}
