import HelixModel

/// What a command has said so far, and what it may be told now.
///
/// sudo reads its password from the command's own input, so nothing of the input may be written
/// before it is clear which of the two is being read.
struct Conversation: Sendable {
  let script: RemoteScript
  private(set) var output: OutputCollector
  private(set) var errors: OutputCollector
  private var promptsAnswered = 0

  /// Of each stream, `outputLimit` bytes are kept.
  init(_ script: RemoteScript, outputLimit: Int) {
    self.script = script
    output = OutputCollector(marker: script.marker, limit: outputLimit)
    errors = OutputCollector(marker: script.marker, limit: outputLimit)
  }

  /// Takes what the command wrote, and keeps it.
  mutating func takeOutput(_ bytes: UnsafeRawBufferPointer) { output.take(bytes) }

  /// Takes what the command wrote to its errors, and keeps it.
  mutating func takeErrors(_ bytes: UnsafeRawBufferPointer) { errors.take(bytes) }

  /// Takes what the command wrote, and passes on what is its own.
  mutating func takeOutput(
    _ bytes: UnsafeRawBufferPointer, passingOn pass: (UnsafeRawBufferPointer) -> Void
  ) { output.take(bytes, passingOn: pass) }

  /// Takes what the command wrote to its errors, and passes on what is its own.
  mutating func takeErrors(
    _ bytes: UnsafeRawBufferPointer, passingOn pass: (UnsafeRawBufferPointer) -> Void
  ) { errors.take(bytes, passingOn: pass) }

  /// The remote process, once it has announced itself.
  var process: Int? { output.announcement.flatMap { Int($0) } }

  /// Nobody on the far side takes the input for a password any more.
  var mayWriteInput: Bool { script.ascent?.password == nil || output.announcement != nil }

  /// The password and a line's end, once for the first prompt.
  mutating func takePassword() -> [UInt8]? {
    guard let password = script.ascent?.password, promptsAnswered == 0, prompts > 0 else {
      return nil
    }
    promptsAnswered += 1
    return password.reveal() + [UInt8(ascii: "\n")]
  }

  /// It asks again: the password was wrong, and another try would only lock the account.
  var isPasswordRefused: Bool { output.announcement == nil && prompts > 1 }

  /// What is left behind when the channel has closed with a status.
  ///
  /// A channel that closes without one looks to libssh2 like success: only the command's own last
  /// line, with its status, proves that it came to its end.
  ///
  /// - Throws: `endUnseen` for a success without that line.
  func result(status: Int) throws(SSHError) -> RemoteResult {
    var errors = errors
    if let own = errors.removeLine(script.ending).flatMap({ Int($0) }) {
      return RemoteResult(status: own, output: output, errors: errors)
    }
    let isCertain = status != 0 || errors.isTruncated || output.announcement == nil
    guard isCertain else { throw .endUnseen }
    return RemoteResult(status: status, output: output, errors: errors)
  }

  /// What must be written is known to be nothing more than what was.
  private var prompts: Int {
    output.announcement == nil ? errors.count(ofNoise: script.prompt) : 0
  }
}
