import HelixModel
package import HelixPlan

/// What stands at a path on a host.
package struct FileSeen: Sendable, Hashable {
  package enum Sort: String, Sendable {
    case nothing, file, directory, link, other
  }

  package var sort: Sort
  /// Four octal digits.
  package var mode: String
  package var owner: String
  package var group: String
  /// The SHA-256 of a file's content, in lower-case hex.
  package var sha256: String?
  /// A file's text, when it is short enough to be shown.
  package var content: String?
  /// Where a link points.
  package var target: String?

  package static let nothing = FileSeen(sort: .nothing, mode: "", owner: "", group: "")

  fileprivate var summary: String {
    guard sort != .nothing else { return "absent" }
    let what = sha256.map { "sha256 \($0)" } ?? target.map { "to \($0)" } ?? ""
    return "\(sort.rawValue) \(mode) \(owner):\(group) \(what)"
  }
}

extension Fact where Value == FileSeen {
  /// What stands at a path; text up to 64 KiB comes along for the diff.
  package static func file(_ path: String) -> Fact<FileSeen> {
    let quoted = shellQuoted(path)
    return Fact(
      "file:\(path)",
      command: """
        f=\(quoted)
        if [ -L "$f" ]; then
          echo "sort=link"; echo "target=$(readlink "$f")"
        elif [ -d "$f" ]; then echo "sort=directory"
        elif [ -f "$f" ]; then
          echo "sort=file"
          sum=$(sha256sum < "$f") && echo "sha256=${sum%% *}"
        elif [ -e "$f" ]; then echo "sort=other"
        else echo "sort=nothing"; exit 0
        fi
        stat --printf 'mode=%a\\nowner=%U\\ngroup=%G\\n' "$f"
        if [ ! -L "$f" ] && [ -f "$f" ] && [ "$(stat -c %s "$f")" -le 65536 ]; then
          echo "content:"; cat "$f"
        fi
        """,
      parse: { answer throws(Diagnostic) in try parse(answer, path: path) },
      summary: \.summary)
  }

  private static func parse(
    _ answer: FactAnswer, path: String
  ) throws(Diagnostic) -> FileSeen {
    let mark = "content:\n"
    // The properties come first, and none of them can hold the mark but a link's target.
    let (head, content) = split(answer.output, at: "\n\(mark)")
    let properties = FactAnswer(status: 0, output: head).properties
    guard let word = properties["sort"], let sort = FileSeen.Sort(rawValue: word) else {
      throw Diagnostic(
        "what stands at \(path) cannot be told",
        reason: "stat or sha256sum failed with status \(answer.status)")
    }
    guard sort != .nothing else { return .nothing }
    let mode = properties["mode"] ?? ""
    return FileSeen(
      sort: sort, mode: String(repeating: "0", count: max(0, 4 - mode.count)) + mode,
      owner: properties["owner"] ?? "", group: properties["group"] ?? "",
      sha256: properties["sha256"], content: content, target: properties["target"])
  }

  private static func split(_ text: String, at mark: String) -> (String, String?) {
    guard let range = text.firstRange(of: mark) else { return (text, nil) }
    return (String(text[..<range.lowerBound]), String(text[range.upperBound...]))
  }
}
