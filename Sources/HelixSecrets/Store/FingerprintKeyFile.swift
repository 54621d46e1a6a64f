internal import Foundation
package import HelixModel

/// The file that keeps the key of an estate's fingerprints, made the first time it is asked for.
package struct FingerprintKeyFile: Sendable {
  package let path: String

  package init(path: String) {
    self.path = path
  }

  /// The file of the working folder, or the one that `HELIX_FINGERPRINT_KEY_FILE` names.
  package init(environment: [String: String], stateFolder: String = ".helix-infra") {
    let named = environment["HELIX_FINGERPRINT_KEY_FILE"] ?? ""
    path = named.isEmpty ? "\(stateFolder)/fingerprint-key" : named
  }

  /// The key: 64 hex digits.
  ///
  /// - Throws: a `Diagnostic` when the file is there but not safe or not a key; it is never
  ///   replaced, because every fingerprint would change with it.
  package func key() throws(Diagnostic) -> SecretValue {
    if let key = try stored() { return key }
    try create()
    guard let key = try stored() else { throw cannotKeep("it vanished", code: ENOENT) }
    return key
  }

  private func stored() throws(Diagnostic) -> SecretValue? {
    let bytes: [UInt8]
    do {
      bytes = try PrivateFile.read(path)
    } catch .missing {
      return nil
    } catch {
      throw PrivateFile.diagnostic(for: error, at: path)
    }
    let key = bytes.last == 0x0A ? Array(bytes.dropLast()) : bytes
    guard key.count == 64, key.allSatisfy(isHexDigit) else { throw notAKey() }
    return SecretValue(key)
  }

  /// Writes a new key beside its place and links it there, so that of two runs that start at once
  /// one wins and both use its key.
  private func create() throws(Diagnostic) {
    let folder = (path as NSString).deletingLastPathComponent
    if !folder.isEmpty, mkdir(folder, 0o700) != 0, errno != EEXIST {
      throw cannotKeep("its folder cannot be made", code: errno)
    }
    let draft = "\(path).\(getpid()).\(UInt32.random(in: .min ... .max))"
    try write(newKey(), to: draft)
    defer { unlink(draft) }
    guard link(draft, path) == 0 || errno == EEXIST else {
      throw cannotKeep("it cannot be put in place", code: errno)
    }
  }

  private func newKey() -> [UInt8] {
    var random = SystemRandomNumberGenerator()
    let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    return Array(hexadecimal(bytes).utf8) + [0x0A]
  }

  private func write(_ bytes: [UInt8], to draft: String) throws(Diagnostic) {
    let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw cannotKeep("it cannot be created", code: errno) }
    defer { close(descriptor) }
    guard Foundation.write(descriptor, bytes, bytes.count) == bytes.count,
      fsync(descriptor) == 0
    else {
      let code = errno
      unlink(draft)
      throw cannotKeep("it cannot be written", code: code)
    }
  }
}

private func isHexDigit(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
  default: false
  }
}

extension FingerprintKeyFile {
  private func notAKey() -> Diagnostic {
    Diagnostic(
      "\(path) is not a fingerprint key", reason: "a key is one line of 64 lower-case hex digits",
      remedy: "restore the file, or remove it to have a new key drawn; saved plans made with the"
        + " old one no longer apply")
  }

  private func cannotKeep(_ what: String, code: Int32) -> Diagnostic {
    Diagnostic(
      "the fingerprint key \(path) cannot be kept",
      reason: "\(what): \(String(cString: strerror(code)))",
      remedy: "make its folder writable, or name another file in HELIX_FINGERPRINT_KEY_FILE")
  }
}
