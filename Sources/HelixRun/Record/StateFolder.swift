import Glibc
import HelixModel

/// What helix-infra keeps beside the inventory; nothing in it is needed to go on after a crash.
package enum StateFolder {
  /// Under the working folder.
  package static let path = ".helix-infra"

  /// Makes a folder that only its owner may read, with the folders above it.
  static func make(_ path: String) throws(Diagnostic) {
    if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
    let code = errno
    if code == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
      try make(String(path[..<slash]))
      if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
    }
    throw systemFailure("cannot make the folder \(path)", code: code)
  }
}

/// Writes all bytes to a descriptor.
///
/// - Returns: the error number of the write that failed; nil when all went well.
func writeAll(_ bytes: some Collection<UInt8>, to descriptor: Int32) -> Int32? {
  var rest = Array(bytes)[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count < 0, errno == EINTR { continue }
    guard count >= 0 else { return errno }
    rest = rest.dropFirst(count)
  }
  return nil
}

/// The bytes of a whole local file; nil when there is no such file.
func contents(of path: String) throws(Diagnostic) -> [UInt8]? {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else {
    if errno == ENOENT { return nil }
    throw systemFailure("cannot read \(path)")
  }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    if count < 0, errno == EINTR { continue }
    guard count >= 0 else { throw systemFailure("cannot read \(path)") }
    if count == 0 { return bytes }
    bytes += buffer[..<count]
  }
}

/// The names of everything in a local folder, unsorted; none when there is no such folder.
func names(in folder: String) -> [String] {
  guard let stream = opendir(folder) else { return [] }
  defer { closedir(stream) }
  var names: [String] = []
  while let entry = readdir(stream) {
    names.append(
      withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      })
  }
  return names
}
