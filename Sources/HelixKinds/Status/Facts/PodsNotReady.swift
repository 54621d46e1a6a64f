/// The pods that should be ready and are not.
struct PodsNotReady: Sendable, Hashable {
  /// All of them; only the first are told one by one.
  var count: Int
  var pods: [StatusReport.Pod]

  // The table that the API itself makes is short, and has the reason in the word that people know;
  // whole pods of a large cluster would be hundreds of megabytes. Pods that ended are left out:
  // those that are done, those that their node has put out, and the failed ones of a Job that has
  // come to its end after all. Jobs are asked for only where such a pod may be.
  static let script = """
    helix_pods=$({ helix_get pods -A -o wide -L job-name \\
          --field-selector=status.phase!=Succeeded --no-headers && echo helix-answered; } | awk '
          $0 == "helix-answered" { print "answered"; next }
          split($3, ready, "/") != 2 || ready[1] == ready[2] { next }
          $4 ~ /^(Completed|Succeeded|Evicted|NodeShutdown|Terminated|Preempting)$/ { next }
          # Restarts may be three words: 31 (2m ago).
          { age = $6 ~ /^[(]/ ? 8 : 6 }
          { print "pod\\t" $1 "\\t" $2 "\\t" $3 "\\t" $4 "\\t" $age "\\t" $(age + 2) "\\t" $(age + 5) }')
        helix_jobs=
        if printf '%s\\n' "$helix_pods" | awk -F '\\t' '$8 ~ /[a-z]/ { job = 1 } END { exit !job }'; then
          helix_jobs=$(helix_get jobs -A -o jsonpath='\(jobRow)')
        fi
        printf '%s\\n' "$helix_jobs" "$helix_pods" | awk -F '\\t' '
          $1 == "job" { if ($4 == "True") done[$2 "/" $3] = 1; next }
          $1 == "answered" { print "answered pods"; print "pods", n + 0; next }
          $1 != "pod" || ($2 "/" $8) in done { next }
          # Those of kube-system are judged, so each of them is told.
          { ++n }
          n <= 200 || $2 == "kube-system" { print "pod\\t" $2 "\\t" $3 "\\t" $4 "\\t" $5 "\\t" $6 "\\t" $7 }'
    """

  private static let jobRow =
    #"{range .items[*]}job{"\t"}{.metadata.namespace}{"\t"}{.metadata.name}{"\t"}"#
    + #"{.status.conditions[?(@.type=="Complete")].status}{"\n"}{end}"#

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
