package import HelixModel
package import HelixPlan

/// All questions to one host as one POSIX-sh script, and the reading of what it prints.
///
/// Every answer stands between two lines that begin with a nonce, so that neither a login's noise
/// nor an answer that looks like a frame can be taken for one. A fact runs in a subshell, quoted as
/// one word: what it breaks, even its own syntax, breaks for itself alone.
package struct ObservationScript: Sendable {
  package let requests: [FactRequest]
  let nonce: String
  let limit: Int

  /// The questions in order, framed with `nonce`: letters and digits that nobody can guess.
  ///
  /// All answers together may have `limit` bytes: the nodes of a cluster of some hundred hosts fit,
  /// and a fact that prints without end is stopped.
  package init(_ requests: [FactRequest], nonce: String, limit: Int = 4 * 1024 * 1024) {
    self.requests = requests
    self.nonce = nonce
    self.limit = limit
  }

  /// The script with the fingerprint key on its first line, to be sent on standard input only.
  ///
  /// It also tells the host what time it is here (`now`, in seconds since 1970), so that hosts asked
  /// one after the other can be compared by their distance from it.
  package func text(key: SecretValue, now: Int64) -> SecretValue {
    let keyWord = shellQuoted(String(decoding: key.reveal(), as: UTF8.self))
    let facts = requests.indices.map { index in
      "helix_fact \(index) \(shellQuoted(requests[index].command))"
    }
    let lines =
      [
        // Unset first: a variable that the login exported would stay exported.
        "set +a; unset \(FactPrelude.keyVariable); \(FactPrelude.keyVariable)=\(keyWord); "
          + "helix_whole=\(nonce)",
        "\(FactPrelude.nowVariable)=\(now)",
        ShellScript.surroundings, FactPrelude.script, framing, "{",
      ] + facts + [
        // Said only when the first line arrived: start-up files of a shell may read it away, and
        // every fingerprint would be made without the key.
        "printf '\\n%s done\\n' \"${helix_whole-}\"", "} | head -c \(limit)", "",
      ]
    return SecretValue(lines.joined(separator: "\n"))
  }

  /// One process for each fact and no more: on small machines that is most of what a plan costs.
  private var framing: String {
    """
    helix_fact() {
      printf '\\n%s begin %s\\n' \(nonce) "$1"
      (eval "$2") </dev/null 2>/dev/null
      printf '\\n%s end %s %s\\n' \(nonce) "$1" "$?"
    }
    """
  }
}

extension ObservationScript {
  /// The answers in what the script printed.
  ///
  /// - Throws: a `Diagnostic` without a place when the last frame is missing.
  package func answers(in output: String) throws(Diagnostic) -> [FactID: FactAnswer] {
    var frames = FrameReader(output, nonce: nonce)
    var answers: [FactID: FactAnswer] = [:]
    for (index, request) in requests.enumerated() {
      guard let answer = frames.answer(index) else {
        throw output.utf8.count >= limit
          ? tooLong(request) : brokenOff(after: index, total: requests.count)
      }
      answers[request.id] = answer
    }
    guard frames.findLine("done") != nil else {
      throw output.contains("\n done\n")
        ? beginningLost : brokenOff(after: requests.count, total: requests.count)
    }
    return answers
  }

  private func tooLong(_ request: FactRequest) -> Diagnostic {
    Diagnostic(
      "the answers are longer than \(limit >> 10) KiB",
      reason: "\(request.id) did not come to its end before that",
      remedy: "look at what it asks about on the host, then plan again")
  }

  private var beginningLost: Diagnostic {
    Diagnostic(
      "the answers cannot be relied on",
      reason: "the script did not arrive whole; a start-up file of the login's shell, such as"
        + " .bashrc, may read standard input",
      remedy: "let start-up files read nothing where nobody sits at a terminal, then plan again")
  }

  private func brokenOff(after count: Int, total: Int) -> Diagnostic {
    Diagnostic(
      "the answers break off after \(count) of \(total) facts",
      reason: "the connection or the shell on the host ended too early",
      remedy: "check that sh runs there without an error, then plan again")
  }
}

/// Walks through output from one frame line to the next.
private struct FrameReader {
  private var rest: Substring.UTF8View
  private let nonce: String

  init(_ output: String, nonce: String) {
    rest = Substring(output).utf8
    self.nonce = nonce
  }

  mutating func answer(_ index: Int) -> FactAnswer? {
    guard findLine("begin \(index)") != nil, let end = findLine("end \(index) ", exactly: false),
      let status = Int(end.tail)
    else { return nil }
    return FactAnswer(status: status, output: end.before)
  }

  /// Goes on behind the next line that is the nonce and the given words.
  ///
  /// - Returns: what stood before the line, without the line break that the frame brought itself,
  ///   and what stood in the line behind the words.
  mutating func findLine(
    _ words: String, exactly: Bool = true
  ) -> (before: String, tail: String)? {
    let mark = Array("\n\(nonce) \(words)".utf8)
    var from = rest.startIndex
    while let found = firstIndex(of: mark, from: from) {
      let behind = rest.index(found, offsetBy: mark.count)
      guard let lineEnd = rest[behind...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
      if exactly, lineEnd != behind {
        from = behind
        continue
      }
      let before = String(Substring(rest[..<found]))
      let tail = String(Substring(rest[behind..<lineEnd]))
      // The line break stays: it may be the one before the next frame.
      rest = rest[lineEnd...]
      return (exactly ? "" : String(before.utf8.dropFirst()) ?? "", tail)
    }
    return nil
  }

  private func firstIndex(of mark: [UInt8], from start: Substring.UTF8View.Index)
    -> Substring.UTF8View.Index?
  {
    var from = start
    while let found = rest[from...].firstIndex(of: mark[0]) {
      if rest[found...].starts(with: mark) { return found }
      from = rest.index(after: found)
    }
    return nil
  }
}
