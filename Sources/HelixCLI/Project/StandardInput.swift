import Glibc
import HelixModel

/// What somebody pipes into a command that passes it on to hosts.
enum StandardInput {
  /// It stays in memory until the last host has it.
  static let limit = 16 * 1024 * 1024

  /// Reads all of it; it may hold a secret.
  ///
  /// - Throws: a `Diagnostic` when it cannot be read or is larger than the limit.
  static func read() throws(Diagnostic) -> SecretValue {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
      let count = Glibc.read(STDIN_FILENO, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw Diagnostic(
          "cannot read standard input", reason: String(cString: strerror(errno)),
          remedy: "leave out --stdin, or give it something to read")
      }
      guard count > 0 else { return SecretValue(bytes) }
      bytes += chunk[..<count]
      guard bytes.count <= limit else {
        throw Diagnostic(
          "standard input is larger than \(limit >> 20) MiB",
          reason: "it is kept in memory until the last host has it",
          remedy: "bring the hosts a file in another way")
      }
    }
  }
}
