private import CLibSSH2
import HelixModel

/// The host keys that known_hosts files hold, and the rules by which a name finds its own.
struct KnownHosts: Sendable {
  /// A line of a file.
  struct Place: Hashable, Sendable, CustomStringConvertible {
    let file: String
    let line: Int
    var description: String { "\(file):\(line)" }
  }

  /// A key that is known for some name.
  struct Known: Hashable, Sendable {
    let key: HostKey
    let place: Place
  }

  /// All that the files say about one host.
  struct Answer: Hashable, Sendable {
    var keys: [Known] = []
    /// Known for the host's name without its port; good enough to trust, not to distrust.
    var portless: [Known] = []
    var revoked: [Known] = []
    var authorities: [Place] = []
  }

  private enum Marker { case none, revoked, authority }

  private enum Names {
    /// Patterns with `*`, `?` and a leading `!`.
    case patterns([String])
    case hashed(salt: [UInt8], hash: [UInt8])
  }

  private struct Entry {
    let marker: Marker
    let names: Names
    let known: Known
  }

  private var entries: [Entry] = []

  init() {}

  /// Adds the keys of a file; a line that is not one is passed over, as OpenSSH does.
  mutating func add(_ text: String, file: String) {
    var number = 0
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      number += 1
      if let entry = Self.entry(line, at: Place(file: file, line: number)) { entries.append(entry) }
    }
  }

  /// What is known about a host; `name` is what a line must match: an alias, a host or `[host]:port`.
  func answer(for name: String, portless: String?) -> Answer {
    let name = name.lowercased()
    let portless = portless?.lowercased()
    var answer = Answer()
    for entry in entries {
      if matches(entry.names, name) {
        switch entry.marker {
        case .none: answer.keys.append(entry.known)
        case .revoked: answer.revoked.append(entry.known)
        case .authority: answer.authorities.append(entry.known.place)
        }
      } else if let portless, matches(entry.names, portless) {
        switch entry.marker {
        case .none: answer.portless.append(entry.known)
        case .revoked: answer.revoked.append(entry.known)
        case .authority: break
        }
      }
    }
    return answer
  }

  /// The name under which OpenSSH keeps a host's key.
  static func name(host: String, port: Int) -> String {
    port == 22 ? host : "[\(host)]:\(port)"
  }
}

// MARK: - Lines

extension KnownHosts {
  private static func entry(_ line: Substring, at place: Place) -> Entry? {
    var fields = line.split { $0 == " " || $0 == "\t" || $0 == "\r" }[...]
    guard var first = fields.popFirst(), !first.hasPrefix("#") else { return nil }
    var marker = Marker.none
    if first.hasPrefix("@") {
      switch first {
      case "@revoked": marker = .revoked
      case "@cert-authority": marker = .authority
      default: return nil
      }
      guard let next = fields.popFirst() else { return nil }
      first = next
    }
    guard let algorithm = fields.popFirst(), let encoded = fields.popFirst(),
      let names = names(first), let blob = Base64.decode(encoded)
    else { return nil }
    let key = HostKey(blob: blob)
    guard key.algorithm == algorithm else { return nil }
    return Entry(marker: marker, names: names, known: Known(key: key, place: place))
  }

  private static func names(_ field: Substring) -> Names? {
    guard field.hasPrefix("|") else {
      return .patterns(field.split(separator: ",").map { $0.lowercased() })
    }
    let parts = field.split(separator: "|")
    guard parts.count == 3, parts[0] == "1", let salt = Base64.decode(parts[1]),
      let hash = Base64.decode(parts[2]), salt.count == 20, hash.count == 20
    else { return nil }
    return .hashed(salt: salt, hash: hash)
  }
}

// MARK: - Matching

extension KnownHosts {
  private func matches(_ names: Names, _ name: String) -> Bool {
    switch names {
    case .hashed(let salt, let hash):
      var digest = [UInt8](repeating: 0, count: 20)
      let bytes = Array(name.utf8)
      return helix_hmac_sha1(salt, Int32(salt.count), bytes, bytes.count, &digest) != 0
        && digest == hash
    case .patterns(let patterns):
      return Self.matches(patterns, name)
    }
  }

  /// A list matches when one pattern does and none with `!` does.
  private static func matches(_ patterns: [String], _ name: String) -> Bool {
    var found = false
    for pattern in patterns {
      if pattern.hasPrefix("!") {
        if matches(pattern: pattern.utf8.dropFirst(), name.utf8[...]) { return false }
      } else if matches(pattern: pattern.utf8[...], name.utf8[...]) {
        found = true
      }
    }
    return found
  }

  /// `*` stands for any text and `?` for any one character; linear in time, so that no line of a
  /// file can make a match slow.
  static func matches(pattern: Substring.UTF8View, _ name: Substring.UTF8View) -> Bool {
    let pattern = Array(pattern)
    let name = Array(name)
    var (at, position) = (0, 0)
    var retry: (at: Int, position: Int)?
    while position < name.count {
      if at < pattern.count, pattern[at] == UInt8(ascii: "*") {
        retry = (at, position)
        at += 1
      } else if at < pattern.count,
        pattern[at] == UInt8(ascii: "?") || pattern[at] == name[position]
      {
        at += 1
        position += 1
      } else if let last = retry {
        retry = (last.at, last.position + 1)
        at = last.at + 1
        position = last.position + 1
      } else {
        return false
      }
    }
    return pattern[at...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
