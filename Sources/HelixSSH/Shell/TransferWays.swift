/// The ways of one transfer's commands to a host: what brings many bytes goes over the second
/// connection, as long as that holds.
struct TransferWays {
  /// From how many bytes on the second connection pays for its login: with several hosts at once
  /// from about half as many, with a single one from about half as many more.
  static let bulkSize = 32 * 1024 * 1024

  private let link: HostLink
  /// The second connection has not failed this transfer yet.
  private var mayHurry = true

  /// - Parameters:
  ///   - link: The host's link.
  ///   - size: How many bytes there are to bring, at most.
  init(_ link: HostLink, size: Int) {
    self.link = link
    // The host's answer to what it has already takes as long as half a login.
    if size >= Self.bulkSize { Task { _ = await link.bulkLink() } }
  }

  /// Runs a command that brings so many bytes.
  ///
  /// Whatever goes wrong with the second connection, nobody knows how far the command came: the
  /// transfer looks what has arrived, and goes on over the first one.
  mutating func run(
    _ request: RemoteRequest, bringing count: Int
  ) async throws -> RemoteResult {
    let end = ContinuousClock.now + request.limit
    let bulk = mayHurry && count >= Self.bulkSize ? await link.bulkLink() : nil
    var request = request
    request.limit = max(end - .now, .milliseconds(1))
    guard let bulk else { return try await link.run(request) }
    mayHurry = false
    do {
      let result = try await bulk.run(request)
      mayHurry = result.output.announcement != nil
      if mayHurry { return result }
    } catch let error as SSHError {
      if error.isOfRequest || error.isConnectionLoss { throw error }
    }
    throw SSHError.endUnseen
  }
}

extension SSHError {
  /// It would be the same on any connection.
  fileprivate var isOfRequest: Bool {
    switch self {
    case .commandTimedOut, .inputUnreadable: true
    default: false
    }
  }
}
