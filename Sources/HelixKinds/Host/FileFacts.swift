import HelixModel
package import HelixPlan

/// What stands at a path on a host.
package struct FileSeen: Sendable, Hashable {
  package enum Sort: String, Sendable {
    case nothing, file, directory, link, other

    /// With its article, for sentences.
    var told: String {
      switch self {
      case .nothing: "nothing"
      case .file: "a file"
      case .directory: "a folder"
      case .link: "a link"
      case .other: "a device, socket or pipe"
      }
    }
  }

  /// A user or a group: one without a name has its number for a name.
  package struct Principal: Sendable, Hashable {
    package var name: String
    package var number: String

    /// Whether a task that writes `wanted` means this one.
    func answers(to wanted: String) -> Bool { wanted == name || wanted == number }
  }

  package var sort: Sort
  /// Four octal digits.
  package var mode: String?
  package var owner: Principal?
  package var group: Principal?
  /// The SHA-256 of a file's content, in lower-case hex.
  package var sha256: String?
  /// The keyed fingerprint of a file's content, where that stays on the host.
  package var fingerprint: String?
  /// A file's text, when it is text and short enough to be shown.
  package var content: String?
  /// Where a link points.
  package var target: String?

  package static let nothing = FileSeen(sort: .nothing)

  /// Files up to so many bytes are shown line by line.
  static let mostShownBytes = 65536

  fileprivate var summary: String {
    guard sort != .nothing else { return "absent" }
    let attributes = "\(sort.rawValue) \(mode ?? "") \(owner?.name ?? ""):\(group?.name ?? "")"
    let what =
      sha256.map { " sha256 \($0)" } ?? fingerprint.map { " fingerprint \($0)" } ?? target.map {
        " to \($0.replacing("\n", with: "\\n"))"
      }
      ?? ""
    return attributes + what
  }
}

extension Fact where Value == FileSeen {
  /// What stands at a path; short text comes along for the diff.
  ///
  /// A file's text and a link's target come last, so that nothing in them can pass for a property.
  package static func file(_ path: String) -> Fact<FileSeen> {
    fact(
      "file", path, proof: \.sha256,
      content: """
        sum=$(sha256sum <"$f") && echo "sha256=${sum%% *}"
        if [ "${helix_stat##*size=}" -le \(FileSeen.mostShownBytes) ]; then echo; cat "$f"; fi
        """)
  }

  /// What stands at a path where a file holds secrets: its content stays on the host, and so does
  /// its checksum, by which short secrets could be guessed.
  package static func sealedFile(_ path: String) -> Fact<FileSeen> {
    fact(
      "sealed-file", path, proof: \.fingerprint,
      content: #"sum=$(helix_fingerprint <"$f") && echo "fingerprint=$sum""#)
  }

  /// What stands at a path, without what a file holds.
  package static func fileAttributes(_ path: String) -> Fact<FileSeen> {
    fact("file-attributes", path, proof: nil, content: ":")
  }

  private static func fact(
    _ name: String, _ path: String, proof: (@Sendable (FileSeen) -> String?)?, content: String
  ) -> Fact<FileSeen> {
    Fact(
      "\(name):\(path)",
      command: """
        f=\(shellQuoted(path))
        if [ -L "$f" ]; then sort=link
        elif [ -d "$f" ]; then sort=directory
        elif [ -f "$f" ]; then sort=file
        elif [ -e "$f" ]; then sort=other
        else echo sort=nothing; exit 0
        fi
        echo "sort=$sort"
        helix_stat=$(stat -c 'mode=%a
        owner=%U
        uid=%u
        group=%G
        gid=%g
        size=%s' "$f")
        echo "$helix_stat"
        if [ "$sort" = link ]; then echo; readlink "$f"; fi
        if [ "$sort" = file ]; then
        \(content)
        fi
        """,
      parse: { (answer) throws(Diagnostic) in
        let seen = try parse(answer, path: path)
        guard seen.sort == .file, let proof, proof(seen) == nil else { return seen }
        throw unclear(path, "sha256sum failed")
      },
      summary: \.summary)
  }

  private static func parse(
    _ answer: FactAnswer, path: String
  ) throws(Diagnostic) -> FileSeen {
    let (head, body) = headAndBody(answer.output)
    let properties = FactAnswer(status: 0, output: head).properties
    guard let sort = properties["sort"].flatMap(FileSeen.Sort.init) else {
      throw unclear(path, "the host's answer ended with status \(answer.status)")
    }
    guard sort != .nothing else { return .nothing }
    guard let mode = properties["mode"] else { throw unclear(path, "stat failed") }
    return FileSeen(
      sort: sort, mode: String(repeating: "0", count: max(0, 4 - mode.count)) + mode,
      owner: principal(properties["owner"], properties["uid"]),
      group: principal(properties["group"], properties["gid"]),
      sha256: properties["sha256"], fingerprint: properties["fingerprint"],
      content: sort == .file ? body.flatMap { isText($0) ? $0 : nil } : nil,
      target: sort == .link ? body.map { String($0.dropLast()) } : nil)
  }

  /// What stands before the first empty line and what behind it, divided by bytes.
  private static func headAndBody(_ text: String) -> (String, String?) {
    let bytes = text.utf8
    var from = bytes.startIndex
    while let mark = bytes[from...].firstIndex(of: UInt8(ascii: "\n")) {
      let next = bytes.index(after: mark)
      if next < bytes.endIndex, bytes[next] == UInt8(ascii: "\n") {
        return (String(text[..<next]), String(text[bytes.index(after: next)...]))
      }
      from = next
    }
    return (text, nil)
  }

  private static func principal(_ name: String?, _ number: String?) -> FileSeen.Principal? {
    guard let name, let number else { return nil }
    return FileSeen.Principal(name: name == "UNKNOWN" ? number : name, number: number)
  }

  /// Bytes that are no text have arrived as replacement characters.
  private static func isText(_ content: String) -> Bool {
    !content.unicodeScalars.contains { $0 == "\u{FFFD}" || $0 == "\0" }
  }

  private static func unclear(_ path: String, _ reason: String) -> Diagnostic {
    Diagnostic("what stands at \(path) cannot be told", reason: reason)
  }
}
