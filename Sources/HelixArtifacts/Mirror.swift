internal import Foundation
internal import HelixModel

/// A file at a mirror: where to fetch it, and how to name that place to people.
struct RemoteFile: Sendable {
  let url: URL
  /// The address without the user and password that it may hold.
  let shown: String
}

/// A mirror's base address, checked once.
struct Mirror: Sendable {
  private let base: String
  /// The base address without user and password.
  let shown: String

  init(_ text: String) throws(Diagnostic) {
    var trimmed = Substring(text)
    while trimmed.last == "/" { trimmed.removeLast() }
    guard var parts = URLComponents(string: String(trimmed)),
      ["http", "https"].contains(parts.scheme?.lowercased()), parts.host?.isEmpty == false,
      parts.query == nil, parts.fragment == nil
    else { throw Self.notAMirror(text) }
    base = String(trimmed)
    parts.user = nil
    parts.password = nil
    shown = parts.string ?? "the mirror"
  }

  /// Where a release's file is found, as GitHub lays out release downloads.
  func address(of file: String, in release: String) throws(Diagnostic) -> RemoteFile {
    let path = "/\(percentEncoded(release))/\(percentEncoded(file))"
    guard let url = URL(string: base + path) else { throw Self.notAMirror(shown) }
    return RemoteFile(url: url, shown: shown + path)
  }

  private static func notAMirror(_ text: String) -> Diagnostic {
    // A password may stand before "@", and what is not a URL cannot be taken apart.
    let shown = text.contains("@") ? "the mirror's address" : "\"\(text)\""
    return Diagnostic(
      "\(shown) is not an address for release files",
      reason: "files are fetched from <address>/<release>/<file> over http or https",
      remedy: "write a URL without query, for example \(example), or name a folder instead")
  }

  private static let example = "https://github.com/k3s-io/k3s/releases/download"
}

/// Text as one segment of a URL's path; the `+` of a k3s release becomes `%2B`, because servers
/// that read paths like forms take a bare one for a space.
func percentEncoded(_ segment: String) -> String {
  let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~".utf8)
  let hex = Array("0123456789ABCDEF")
  return segment.utf8.reduce(into: "") { text, byte in
    if plain.contains(byte) {
      text.unicodeScalars.append(UnicodeScalar(byte))
    } else {
      text += "%\(hex[Int(byte >> 4)])\(hex[Int(byte & 0x0F)])"
    }
  }
}
