import Glibc

/// Reads files of this machine, which may block, and says why when it fails.
enum LocalFile {
  /// Why the system refused, in its own words.
  struct Failure: Error, Hashable {
    let code: Int32
    var reason: String { String(cString: strerror(code)).lowercased() }
    static var current: Failure { Failure(code: errno) }
  }

  /// What tells a file from an earlier state of it, and from another one in its place.
  struct Stamp: Hashable, Sendable {
    private let numbers: [Int]

    var text: String { numbers.map(String.init).joined(separator: " ") }

    /// Nil when there is no file.
    init?(_ path: String) {
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      numbers = [
        Int(status.st_dev), Int(bitPattern: UInt(status.st_ino)), Int(status.st_size),
        status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec,
        status.st_ctim.tv_nsec,
      ]
    }
  }

  /// The whole file; nil when there is none.
  static func read(_ path: String, limit: Int) -> Result<[UInt8]?, Failure> {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      return errno == ENOENT || errno == ENOTDIR ? .success(nil) : .failure(.current)
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    while bytes.count < limit {
      switch chunk(of: descriptor, at: bytes.count, limit: 256 * 1024) {
      case .failure(let failure) where failure.code == ESPIPE: return .success(bytes)
      case .failure(let failure): return .failure(failure)
      case .success(let chunk) where chunk.isEmpty: return .success(bytes)
      case .success(let chunk): bytes += chunk
      }
    }
    return .failure(Failure(code: EFBIG))
  }

  /// Where relative paths start.
  static var workingFolder: String {
    guard let path = getcwd(nil, 0) else { return "/" }
    defer { free(path) }
    return String(cString: path)
  }

  /// Some bytes from a place in an open file; none at its end.
  static func chunk(
    of descriptor: Int32, at offset: Int, limit: Int
  ) -> Result<[UInt8], Failure> {
    var code: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      var got = -1
      repeat {
        got = pread(descriptor, buffer.baseAddress, limit, off_t(offset))
      } while got < 0
        && errno == EINTR
      if got < 0 { code = errno }
      count = max(0, got)
    }
    return code == 0 ? .success(bytes) : .failure(Failure(code: code))
  }
}
