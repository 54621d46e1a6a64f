/// The pods that should be ready and are not.
struct PodsNotReady: Sendable, Hashable {
  /// All of them; only the first are told one by one.
  var count: Int
  var pods: [StatusReport.Pod]

  // The table that the API itself makes is short, and has the reason in the word that people know;
  // whole pods of a large cluster would be hundreds of megabytes. Pods that ended are left out:
  // those that are done, and those that their node has put out.
  static let script = """
    { helix_get pods -A -o wide --no-headers && echo helix-answered; } | awk '
          $0 == "helix-answered" { print "answered pods"; print "pods", n + 0; next }
          split($3, ready, "/") != 2 || ready[1] == ready[2] { next }
          $4 ~ /^(Completed|Succeeded|Evicted|NodeShutdown|Terminated|Preempting)$/ { next }
          # Restarts may be three words: 31 (2m ago).
          { age = $6 ~ /^[(]/ ? 8 : 6 }
          ++n <= 200 { print "pod\\t" $1 "\\t" $2 "\\t" $3 "\\t" $4 "\\t" $age "\\t" $(age + 2) }'
    """

  init(_ rows: [[Substring]], lines: FactLines) {
    pods = rows.compactMap { row in
      guard row.first == "pod", row.count == 7 else { return nil }
      return StatusReport.Pod(
        namespace: String(row[1]), name: String(row[2]), ready: String(row[3]),
        reason: String(row[4]), node: row[6] == "<none>" ? nil : String(row[6]),
        isYoung: row[5].last == "s" && Int(row[5].dropLast()) != nil)
    }
    count = max(lines.number("pods") ?? 0, pods.count)
  }
}
