private import CLibSSH2

/// SHA-256 sums in the form in which `sha256sum` prints them.
enum SHA256Sum {
  /// The sum of some bytes.
  static func of(_ bytes: [UInt8]) -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    helix_sha256(bytes, bytes.count, &digest)
    return hex(digest)
  }

  /// The sum of an open file, whatever its size; blocks.
  static func ofFile(_ descriptor: Int32) -> Result<String, LocalFile.Failure> {
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    EVP_DigestInit_ex(context, EVP_sha256(), nil)
    var offset = 0
    while true {
      switch LocalFile.chunk(of: descriptor, at: offset, limit: 1024 * 1024) {
      case .failure(let failure): return .failure(failure)
      case .success(let chunk) where chunk.isEmpty:
        var digest = [UInt8](repeating: 0, count: 32)
        EVP_DigestFinal_ex(context, &digest, nil)
        return .success(hex(digest))
      case .success(let chunk):
        EVP_DigestUpdate(context, chunk, chunk.count)
        offset += chunk.count
      }
    }
  }

  private static func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    let text = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return String(decoding: text, as: UTF8.self)
  }
}
