internal import Foundation
private import Synchronization

#if canImport(FoundationNetworking)
  internal import FoundationNetworking
#endif

/// Why one request did not bring its whole body.
enum TransferFailure: Error {
  /// The server answered with something else than a file.
  case status(Int)
  /// The server cannot go on from where the file ends.
  case staleRange
  /// No answer, or the answer broke off.
  case broken(URLError)
  case cannotWrite(Int32)
  case tooLarge(limit: Int)
}

/// One request whose body goes into a file as it comes.
///
/// The session hands bytes over as fast as they arrive and cannot be slowed down (a suspended task
/// is fatal on Linux), so what bounds memory is to ask for a large file in pieces.
final class Transfer: NSObject, URLSessionDataDelegate, Sendable {
  /// Who comes first, the one who waits or the end, leaves word for the other: a task that is
  /// cancelled at once can end before anyone waits for it.
  private enum End {
    case open
    case awaited(CheckedContinuation<Void, any Error>)
    case reached(Result<Void, any Error>)
  }

  private struct State {
    var failure: TransferFailure?
    var size: Int
    /// Of the whole file, as far as the server has told.
    var total: Int?
    var end = End.open
  }

  private let url: URL
  private let descriptor: Int32
  private let start: Int
  private let piece: Int?
  private let limit: Int
  private let state: Mutex<State>

  private init(_ url: URL, descriptor: Int32, start: Int, piece: Int?, limit: Int) {
    self.url = url
    self.descriptor = descriptor
    self.start = start
    self.piece = piece
    self.limit = limit
    state = Mutex(State(size: start))
  }

  /// Fetches a file, or its next piece after what is there already.
  ///
  /// - Returns: whether the file is whole now.
  /// - Throws: a `TransferFailure`, or `CancellationError`; what came is kept in the file.
  static func fetch(
    _ url: URL, into path: String, piece: Int? = nil, silence: Int, limit: Int
  ) async throws -> Bool {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw TransferFailure.cannotWrite(errno) }
    defer { close(descriptor) }
    let start = Int(lseek(descriptor, 0, SEEK_END))
    guard start >= 0 else { throw TransferFailure.cannotWrite(errno) }
    let transfer = Transfer(
      url, descriptor: descriptor, start: start, piece: piece, limit: limit)
    try await transfer.run(silence: silence)
    return transfer.isWhole
  }

  /// Without a total, only a piece shorter than asked for tells that it was the last.
  private var isWhole: Bool {
    state.withLock { state in
      if let total = state.total { return state.size >= total }
      return piece.map { state.size - start < $0 } ?? true
    }
  }

  private func run(silence: Int) async throws {
    let configuration = URLSessionConfiguration.ephemeral
    // Counts from the last byte of an answer: a slow mirror may take its time, a silent one not.
    configuration.timeoutIntervalForRequest = TimeInterval(silence)
    let session = URLSession(configuration: configuration, delegate: self, delegateQueue: nil)
    defer { session.finishTasksAndInvalidate() }
    let task = session.dataTask(with: request())
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        wait(continuation)
        task.resume()
      }
    } onCancel: {
      task.cancel()
    }
  }

  private func request() -> URLRequest {
    var request = URLRequest(url: url, cachePolicy: .reloadIgnoringLocalCacheData)
    // Sums and ranges count the file's own bytes.
    request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
    request.setValue("helix-infra", forHTTPHeaderField: "User-Agent")
    if let piece {
      request.setValue("bytes=\(start)-\(start + piece - 1)", forHTTPHeaderField: "Range")
    }
    return request
  }

  // MARK: - What the session tells

  /// An encrypted connection is not given up for an open one.
  func urlSession(
    _ session: URLSession, task: URLSessionTask,
    willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
    completionHandler: @escaping @Sendable (URLRequest?) -> Void
  ) {
    let isDowngrade = url.scheme?.lowercased() == "https" && request.url?.scheme != "https"
    completionHandler(isDowngrade ? nil : request)
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
  ) {
    let failure = judge(response)
    if let failure { fail(failure) }
    completionHandler(failure == nil ? .allow : .cancel)
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    if let failure = store(data) {
      fail(failure)
      dataTask.cancel()
    }
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
  ) {
    let failure: (any Error)? = state.withLock { $0.failure } ?? error.map(Self.meaning)
    finish(failure.map { .failure($0) } ?? .success(()))
  }

  // MARK: - What it means

  /// Decides by the answer's head whether the body is ours, and where in the file it begins.
  private func judge(_ response: URLResponse) -> TransferFailure? {
    guard let answer = response as? HTTPURLResponse else { return .status(0) }
    switch answer.statusCode {
    case 206: return beginPiece(answer.value(forHTTPHeaderField: "Content-Range") ?? "")
    case 200: return beginAnew()
    case 416: return start > 0 ? .staleRange : .status(416)
    case let code: return .status(code)
    }
  }

  /// Reads `bytes 0-99/1234`; the total may be `*`.
  private func beginPiece(_ range: String) -> TransferFailure? {
    guard piece != nil, range.hasPrefix("bytes \(start)-") else { return .staleRange }
    let total = range.split(separator: "/").last.flatMap { Int($0) }
    state.withLock { $0.total = total }
    return nil
  }

  /// A server that does not know ranges sends the whole file, so ours begins anew too.
  private func beginAnew() -> TransferFailure? {
    guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
      return .cannotWrite(errno)
    }
    state.withLock { state in
      state.size = 0
      // The body ends where the transfer does, which is where the session reports success.
      state.total = 0
    }
    return nil
  }

  private func store(_ data: Data) -> TransferFailure? {
    state.withLock { state in
      guard state.failure == nil else { return state.failure }
      state.size += data.count
      guard state.size <= limit else { return .tooLarge(limit: limit) }
      return data.withUnsafeBytes { write(all: $0) }
    }
  }

  private func write(all bytes: UnsafeRawBufferPointer) -> TransferFailure? {
    var rest = bytes
    while !rest.isEmpty {
      let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { return .cannotWrite(errno) }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
    return nil
  }

  private func fail(_ failure: TransferFailure) {
    state.withLock { $0.failure = $0.failure ?? failure }
  }

  private static func meaning(_ error: any Error) -> any Error {
    let error = error as? URLError ?? URLError(.unknown)
    return error.code == .cancelled ? CancellationError() : TransferFailure.broken(error)
  }

  // MARK: - The end

  private func wait(_ continuation: CheckedContinuation<Void, any Error>) {
    let reached: Result<Void, any Error>? = state.withLock { state in
      if case .reached(let result) = state.end { return result }
      state.end = .awaited(continuation)
      return nil
    }
    if let reached { continuation.resume(with: reached) }
  }

  private func finish(_ result: Result<Void, any Error>) {
    let continuation: CheckedContinuation<Void, any Error>? = state.withLock { state in
      defer { state.end = .reached(result) }
      if case .awaited(let continuation) = state.end { return continuation }
      return nil
    }
    continuation?.resume(with: result)
  }
}
