import HelixModel

extension HostKey {
  /// The key that an inventory pins, as a `.pub` file has it: `ssh-ed25519 AAAA… comment`.
  ///
  /// - Throws: a `Diagnostic` when it is no public key.
  init(pinned text: Located<String>) throws(Diagnostic) {
    let fields = text.value.split(maxSplits: 2) { $0 == " " || $0 == "\t" || $0.isNewline }
    guard fields.count >= 2, let blob = Base64.decode(fields[1]),
      HostKey(blob: blob).algorithm == fields[0], Self.isWhole(blob)
    else {
      throw Diagnostic(
        "host_key is no public key",
        reason: "it is written as the word of its algorithm and the key in Base64",
        remedy: "paste what the host says to: cat /etc/ssh/ssh_host_ed25519_key.pub",
        at: text.location)
    }
    self.init(blob: blob)
  }

  /// A key that was cut while being copied would never match, and look like an attack.
  private static func isWhole(_ blob: [UInt8]) -> Bool {
    var reader = WireReader(blob)
    var count = 0
    while !reader.isAtEnd {
      guard reader.string() != nil else { return false }
      count += 1
    }
    return count > 1
  }
}
