import Glibc
import HelixModel

/// A folder that only this user can look into, for a master's socket.
struct PrivateFolder: Sendable {
  /// A socket's path has 108 bytes, of which ssh needs some for a temporary name.
  private static let lengthLimit = 80

  let path: String

  /// The master's control socket.
  var socket: String { "\(path)/s" }
  var knownHosts: String { "\(path)/known_hosts" }
  /// The program by which ssh asks, and the pipes of its questions and their answers.
  var asker: String { "\(path)/ask" }
  var question: String { "\(path)/question" }
  var answer: String { "\(path)/answer" }

  /// Makes one; blocks, as do all that follow.
  static func make(runtimeFolder: String?) -> Result<PrivateFolder, LocalFile.Failure> {
    let places = [runtimeFolder, "/tmp"].compactMap { $0 }
      .filter { $0.hasPrefix("/") && $0.utf8.count < lengthLimit }
    var failure = LocalFile.Failure(code: ENOENT)
    for place in places {
      var template = Array("\(place)/helix-ssh-XXXXXX".utf8CString)
      guard mkdtemp(&template) == nil else {
        return .success(
          PrivateFolder(
            path: String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self))
        )
      }
      failure = .current
    }
    return .failure(failure)
  }

  /// Writes a known_hosts file with the only key that a host may show, unless it is revoked.
  func write(
    _ key: HostKey, but revoked: [KnownHosts.Known], _ name: String
  ) -> Result<Void, LocalFile.Failure> {
    let lines = [("", key)] + revoked.map { ("@revoked ", $0.key) }
    let text = lines.map { "\($0)\(name) \($1.algorithm) \(Base64.encode($1.blob))\n" }
    return write(text.joined(), to: knownHosts, mode: 0o600)
  }

  /// Makes what ssh needs to ask us.
  func writeAsker() -> Result<Void, LocalFile.Failure> {
    for pipe in [question, answer] where mkfifo(pipe, 0o600) != 0 { return .failure(.current) }
    return write(AskDesk.script, to: asker, mode: 0o700)
  }

  private func write(
    _ text: String, to path: String, mode: mode_t
  ) -> Result<Void, LocalFile.Failure> {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { return .failure(.current) }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    return Glibc.write(descriptor, bytes, bytes.count) == bytes.count
      ? .success(()) : .failure(.current)
  }

  /// Removes the folder with all that is in it; ssh itself never makes folders there.
  func remove() {
    if let list = opendir(path) {
      while let entry = readdir(list) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
          name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        unlink("\(path)/\(name)")
      }
      closedir(list)
    }
    rmdir(path)
  }
}
