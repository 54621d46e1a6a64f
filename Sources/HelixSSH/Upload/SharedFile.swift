private import CLibSSH2
import Glibc

/// The local files under way, so that hosts which get the same file share its reading.
actor SharedFiles {
  private struct Place {
    weak var file: SharedFile?
  }

  private var places: [SharedFile.Identity: Place] = [:]

  /// A file for as long as somebody holds it; the same one for all who ask meanwhile.
  func file(at path: String) async throws(SSHError) -> SharedFile {
    let result = await blocking { SharedFile.open(path) }
    let (descriptor, identity) = try result.mapError { failure in
      SSHError.inputUnreadable(path: path, reason: failure.reason)
    }.get()
    if let file = places[identity]?.file {
      close(descriptor)
      return file
    }
    let file = SharedFile(path, descriptor, identity)
    places = places.filter { $0.value.file != nil }
    places[identity] = Place(file: file)
    return file
  }
}

/// A local file on its way to hosts; a piece is read, and packed, once for all that are near it.
///
/// A slow host finds its pieces gone and has them read again, so it neither holds up the others nor
/// makes anybody keep more than a few.
actor SharedFile {
  /// What a transfer that was cut can be gone on with: whole blocks.
  static let blockSize = 4 * 1024 * 1024
  static let pieceSize = 256 * 1024
  static let piecesPerBlock = blockSize / pieceSize
  /// Pieces that are kept for hosts which come after the first.
  private static let keptCount = 32
  /// As much of a piece as tells how well it packs.
  private static let sampleSize = 64 * 1024

  /// Which file it is, and of when.
  struct Identity: Hashable, Sendable {
    fileprivate let device: UInt
    fileprivate let inode: UInt
    let size: Int
    fileprivate let changed: [Int]

    fileprivate init?(_ descriptor: Int32) {
      var status = stat()
      guard fstat(descriptor, &status) == 0 else { return nil }
      device = UInt(status.st_dev)
      inode = UInt(status.st_ino)
      size = Int(status.st_size)
      changed = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
    }
  }

  /// A piece as it travels.
  private struct Form: Hashable {
    let number: Int
    /// zlib's level; nil for the plain bytes.
    let level: Int?
  }

  nonisolated let path: String
  nonisolated let identity: Identity
  nonisolated var size: Int { identity.size }
  nonisolated var pieceCount: Int { (size + Self.pieceSize - 1) / Self.pieceSize }
  private let descriptor: Int32
  private var kept: [Form: Task<Result<[UInt8], SSHError>, Never>] = [:]
  /// What is kept, the longest unused first.
  private var order: [Form] = []
  private var samples: [Int: [Packing.Sample]] = [:]
  /// How often a piece was read.
  private(set) var readCount = 0

  fileprivate init(_ path: String, _ descriptor: Int32, _ identity: Identity) {
    self.path = path
    self.descriptor = descriptor
    self.identity = identity
  }

  deinit { close(descriptor) }

  fileprivate static func open(_ path: String) -> Result<(Int32, Identity), LocalFile.Failure> {
    // Without O_NONBLOCK a named pipe would be waited for.
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return .failure(.current) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      let identity = Identity(descriptor)
    else {
      let code = status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL
      close(descriptor)
      return .failure(LocalFile.Failure(code: code))
    }
    return .success((descriptor, identity))
  }
}

extension SharedFile {
  /// A piece as it travels, at some level of packing; the one behind it is read ahead.
  func piece(_ number: Int, level: Int?) async throws(SSHError) -> [UInt8] {
    let task = task(for: Form(number: number, level: level))
    if number + 1 < pieceCount { _ = self.task(for: Form(number: number + 1, level: level)) }
    return try await task.value.get()
  }

  private func task(for form: Form) -> Task<Result<[UInt8], SSHError>, Never> {
    if let task = kept[form] {
      order.removeAll { $0 == form }
      order.append(form)
      return task
    }
    readCount += 1
    let task = Task {
      let range = self.range(ofPiece: form.number)
      return await self.read(range) { bytes in
        form.level.map { Packing.gzip(bytes, level: $0) } ?? bytes
      }
    }
    kept[form] = task
    order.append(form)
    if order.count > Self.keptCount { kept[order.removeFirst()] = nil }
    return task
  }

  private nonisolated func range(ofPiece number: Int) -> Range<Int> {
    let start = number * Self.pieceSize
    return start..<min(size, start + Self.pieceSize)
  }

  /// Reads away from all event loops what must still be the file that was opened.
  private nonisolated func read<Value: Sendable>(
    _ range: Range<Int>, _ use: @escaping @Sendable ([UInt8]) -> Value
  ) async -> Result<Value, SSHError> {
    let (descriptor, path, identity) = (descriptor, path, identity)
    return await blocking {
      var bytes: [UInt8] = []
      while bytes.count < range.count {
        let result = LocalFile.chunk(
          of: descriptor, at: range.lowerBound + bytes.count, limit: range.count - bytes.count)
        switch result {
        case .failure(let failure):
          return .failure(.inputUnreadable(path: path, reason: failure.reason))
        case .success(let chunk) where chunk.isEmpty: return .failure(.upload(.changed(path: path)))
        case .success(let chunk): bytes = bytes.isEmpty ? chunk : bytes + chunk
        }
      }
      guard Identity(descriptor) == identity else { return .failure(.upload(.changed(path: path))) }
      return .success(use(bytes))
    }
  }
}

// MARK: - What is asked about the file

extension SharedFile {
  /// How well a piece packs, and how fast this machine does it.
  func samples(ofPiece number: Int) async throws(SSHError) -> [Packing.Sample] {
    if let known = samples[number] { return known }
    let start = number * Self.pieceSize
    let result = await read(start..<min(size, start + Self.sampleSize)) { bytes in
      Packing.levels.map { Packing.sample(bytes, level: $0) }
    }
    let found = try result.get()
    samples[number] = found
    return found
  }

  /// How many of these sums are those of the file's own blocks, from the first on.
  func countOfBlocks(with sums: [String]) async throws(SSHError) -> Int {
    for (number, sum) in sums.enumerated() {
      let start = number * Self.blockSize
      guard start + Self.blockSize <= size else { return number }
      let own = await read(start..<start + Self.blockSize) { SHA256Sum.of($0) }
      guard try own.get() == sum else { return number }
    }
    return sums.count
  }

  /// The whole file's SHA-256.
  func checksum() async throws(SSHError) -> String {
    let (descriptor, path) = (descriptor, path)
    let result = await blocking { SHA256Sum.ofFile(descriptor) }
    return try result.mapError { failure in
      SSHError.inputUnreadable(path: path, reason: failure.reason)
    }.get()
  }
}
