/// What a manifest's own annotations ask of helix-infra; they steer it and are not applied.
package struct ManifestSteering: Hashable, Sendable {
  /// Every annotation that steers; others of the prefix would be passed over in silence.
  package static let annotations = [waitKey, timeoutKey, forceKey]
  /// What all of them begin with.
  package static let prefix = "helix.infra/"

  private static let waitKey = "\(prefix)wait"
  private static let timeoutKey = "\(prefix)timeout"
  private static let forceKey = "\(prefix)force-conflicts"

  /// Whether to wait until the cluster has made of the object what it says.
  package var waits: Bool
  /// Seconds that waiting may take.
  package var timeout: Int
  /// Whether fields of other managers are taken over.
  package var forcesConflicts: Bool

  package static let standardTimeout = 300

  /// What the annotations of an object say; what cannot be read counts as not said.
  package init(of body: Mapping) {
    let annotations = body["metadata"]?.mapping?["annotations"]?.mapping
    let text = { (key: String) in annotations?[key]?.scalarText }
    waits = text(Self.waitKey) != "false"
    timeout = text(Self.timeoutKey).flatMap(secondsOfDuration) ?? Self.standardTimeout
    forcesConflicts = text(Self.forceKey) == "true"
  }

  /// What is wrong with an annotation of the prefix; nil for one that is well.
  package static func problem(_ entry: Mapping.Entry) -> Diagnostic? {
    let text = entry.value.scalarText ?? ""
    let wanted: String
    switch entry.key {
    case waitKey, forceKey:
      if text == "true" || text == "false" { return nil }
      wanted = "\"true\" or \"false\""
    case timeoutKey:
      if secondsOfDuration(text) != nil { return nil }
      wanted = "a duration such as 10m"
    default:
      return Diagnostic(
        "\"\(entry.key)\" is no annotation that helix-infra knows",
        remedy: nearestName(to: entry.key, among: annotations).map { "did you mean \"\($0)\"?" }
          ?? "there are \(annotations.joined(separator: ", "))", at: entry.keyLocation)
    }
    return Diagnostic(
      "\"\(entry.key)\" must be \(wanted)", remedy: "write it in quotes, as every annotation",
      at: entry.value.location)
  }

  /// An object without the annotations that steer.
  package static func stripped(_ body: Mapping) -> Mapping {
    guard let metadata = body.entry("metadata"), let inner = metadata.value.mapping,
      let own = inner.entry("annotations"), let all = own.value.mapping,
      all.keys.contains(where: annotations.contains)
    else { return body }
    let kept = all.entries.filter { !annotations.contains($0.key) }
    var fields = inner.entries
    fields.removeAll { $0.key == "annotations" && kept.isEmpty }
    var meta = Mapping(fields)
    if !kept.isEmpty {
      meta.set(
        .init(
          key: own.key, keyLocation: own.keyLocation,
          value: Node(.mapping(Mapping(kept)), at: own.value.location)))
    }
    var body = body
    body.set(
      .init(
        key: metadata.key, keyLocation: metadata.keyLocation,
        value: Node(.mapping(meta), at: metadata.value.location)))
    return body
  }
}
