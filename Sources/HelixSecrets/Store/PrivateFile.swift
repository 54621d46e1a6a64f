internal import Foundation
internal import HelixModel

/// Reads small files that only their owner may see.
enum PrivateFile {
  /// Why a file is not safe to take a secret from.
  enum Problem: Error {
    case missing
    case notRegular
    case shared(mode: Int)
    case tooLarge
    case failed(Int32)
  }

  /// No secret that a config file or an environment takes comes near this.
  static let largest = 65_536

  /// The bytes of a regular file of mode 0600 or stricter.
  static func read(_ path: String) throws(Problem) -> [UInt8] {
    // O_NONBLOCK: opening a named pipe would otherwise wait for its writer.
    let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw problem(errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .failed(errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
    guard status.st_mode & 0o077 == 0 else { throw .shared(mode: Int(status.st_mode & 0o777)) }
    guard status.st_size <= largest else { throw .tooLarge }
    return try contents(descriptor)
  }

  private static func contents(_ descriptor: Int32) throws(Problem) -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = Foundation.read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .failed(errno) }
      guard count > 0 else { return bytes }
      bytes += buffer[..<count]
      guard bytes.count <= largest else { throw .tooLarge }
    }
  }

  private static func problem(_ code: Int32) -> Problem {
    switch code {
    case ENOENT, ENOTDIR: .missing
    // A socket cannot be opened, and O_NOFOLLOW refuses a link.
    case ELOOP, ENXIO: .notRegular
    default: .failed(code)
    }
  }
}

extension PrivateFile {
  /// What to tell a person about a file that is there but not safe or not readable.
  static func diagnostic(for problem: Problem, at path: String) -> Diagnostic {
    switch problem {
    case .missing:
      Diagnostic("there is no file \(path)")
    case .notRegular:
      Diagnostic(
        "\(path) is not a regular file", reason: "a secret is read from a plain file only",
        remedy: "put a file of mode 600 in its place")
    case .shared(let mode):
      Diagnostic(
        "\(path) can be reached by other users (mode \(String(mode, radix: 8)))",
        reason: "a secret belongs to its owner alone",
        remedy: "chmod 600 \(shellQuoted(path))")
    case .tooLarge:
      Diagnostic(
        "\(path) is larger than \(largest / 1024) KiB",
        reason: "that is no token or password; it may be the wrong file",
        remedy: "put only the secret's value into it")
    case .failed(let code):
      Diagnostic(
        "\(path) cannot be read: \(String(cString: strerror(code)))",
        remedy: "see that the user who runs helix-infra owns it: ls -l \(shellQuoted(path))")
    }
  }
}
