import HelixModel
import HelixPlan

/// Why the API would not take an apply, read from what it said to a dry run.
struct ApplyRefusal {
  let object: ClusterObject
  let live: Mapping?
  let words: String

  /// One other manager and the fields it holds.
  struct Conflict: Hashable {
    var manager: String
    var fields: [String]
  }

  var verdict: Verdict {
    if words.contains("failed calling webhook") { return .heldBack(silentWebhook) }
    if isPassing { return .heldBack(notTriedOut) }
    if words.contains("because it is being terminated") { return .heldBack(namespaceIsGoing) }
    if let conflict { return .refused(conflict) }
    if words.contains("does not support dry run") { return .refused(webhook) }
    if words.contains("immutable") || words.contains("updates to statefulset spec") {
      return .refused(immutable)
    }
    return .refused(other)
  }

  /// Whether the API did not get as far as to judge the object.
  private var isPassing: Bool {
    let own = words.split(separator: "\n").filter { !$0.hasPrefix("Warning:") }
    return own.isEmpty || Self.passing.contains { sign in own.contains { $0.contains(sign) } }
  }

  private static let passing = [
    "Unable to connect to the server", "The connection to the server ", "(InternalError)",
    "(ServiceUnavailable)", "(Timeout)", "(ServerTimeout)", "(TooManyRequests)", "etcdserver: ",
    "context deadline exceeded", "i/o timeout", "TLS handshake timeout", "unexpected EOF",
    "connection reset by peer", "connection refused",
  ]

  /// What the API said, without the words that kubectl puts before and behind it.
  private var said: String {
    let lines = words.split(separator: "\n").map(String.init)
    let end = lines.firstIndex { $0.hasPrefix("Please review the fields above") } ?? lines.endIndex
    let own = lines[..<end].filter { !$0.hasPrefix("Warning:") }
    return own.isEmpty ? "it did not say why" : own.joined(separator: "; ")
  }
}

// MARK: - Conflicts

extension ApplyRefusal {
  /// By manager, in the order in which the API names them.
  var conflicts: [Conflict] {
    var found: [Conflict] = []
    for line in words.split(separator: "\n") {
      if let (manager, rest) = Self.manager(in: line) {
        let field = rest.firstRange(of: ": .").map {
          String(rest[rest.index(after: $0.lowerBound)...])
        }
        found.append(Conflict(manager: manager, fields: []))
        if let field { found[found.count - 1].fields.append(Self.plain(field)) }
      } else if line.hasPrefix("- ."), !found.isEmpty {
        found[found.count - 1].fields.append(Self.plain(String(line.dropFirst(2))))
      }
    }
    return found
  }

  private static func manager(in line: Substring) -> (name: String, rest: Substring)? {
    for mark in ["conflict with \"", "conflicts with \""] {
      guard let begin = line.firstRange(of: mark) else { continue }
      let name = line[begin.upperBound...].prefix { $0 != "\"" }
      return (String(name), line[name.endIndex...])
    }
    return nil
  }

  /// ` .spec.replicas` as `spec.replicas`.
  private static func plain(_ field: String) -> String {
    String(field.drop { $0 == " " || $0 == "." })
  }

  private var conflict: Diagnostic? {
    let conflicts = conflicts
    guard words.contains("Apply failed with"), !conflicts.isEmpty else { return nil }
    let who = Array(Set(conflicts.map(\.manager))).sorted().joined(separator: ", ")
    let what = conflicts.map { conflict in
      "\(conflict.manager) manages \(conflict.fields.joined(separator: ", "))"
    }
    return Diagnostic(
      "\(object.title) has fields that \(who) manages",
      reason: what.joined(separator: "; "),
      remedy: "take the fields out of the manifest, or take them over with the annotation"
        + " helix.infra/force-conflicts: \"true\" on it", at: .source(object.manifest.location))
  }
}

// MARK: - Other refusals

extension ApplyRefusal {
  private var immutable: Diagnostic {
    let place = object.manifest.namespace.map { "-n \($0) " } ?? ""
    let word = object.manifest.kind.lowercased()
    return Diagnostic(
      "\(object.title) cannot be changed in this way", reason: said,
      remedy: "give the new one another name, or delete what is there and apply again: kubectl"
        + " \(place)delete \(word) \(object.manifest.name)", at: .source(object.manifest.location))
  }

  private var webhook: Diagnostic {
    Diagnostic(
      "it cannot be told what an apply of \(object.title) would change",
      reason: "an admission webhook of the cluster refuses dry runs: \(said)",
      remedy: "let the webhook declare sideEffects: None, or apply the object by other means",
      at: .source(object.manifest.location))
  }

  private var silentWebhook: Diagnostic {
    Diagnostic(
      "an admission webhook that is asked about \(object.title) does not answer", reason: said,
      remedy: "see to the pods that serve it, then apply again; what does not need it is applied",
      at: .resource(object.address))
  }

  private var notTriedOut: Diagnostic {
    Diagnostic(
      "an apply of \(object.title) could not be tried out", reason: said,
      remedy: "see whether the API answers: k3s kubectl get --raw /readyz; then plan again",
      at: .resource(object.address))
  }

  /// Its kind is changed by the same run.
  var behindDefinition: Diagnostic {
    Diagnostic(
      "\(object.title) cannot be tried out before its kind is changed", reason: said,
      remedy: "apply this plan, which changes the kind, and then once more",
      at: .resource(object.address))
  }

  private var namespaceIsGoing: Diagnostic {
    Diagnostic(
      "the namespace of \(object.title) is being deleted", reason: said,
      remedy: "wait until it is gone, then apply again", at: .resource(object.address))
  }

  private var other: Diagnostic {
    Diagnostic(
      "the API does not take \(object.title)", reason: said,
      remedy: "correct the manifest", at: .source(object.manifest.location))
  }
}
