import HelixSOPS
import HelixSecrets

/// What `secrets doctor` found, before it tells what is wrong.
struct DoctorText {
  /// Files whose rule is explained line by line.
  let explained: [String]

  init(explaining files: [String]) { explained = files }

  func render(_ reading: DoctorReading) -> String {
    let parts = [
      identities(reading), rules(reading), files(reading), explanations(reading),
      cluster(reading.cluster),
    ]
    return parts.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private func identities(_ reading: DoctorReading) -> String {
    let lines = reading.findings.flatMap { finding in
      finding.recipients.isEmpty
        ? ["  \(finding.source): \(finding.problem == nil ? "nothing" : "cannot be read")"]
        : finding.recipients.map { "  \(finding.source): \(short($0))" }
    }
    return "Identities of this machine\n" + (lines.isEmpty ? "  none\n" : text(lines))
  }

  private func rules(_ reading: DoctorReading) -> String {
    guard let config = reading.config else { return "Rules\n  there is no .sops.yaml\n" }
    let lines = (config.rules ?? []).map { rule in
      let path = rule.pathPattern.map { "path_regex \"\($0.text)\"" } ?? "every path"
      let keys = rule.keyGroups.flatMap(\.keys).map { short($0.name) }
      return "  \(rule.number). \(path): \(keys.joined(separator: ", "))"
    }
    return "Rules of \(config.file)\n" + (lines.isEmpty ? "  none\n" : text(lines))
  }

  private func files(_ reading: DoctorReading) -> String {
    let own = Set(reading.findings.flatMap(\.recipients))
    let sealed = reading.scan.sealed
    let opened = sealed.count { _, document in
      own.contains { document.isWrapped(for: .age($0)) }
    }
    return "Files\n  \(reading.scan.count) looked at, \(sealed.count) encrypted, "
      + "\(opened) of them for an identity of this machine\n"
  }

  private func explanations(_ reading: DoctorReading) -> String {
    let lines = reading.scan.files.filter { explained.contains($0.path) }.flatMap { file in
      ["  \(file.path)"] + (file.decision?.explanation ?? []).map { "    \($0)" }
    }
    return lines.isEmpty ? "" : "Which rule, and why\n" + text(lines)
  }

  private func cluster(_ cluster: ClusterKeys?) -> String {
    guard let cluster else { return "" }
    let lines = cluster.entries.map { entry in
      let unknown = entry.unknown > 0 ? ["\(entry.unknown) unknown here"] : []
      let keys = entry.recipients.map(short) + unknown
      return "  \(entry.namespace)/\(cluster.name) \(entry.key): "
        + (keys.isEmpty ? "no identity" : keys.joined(separator: ", "))
    }
    return "The cluster\n" + (lines.isEmpty ? "  no Secret \(cluster.name)\n" : text(lines))
  }

  private func text(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }

  /// Hybrid recipients have some two thousand letters.
  private func short(_ recipient: String) -> String {
    recipient.count > 100 ? "\(recipient.prefix(24))…\(recipient.suffix(8))" : recipient
  }
}
