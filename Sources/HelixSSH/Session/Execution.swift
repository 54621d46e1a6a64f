/// One command on its way over a libssh2 channel.
///
/// Lives inside its session's isolation.
final class Execution {
  var channel: OpaquePointer?
  var talk: Conversation
  /// The server has begun it.
  var isStarted = false
  /// Nobody waits for the result any more.
  var isAbandoned = false
  /// The far side closed the channel: what is still to be written has no reader.
  var isOver = false
  var inputFailure: SSHError?

  init(_ script: RemoteScript, outputLimit: Int) {
    talk = Conversation(script, outputLimit: outputLimit)
  }
}
