private import CLibSSH2

// What a libssh2 code means, which only the whole state of the connection tells.

extension SSHSession {
  /// The error behind a libssh2 code, from all that is known about the connection.
  func error(of code: Int32, in operation: String) -> SSHError {
    if let failure { return failure }
    let greeting = transport.greeting
    if greeting.version == nil, let said = greeting.said { return .foreign(said: said) }
    if let offer = greeting.offer, stage == .greet || stage == .exchangeKeys,
      let gap = AlgorithmGap(offer: offer, ours: ours)
    {
      return .noCommonAlgorithm(gap)
    }
    let isCut = [
      LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_SEND,
      LIBSSH2_ERROR_BANNER_SEND, LIBSSH2_ERROR_BANNER_RECV,
    ].contains(code)
    if isCut || transport.failure != 0
      || transport.isHungUp && code != LIBSSH2_ERROR_AUTHENTICATION_FAILED
    {
      let error = SSHError.disconnected(stage, said: transport.farewell)
      fail(error)
      return error
    }
    let error = SSHError.library(operation: operation, code: code, detail: lastMessage())
    // libssh2 drops a packet that was changed on its way, and would go on with the next one.
    let isSpoiled = [
      LIBSSH2_ERROR_INVALID_MAC, LIBSSH2_ERROR_DECRYPT, LIBSSH2_ERROR_OUT_OF_BOUNDARY,
    ].contains(code)
    if isSpoiled { fail(error) }
    return error
  }

  func lastMessage() -> String {
    guard let handle else { return "" }
    var text: UnsafeMutablePointer<CChar>?
    var count: Int32 = 0
    libssh2_session_last_error(handle, &text, &count, 0)
    guard let text, count > 0 else { return "" }
    return printable(UnsafeRawBufferPointer(start: text, count: Int(count)))
  }
}
