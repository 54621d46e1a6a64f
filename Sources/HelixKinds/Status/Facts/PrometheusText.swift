/// The samples of a page in Prometheus's text form; lines that are none are passed over.
struct PrometheusText: Sendable {
  struct Sample: Sendable, Hashable {
    var name: String
    var labels: [String: String]
    var value: Double
  }

  let samples: [Sample]

  init(_ text: String) { samples = text.split(separator: "\n").compactMap(Self.sample) }

  /// The value of a name's first sample.
  subscript(name: String) -> Double? { samples.first { $0.name == name }?.value }

  /// The same as a whole number; nil where it is none.
  func count(_ name: String) -> Int? { self[name].flatMap { Int(exactly: $0.rounded()) } }

  private static func sample(_ line: Substring) -> Sample? {
    guard !line.hasPrefix("#"),
      let end = line.firstIndex(where: { $0 == "{" || $0 == " " }), end != line.startIndex
    else { return nil }
    var rest = line[end...]
    var labels: [String: String] = [:]
    if rest.first == "{" {
      guard let read = readLabels(&rest) else { return nil }
      labels = read
    }
    // A time may follow the value.
    guard let word = rest.split(separator: " ").first, let value = number(word) else { return nil }
    return Sample(name: String(line[..<end]), labels: labels, value: value)
  }

  /// Reads `{name="value",…}`; nil when it breaks off.
  private static func readLabels(_ rest: inout Substring) -> [String: String]? {
    rest.removeFirst()
    var labels: [String: String] = [:]
    while let first = rest.first {
      if first == "}" {
        rest.removeFirst()
        return labels
      }
      if first == "," || first == " " {
        rest.removeFirst()
        continue
      }
      guard let equals = rest.firstIndex(of: "=") else { return nil }
      let name = String(rest[..<equals])
      rest = rest[rest.index(after: equals)...]
      guard let value = quoted(&rest) else { return nil }
      labels[name] = value
    }
    return nil
  }

  private static func quoted(_ rest: inout Substring) -> String? {
    guard rest.popFirst() == "\"" else { return nil }
    var value = ""
    while let letter = rest.popFirst() {
      if letter == "\"" { return value }
      guard letter == "\\" else {
        value.append(letter)
        continue
      }
      guard let escaped = rest.popFirst() else { return nil }
      value.append(escaped == "n" ? "\n" : escaped)
    }
    return nil
  }

  static func number(_ word: some StringProtocol) -> Double? {
    switch word {
    case "+Inf": .infinity
    case "-Inf": -.infinity
    default: Double(String(word))
    }
  }
}

/// How long something took, counted in buckets since the process started.
struct LatencyHistogram: Sendable, Hashable {
  private struct Bucket: Hashable {
    var bound: Double
    var count: Double
  }

  /// By rising bound; each counts all that took no longer.
  private let buckets: [Bucket]

  /// The buckets of `name`; nil when there are none.
  init?(_ page: PrometheusText, _ name: String) {
    buckets = page.samples.compactMap { sample in
      guard sample.name == name + "_bucket", sample.value >= 0,
        let bound = sample.labels["le"].flatMap({ PrometheusText.number($0) })
      else { return nil }
      return Bucket(bound: bound, count: sample.value)
    }.sorted { $0.bound < $1.bound }
    guard !buckets.isEmpty else { return nil }
  }

  /// The seconds within which a part of all was done; nil when nothing was counted.
  ///
  /// Within a bucket all are taken to lie evenly. What took longer than the last bound counts as that bound.
  func quantile(_ part: Double) -> Double? {
    guard let total = buckets.last?.count, total > 0 else { return nil }
    let rank = part * total
    var below = Bucket(bound: 0, count: 0)
    for bucket in buckets {
      if bucket.count >= rank {
        guard bucket.bound.isFinite else { return below.bound }
        let share = (rank - below.count) / max(bucket.count - below.count, 1)
        return below.bound + (bucket.bound - below.bound) * share
      }
      below = bucket
    }
    return below.bound
  }
}
