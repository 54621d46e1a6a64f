import Glibc

/// A command's input in pieces; a file is read away from the event loop.
///
/// Lives inside one session's isolation.
final class InputSource {
  private static let chunkSize = 512 * 1024

  private var bytes: [UInt8]?
  private var feed: (any InputFeed)?
  private var path = ""
  private var descriptor: Int32 = -1
  private var offset = 0

  /// Opens a file at once, so that a missing one is found before anything runs.
  init(_ input: RemoteInput) async throws(SSHError) {
    switch input {
    case .nothing: break
    case .bytes(let bytes): self.bytes = bytes
    case .feed(let feed): self.feed = feed
    case .file(let path):
      self.path = path
      let result = await blocking { () -> Result<Int32, LocalFile.Failure> in
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        return descriptor >= 0 ? .success(descriptor) : .failure(.current)
      }
      descriptor = try result.mapError { failure in
        SSHError.inputUnreadable(path: path, reason: failure.reason)
      }.get()
    }
  }

  /// The next piece; nil at the end.
  func next() async throws(SSHError) -> [UInt8]? {
    if let bytes {
      self.bytes = nil
      return bytes.isEmpty ? nil : bytes
    }
    if let feed { return try await feed.next() }
    guard descriptor >= 0 else { return nil }
    let (descriptor, offset, path) = (descriptor, offset, path)
    let result = await blocking {
      LocalFile.chunk(of: descriptor, at: offset, limit: Self.chunkSize)
    }
    let chunk = try result.mapError { failure in
      SSHError.inputUnreadable(path: path, reason: failure.reason)
    }.get()
    self.offset += chunk.count
    return chunk.isEmpty ? nil : chunk
  }

  func close() {
    if descriptor >= 0 { Glibc.close(descriptor) }
    descriptor = -1
  }
}
