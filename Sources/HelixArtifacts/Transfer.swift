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

/// One request whose body goes into a file as it comes, so that memory does not grow with it.
final class Transfer: NSObject, URLSessionDataDelegate, Sendable {
  private struct State {
    var failure: TransferFailure?
    var size: Int
    var done: CheckedContinuation<Void, any Error>?
  }

  private let url: URL
  private let descriptor: Int32
  private let start: Int
  private let limit: Int
  private let state: Mutex<State>

  private init(_ url: URL, descriptor: Int32, start: Int, limit: Int) {
    self.url = url
    self.descriptor = descriptor
    self.start = start
    self.limit = limit
    state = Mutex(State(size: start))
  }

  /// Fetches a file, going on from what is there when the server allows it.
  ///
  /// - Throws: a `TransferFailure`, or `CancellationError`; what came is kept in the file.
  static func fetch(_ url: URL, into path: String, silence: Int, limit: Int) async throws {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw TransferFailure.cannotWrite(errno) }
    defer { close(descriptor) }
    let start = Int(lseek(descriptor, 0, SEEK_END))
    guard start >= 0 else { throw TransferFailure.cannotWrite(errno) }
    let transfer = Transfer(url, descriptor: descriptor, start: start, limit: limit)
    try await transfer.run(silence: silence)
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
        state.withLock { $0.done = continuation }
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
    if start > 0 { request.setValue("bytes=\(start)-", forHTTPHeaderField: "Range") }
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
    let (done, failure) = state.withLock { state in
      defer { state.done = nil }
      return (state.done, state.failure)
    }
    if let failure {
      done?.resume(throwing: failure)
    } else if let error = error as? URLError, error.code == .cancelled {
      done?.resume(throwing: CancellationError())
    } else if let error {
      done?.resume(throwing: TransferFailure.broken(error as? URLError ?? URLError(.unknown)))
    } else {
      done?.resume()
    }
  }

  // MARK: - What it means

  /// Decides by the answer's head whether the body is ours, and where in the file it begins.
  private func judge(_ response: URLResponse) -> TransferFailure? {
    guard let answer = response as? HTTPURLResponse else { return .status(0) }
    switch answer.statusCode {
    case 206:
      let range = answer.value(forHTTPHeaderField: "Content-Range") ?? ""
      return start > 0 && range.hasPrefix("bytes \(start)-") ? nil : .staleRange
    case 200:
      guard start > 0 else { return nil }
      // The server does not know ranges and begins anew; so do we.
      guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
        return .cannotWrite(errno)
      }
      state.withLock { $0.size = 0 }
      return nil
    case 416: return start > 0 ? .staleRange : .status(416)
    case let code: return .status(code)
    }
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
}
