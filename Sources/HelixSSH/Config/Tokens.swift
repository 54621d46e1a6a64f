private import CLibSSH2
import Glibc
import HelixModel

/// What the `%` tokens of ssh's configuration stand for, once a host's name, port and user are known.
struct Tokens {
  let local: LocalUser
  /// The name that was asked for.
  let original: String
  /// Where it really is.
  let host: String
  let port: Int
  let user: String
  let alias: String?

  /// The tokens that one keyword knows.
  enum Known: String {
    /// In the names of files and sockets.
    case files = "CdhikLlnpru"
    case proxyCommand = "hknpr"
    case hostName = "h"
  }

  /// A text in which no percent sign begins a token.
  static func literal(_ text: String) -> String {
    text.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%")
  }

  /// The text with all tokens, and in files' names also `${NAME}`, filled in.
  ///
  /// - Throws: a `Diagnostic` for a token that the keyword does not know, or a missing variable.
  func fill(_ text: Located<String>, _ known: Known) throws(Diagnostic) -> String {
    try Self.fill(text, known, value: value)
  }

  /// The same for `HostName`, which is filled in first of all.
  static func fill(hostName text: Located<String>, original: String) throws(Diagnostic) -> String {
    try fill(text, .hostName) { _ in original }
  }

  private static func fill(
    _ text: Located<String>, _ known: Known, value: (Character) -> String
  ) throws(Diagnostic) -> String {
    var filled = ""
    var rest = text.value[...]
    while let letter = rest.popFirst() {
      if letter == "$", known == .files, rest.first == "{" {
        filled += try variable(&rest, text)
      } else if letter == "%" {
        let token = rest.popFirst()
        if token == "%" {
          filled.append("%")
        } else if let token, known.rawValue.contains(token) {
          filled += value(token)
        } else {
          throw unknown(token, text, known)
        }
      } else {
        filled.append(letter)
      }
    }
    return filled
  }

  private static func variable(
    _ rest: inout Substring, _ text: Located<String>
  ) throws(Diagnostic) -> String {
    guard let end = rest.firstIndex(of: "}"), rest.index(after: rest.startIndex) < end else {
      throw Diagnostic(
        "\"\(text.value)\" has a \"${\" that names no variable", reason: "ssh would refuse it, too",
        remedy: "write ${NAME}", at: text.location)
    }
    let name = rest[rest.index(after: rest.startIndex)..<end]
    guard let value = getenv(String(name)) else {
      throw Diagnostic(
        "the environment has no variable \"\(name)\"",
        reason: "\"\(text.value)\" needs it, and ssh would refuse to go on",
        remedy: "set it, or write the path out", at: text.location)
    }
    rest = rest[rest.index(after: end)...]
    return String(cString: value)
  }

  private static func unknown(
    _ token: Character?, _ text: Located<String>, _ known: Known
  ) -> Diagnostic {
    Diagnostic(
      "\"%\(token.map(String.init) ?? "")\" in \"\(text.value)\" is not supported",
      reason: "known here are \(known.rawValue.map { "%\($0)" }.joined(separator: ", ")) and %%",
      remedy: "write it out, or %% for a percent sign", at: text.location)
  }

  private func value(_ token: Character) -> String {
    switch token {
    case "C": connectionHash
    case "d": local.home
    case "h": host
    case "i": String(getuid())
    case "k": alias ?? original
    case "L": String(Self.thisHost.prefix { $0 != "." })
    case "l": Self.thisHost
    case "n": original
    case "p": String(port)
    case "r": user
    default: local.name
    }
  }

  private static let thisHost: String = {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }()

  private var connectionHash: String {
    let text = Array("\(Self.thisHost)\(host)\(port)\(user)".utf8)
    var digest = [UInt8](repeating: 0, count: 20)
    _ = helix_sha1(text, text.count, &digest)
    let digits = Array("0123456789abcdef")
    return String(digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }
}
