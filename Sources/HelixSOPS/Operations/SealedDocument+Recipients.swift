extension SealedDocument {
  /// How the file is written.
  package var format: SOPSFormat { text.format }

  /// How many of several key groups are needed; nil when nothing is said.
  package var threshold: Int? { metadata.threshold }

  /// The file's key groups with some keys more and some less; new keys join the first group.
  package func recipients(adding added: [MasterKey], removing removed: [MasterKey]) -> [KeyGroup] {
    let out = Set(removed.map(\.canonical))
    var groups = recipients.map { group in
      KeyGroup(group.keys.filter { !out.contains($0.canonical) })
    }
    if groups.isEmpty { groups = [KeyGroup([])] }
    for key in added where !groups.contains(where: { $0.canonical.contains(key.canonical) }) {
      groups[0].keys.append(key)
    }
    return groups
  }
}
