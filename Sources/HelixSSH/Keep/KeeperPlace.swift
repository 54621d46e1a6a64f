private import CLibSSH2
import Glibc
import HelixModel

/// Where a keeper's socket stands: in a folder that its user alone can enter.
struct KeeperPlace: Hashable, Sendable {
  let folder: String
  /// The socket's path without its ending.
  private let stem: String

  var socket: String { stem + ".sock" }
  var lock: String { stem + ".lock" }

  /// - Parameters:
  ///   - folder: The folder of all keepers of this user.
  ///   - identity: What two runs must have in common to share a keeper.
  init(folder: String, identity: [String]) {
    var digest = [UInt8](repeating: 0, count: 32)
    let text = Array(identity.joined(separator: "\0").utf8)
    _ = helix_sha256(text, text.count, &digest)
    let name = digest.prefix(8).map { byte in
      String(UInt16(byte) + 0x100, radix: 16).dropFirst()
    }.joined()
    self.folder = folder
    stem = "\(folder)/\(name)"
  }

  /// A socket that was found in the folder.
  init(folder: String, socket name: Substring) {
    self.folder = folder
    stem = "\(folder)/\(name.dropLast(".sock".count))"
  }

  /// The place of a socket that listens; nil when it has none.
  init?(listener: Int32) {
    var address = sockaddr_un()
    var size = socklen_t(MemoryLayout<sockaddr_un>.size)
    let code = withUnsafeMutableBytes(of: &address) { bytes in
      guard let start = bytes.baseAddress else { return Int32(-1) }
      return getsockname(listener, start.assumingMemoryBound(to: sockaddr.self), &size)
    }
    guard code == 0, Int32(address.sun_family) == AF_UNIX else { return nil }
    let path = withUnsafeBytes(of: &address.sun_path) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    guard path.hasSuffix(".sock"), let slash = path.lastIndex(of: "/") else { return nil }
    self.init(
      folder: String(path[..<slash]), socket: path[path.index(after: slash)...])
  }

  /// Tells a socket at this path from another one that took its place.
  var node: UInt64? {
    var status = stat()
    return lstat(socket, &status) == 0 ? UInt64(status.st_ino) : nil
  }

  /// The place for this program, this version of it, and this environment.
  static var standard: KeeperPlace {
    let program = LocalFile.Stamp("/proc/self/exe")?.text ?? ""
    return KeeperPlace(
      folder: standardFolder,
      identity: ["\(KeeperLanguage.version)", program] + KeeperProcess.environment)
  }

  /// `$XDG_RUNTIME_DIR/helix-infra`, or a folder in /tmp where there is none, or somebody else's.
  static var standardFolder: String {
    if let runtime = getenv("XDG_RUNTIME_DIR"), runtime.pointee == UInt8(ascii: "/") {
      let path = String(cString: runtime)
      if KeeperProblem.fault(ofFolder: path) == nil { return "\(path)/helix-infra" }
    }
    return "/tmp/helix-infra-\(geteuid())"
  }

  /// Makes the folder if it is not there, and makes sure that it is nobody else's.
  func prepare() throws(Diagnostic) {
    mkdir(folder, 0o700)
    try Self.check(folder)
  }

  /// - Throws: when others could put their sockets into the folder, or use ours.
  static func check(_ folder: String) throws(Diagnostic) {
    if let fault = KeeperProblem.fault(ofFolder: folder) {
      throw KeeperProblem.unsafe(folder: folder, fault).diagnostic
    }
  }

  /// The places of all keepers in a folder, whoever shares them.
  static func all(in folder: String) -> [KeeperPlace] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasSuffix(".sock") { names.append(name) }
    }
    return names.sorted().map { KeeperPlace(folder: folder, socket: $0[...]) }
  }
}

extension KeeperProblem {
  /// Why a folder could be entered by others than its user; nil when it is safe.
  static func fault(ofFolder path: String) -> String? {
    var status = stat()
    guard lstat(path, &status) == 0 else { return LocalFile.Failure.current.reason }
    guard status.st_mode & S_IFMT == S_IFDIR else { return "it is no folder" }
    guard status.st_uid == geteuid() else { return "it belongs to user \(status.st_uid)" }
    let mode = status.st_mode & 0o777
    return mode & 0o077 == 0 ? nil : "its mode is \(String(mode, radix: 8))"
  }
}

// MARK: - Sockets

extension KeeperPlace {
  /// A connection to whoever listens; nil when nobody does.
  func connect() async throws -> Int32? {
    guard let address = UnixAddress(socket) else {
      throw KeeperProblem.tooLong(path: socket).diagnostic
    }
    let descriptor = try makeSocket()
    do {
      guard try await connect(descriptor, to: address) else {
        close(descriptor)
        return nil
      }
      if let user = Self.peer(of: descriptor), user != geteuid() {
        throw KeeperProblem.unsafe(folder: folder, "user \(user) listens in it").diagnostic
      }
      return descriptor
    } catch {
      close(descriptor)
      throw error
    }
  }

  /// False when nobody listens.
  private func connect(_ descriptor: Int32, to address: UnixAddress) async throws -> Bool {
    var failure = LocalFile.Failure(code: EAGAIN)
    // A listener with a full backlog says EAGAIN.
    for _ in 0..<500 where failure.code == EAGAIN || failure.code == EINTR {
      if address.connect(descriptor) == 0 { return true }
      failure = .current
      if failure.code == EAGAIN { try await Task.sleep(for: .milliseconds(10)) }
    }
    if failure.code == ENOENT || failure.code == ECONNREFUSED { return false }
    throw KeeperProblem.unreachable(path: socket, failure.reason).diagnostic
  }

  /// A socket that listens, in the place of one whose listener is gone.
  func listen() throws(Diagnostic) -> Int32 {
    guard let address = UnixAddress(socket) else {
      throw KeeperProblem.tooLong(path: socket).diagnostic
    }
    let descriptor = try makeSocket()
    unlink(socket)
    // The mode of the path is that of the socket, less the umask.
    guard fchmod(descriptor, 0o600) == 0, address.bind(descriptor) == 0,
      Glibc.listen(descriptor, 128) == 0
    else {
      let reason = LocalFile.Failure.current.reason
      close(descriptor)
      throw KeeperProblem.unreachable(path: socket, reason).diagnostic
    }
    return descriptor
  }

  private func makeSocket() throws(Diagnostic) -> Int32 {
    let type = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
    let descriptor = Glibc.socket(AF_UNIX, Int32(type), 0)
    guard descriptor >= 0 else {
      throw KeeperProblem.unreachable(path: socket, LocalFile.Failure.current.reason).diagnostic
    }
    return descriptor
  }

  /// The user at the other end of a socket.
  static func peer(of descriptor: Int32) -> UInt32? {
    // The kernel's process, user and group; Swift's Glibc module lacks the structure.
    var credentials: [UInt32] = [0, 0, 0]
    var size = socklen_t(MemoryLayout<UInt32>.size * credentials.count)
    guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else {
      return nil
    }
    return credentials[1]
  }

  /// Opens the lock that whoever starts or ends a keeper here must hold; nil after the limit.
  ///
  /// Closing the descriptor gives the lock back.
  func takeLock(within limit: Duration) async -> Int32? {
    let descriptor = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { return nil }
    let end = ContinuousClock.now + limit
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard ContinuousClock.now < end, !Task.isCancelled else {
        close(descriptor)
        return nil
      }
      try? await Task.sleep(for: .milliseconds(10))
    }
    return descriptor
  }
}
