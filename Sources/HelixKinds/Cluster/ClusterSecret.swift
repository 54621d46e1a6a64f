import HelixModel
import HelixPlan

/// A Secret of the cluster, made true by server-side apply.
///
/// Client-side apply would leave a copy of the values in an annotation; one that is found is removed.
struct ClusterSecret: Resource {
  static let kind = "secret"
  let door: ClusterDoor
  let manifest: SecretManifest
  /// It holds the age identities, which are planted only when they open what they should.
  let holdsIdentities: Bool

  var address: Address {
    Address(.cluster, kind: Self.kind, name: "\(manifest.namespace)/\(manifest.name)")
  }
  var location: SourceLocation? { manifest.location }
  var after: [Address] { [ClusterNamespace.address(manifest.namespace)] }
  var mayAwait: [Address] { door.waits }
  var needsIdentityProof: Bool { holdsIdentities }

  private var fact: Fact<LiveSecret?> { LiveSecret.fact(manifest) }

  var questions: [Question] {
    door.questions + door.cluster.servers.map { Question(fact, on: $0.host) }
  }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    if let doubt = try doubt(&sight) { return .refused(doubt) }
    switch try door.way(&sight) {
    case .closed(let why): return .heldBack(why)
    case .opening(let host): return .change(try creation(on: host, &sight))
    case .open(let host):
      guard let live = try sight.read(fact, on: host) else {
        return .change(try creation(on: host, &sight))
      }
      return try comparison(with: live, on: host, &sight)
    }
  }

  /// Why the identities must not be planted; nil when there is no reason, or none are here.
  private func doubt(_ sight: inout Sight) throws(Diagnostic) -> Diagnostic? {
    guard holdsIdentities else { return nil }
    return try sight.identityProof().problems.first
  }

  private func creation(on host: HostName, _ sight: inout Sight) throws(Diagnostic) -> Work {
    let fields = try manifest.data.map { (entry) throws(Diagnostic) in
      // Asked for so that a secret nobody has is told in the plan and not later.
      _ = try sight.fingerprints.fingerprint(of: entry.value)
      return FieldChange(entry.key, after: try shown(entry, &sight))
    }
    return work(
      .create, fields, reason: "there is no Secret \(manifest.name) in \(manifest.namespace)",
      on: host)
  }

  private func comparison(
    with live: LiveSecret, on host: HostName, _ sight: inout Sight
  ) throws(Diagnostic) -> Verdict {
    let fields = try changes(from: live, &sight)
    guard !fields.isEmpty else { return .unchanged(reason: "it holds the same") }
    guard live.type == manifest.type else { return .refused(otherType(live)) }
    guard !live.isImmutable else { return .refused(immutable) }
    return .change(work(.update, fields, reason: "it differs", on: host, isCopied: live.isCopied))
  }

  private func changes(
    from live: LiveSecret, _ sight: inout Sight
  ) throws(Diagnostic) -> [FieldChange] {
    var fields: [FieldChange] = []
    if live.type != manifest.type {
      fields.append(FieldChange("type", before: live.type, after: manifest.type))
    }
    for entry in manifest.data {
      let print = try sight.fingerprints.fingerprint(of: entry.value)
      guard live.values[entry.key] != print else { continue }
      let before = live.values[entry.key].map { _ in "‹another value›" }
      fields.append(FieldChange(entry.key, before: before, after: try shown(entry, &sight)))
    }
    let wanted = Set(manifest.data.map(\.key))
    for key in live.owned.intersection(live.values.keys).subtracting(wanted).sorted() {
      fields.append(FieldChange(key, before: "‹a value put there earlier›"))
    }
    for (key, text) in manifest.labels.sorted(by: { $0.key < $1.key })
    where live.labels[key] != text {
      fields.append(FieldChange("label \(key)", before: live.labels[key], after: text))
    }
    for (key, text) in manifest.annotations.sorted(by: { $0.key < $1.key }) {
      let print = try sight.fingerprints.fingerprint(of: TemplateText(text))
      guard live.annotations[key] != print else { continue }
      fields.append(FieldChange("annotation \(key)", before: "another text", after: text))
    }
    if live.isCopied {
      fields.append(FieldChange(LiveSecret.lastApplied, before: "a readable copy of the values"))
    }
    return fields
  }

  /// A value for people; of the identities their public keys, and what they were shown to open.
  private func shown(
    _ entry: SecretManifest.Entry, _ sight: inout Sight
  ) throws(Diagnostic) -> String {
    guard holdsIdentities else { return entry.value.shown }
    let proof = try sight.identityProof()
    let files = proof.files == 1 ? "1 file" : "\(proof.files) files"
    return "\(entry.value.shown): \(proof.recipients.joined(separator: ", ")), opens \(files)"
  }
}

// MARK: - Steps

extension ClusterSecret {
  private func work(
    _ action: Action, _ fields: [FieldChange], reason: String, on host: HostName,
    isCopied: Bool = false
  ) -> Work {
    let title = "apply the Secret \(manifest.namespace)/\(manifest.name)"
    var instructions = [
      Instruction.feed(Feed(title, script: applyAndReadBack, input: manifest.json))
    ]
    if isCopied { instructions.append(.run(script: removeCopy)) }
    return Work(
      action, fields: fields, reason: reason, after: door.waits,
      steps: [Step(StepID(address, "apply"), title: title, host: host, instructions: instructions)])
  }

  private var kubectlHere: String {
    "helix_kubectl -n \(shellQuoted(manifest.namespace))"
  }

  /// Gives the manifest on standard input to the API, and looks whether every entry is there.
  ///
  /// The values are in variables alone, for argv and files can be read.
  private var applyAndReadBack: String {
    """
    \(ClusterDoor.shell)
    umask 077
    manifest=$(cat)
    printf '%s\\n' "$manifest" | helix_kubectl apply --server-side --force-conflicts \\
      --field-manager=helix-infra -f - >/dev/null
    wanted=$(printf '%s\\n' "$manifest" | sed -n '2s/^{\\(.*\\)}$/\\1/p')
    live=$(\(kubectlHere) get secret \(shellQuoted(manifest.name)) -o jsonpath='{.data}')
    live=${live#\\{}
    live=${live%\\}}
    set -f
    IFS=,
    for entry in $wanted; do
      case ",$live," in
      *",$entry,"*) ;;
      *) key=${entry#\\"}; echo "the cluster does not hold what was sent as ${key%%\\"*}" >&2; exit 1 ;;
      esac
    done
    """
  }

  private var removeCopy: String {
    """
    \(ClusterDoor.shell)
    \(kubectlHere) annotate secret \(shellQuoted(manifest.name)) \\
      \(shellQuoted(LiveSecret.lastApplied + "-")) >/dev/null
    """
  }
}

// MARK: - Refusals

extension ClusterSecret {
  private func otherType(_ live: LiveSecret) -> Diagnostic {
    Diagnostic(
      "the Secret \(manifest.namespace)/\(manifest.name) is of type \(live.type)",
      reason: "Kubernetes does not let a Secret change its type to \(manifest.type)",
      remedy: "see who made it, then delete it: kubectl -n \(manifest.namespace) delete secret "
        + manifest.name, at: .resource(address))
  }

  private var immutable: Diagnostic {
    Diagnostic(
      "the Secret \(manifest.namespace)/\(manifest.name) is immutable and holds other values",
      remedy: "see who made it, then delete it: kubectl -n \(manifest.namespace) delete secret "
        + manifest.name, at: .resource(address))
  }
}

extension SecretManifest {
  /// The manifest in JSON, the data alone on the second line.
  fileprivate var json: TemplateText {
    var meta = "\"name\":\(quoted(name)),\"namespace\":\(quoted(namespace))"
    if !labels.isEmpty { meta += ",\"labels\":\(fields(labels))" }
    if !annotations.isEmpty { meta += ",\"annotations\":\(fields(annotations))" }
    let head = "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\(meta)},"
    var text: TemplateText = "\(head)\"type\":\(quoted(type)),\"data\":\n{"
    for (number, entry) in data.enumerated() {
      text =
        "\(text)\(number > 0 ? "," : "")\(quoted(entry.key)):\"\(entry.value.coded(.encodedInBase64) ?? "")\""
    }
    return "\(text)}\n}\n"
  }

  private func fields(_ fields: [String: String]) -> String {
    let fields = fields.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
    return "{\(fields.joined(separator: ","))}"
  }

  private func quoted(_ text: String) -> String { JSONText.write(.text(text)) }
}
