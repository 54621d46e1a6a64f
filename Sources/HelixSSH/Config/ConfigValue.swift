import Glibc
import HelixModel

/// Values as OpenSSH writes them; nil for what it would refuse.
enum ConfigValue {
  /// A number from 1 to 65535, or the name of a service.
  static func port(_ text: String) -> Int? {
    if let port = number(text) { return (1...65535).contains(port) ? port : nil }
    var entry = servent()
    var found: UnsafeMutablePointer<servent>?
    var buffer = [CChar](repeating: 0, count: 4096)
    guard getservbyname_r(text, "tcp", &entry, &buffer, buffer.count, &found) == 0, found != nil
    else { return nil }
    return Int(in_port_t(truncatingIfNeeded: entry.s_port).byteSwapped)
  }

  /// Decimal digits alone.
  static func number(_ text: String) -> Int? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
    return Int(text)
  }

  /// `90`, `90s`, `1m30s`.
  static func time(_ text: String) -> Duration? {
    let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800]
    var (seconds, digits) = (0, "")
    for letter in text.lowercased() {
      if letter.isASCII, letter.isNumber {
        digits.append(letter)
      } else {
        guard let unit = units[letter], let number = Int(digits), number < 1 << 31 else {
          return nil
        }
        seconds += number * unit
        digits = ""
      }
    }
    guard !text.isEmpty, digits.isEmpty || Int(digits) != nil else { return nil }
    seconds += Int(digits).map { min($0, 1 << 31) } ?? 0
    return seconds < 1 << 31 ? .seconds(seconds) : nil
  }

  static func flag(_ text: String) -> Bool? {
    switch text.lowercased() {
    case "yes", "true": true
    case "no", "false": false
    default: nil
    }
  }

  /// Whether keys are shown at all; how they are bound to a session is left to libssh2.
  static func keyLogin(_ text: String) -> Bool? {
    ["unbound", "host-bound"].contains(text.lowercased()) ? true : flag(text)
  }

  static func checking(_ text: String) -> SSHOptions.Checking? {
    let word = text.lowercased()
    if word == "off" { return .no }
    return SSHOptions.Checking(rawValue: word) ?? flag(word).map { $0 ? .yes : .no }
  }
}
