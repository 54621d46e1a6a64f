import HelixModel
import HelixPlan

/// A Kubernetes object, made as its manifest says by server-side apply.
///
/// What would change is what the server says would: the fact asks for the object and for a dry run
/// of our apply. So defaults and what others set are no difference, and what we applied earlier and
/// no longer say is seen as removed.
struct ClusterObject: Resource {
  static let kind = "object"
  let door: ClusterDoor
  let manifest: ManifestObject
  let after: [Address]
  let steering: ManifestSteering
  /// What the API is given: the manifest without what only steers us.
  let json: String

  init(door: ClusterDoor, manifest: ManifestObject, after: [Address] = []) {
    self.door = door
    self.manifest = manifest
    self.after = after
    steering = ManifestSteering(of: manifest.body)
    json = JSONText.write(.mapping(Self.applied(manifest)))
  }

  var address: Address { Self.address(of: manifest) }
  var location: SourceLocation? { manifest.location }
  var mayAwait: [Address] { door.waits }

  /// `cluster/object:deployment.apps/NAMESPACE/NAME`, `cluster/object:namespace/NAME`.
  static func address(of manifest: ManifestObject) -> Address {
    let group = manifest.group.isEmpty ? "" : ".\(manifest.group)"
    let words = [manifest.kind.lowercased() + group, manifest.namespace, manifest.name]
    return Address(.cluster, kind: kind, name: words.compactMap(\.self).joined(separator: "/"))
  }

  /// The namespace counts even where the text leaves it to the reader.
  private static func applied(_ manifest: ManifestObject) -> Mapping {
    var body = ManifestSteering.stripped(manifest.body)
    guard let namespace = manifest.namespace, let metadata = body.entry("metadata"),
      var inner = metadata.value.mapping, inner["namespace"]?.text != namespace
    else { return body }
    inner.set(
      .init(
        key: "namespace", keyLocation: manifest.location,
        value: Node(.text(namespace), at: manifest.location)))
    body.set(
      .init(
        key: "metadata", keyLocation: metadata.keyLocation,
        value: Node(.mapping(inner), at: metadata.value.location)))
    return body
  }

  private var fact: Fact<LiveObject> { LiveObject.fact(self) }

  var questions: [Question] {
    let fact = fact
    return door.questions + door.cluster.servers.map { Question(fact, on: $0.host) }
  }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    switch try door.way(&sight) {
    case .closed(let why): return .heldBack(why)
    case .opening(let host): return .change(creation(.cluster, on: host))
    case .open(let host):
      switch try sight.read(fact, on: host) {
      case .absent(let lack): return .change(creation(lack, on: host))
      case .same: return .unchanged(reason: asWritten)
      case .there(let live, let after): return comparison(live, after, on: host)
      case .refused(let live, let words):
        return ApplyRefusal(object: self, live: live, words: words).verdict
      }
    }
  }

  private var asWritten: String { "it is as written" }

  private func comparison(_ live: Mapping, _ after: Mapping, on host: HostName) -> Verdict {
    if LiveObject.isGoing(live) { return .heldBack(isGoing) }
    var fields = ObjectDifference.between(
      ObjectDifference.meaning(of: live), ObjectDifference.meaning(of: after))
    let isOurs = LiveObject.isOurs(live)
    guard !fields.isEmpty || !isOurs else { return .unchanged(reason: asWritten) }
    if !isOurs {
      let others = LiveObject.managers(of: live).joined(separator: ", ")
      fields.append(
        FieldChange(
          "managed by", before: others.isEmpty ? nil : others, after: LiveObject.manager))
    }
    let replacesPods = fields.contains { $0.name.hasPrefix("spec.template") }
    return .change(
      work(
        .update, fields, reason: fields.count == 1 && !isOurs ? "it is not ours yet" : "it differs",
        disruption: replacesPods && rollout != nil ? "replaces the pods of \(title)" : nil, on: host
      ))
  }
}

// MARK: - Steps

extension ClusterObject {
  /// For people: `Deployment shop/web`.
  var title: String {
    let place = manifest.namespace.map { "\($0)/" } ?? ""
    return "\(manifest.kind) \(place)\(manifest.name)"
  }

  /// The words of every apply, a dry run or not.
  var applyFlags: String {
    let force = steering.forcesConflicts ? " --force-conflicts" : ""
    return "apply --server-side --field-manager=\(LiveObject.manager)\(force)"
  }

  /// What to wait for after an apply; nil for kinds of which nothing is known, or when it is not
  /// wanted.
  private var rollout: ObjectRollout? {
    steering.waits ? ObjectRollout(of: manifest) : nil
  }

  private func creation(_ lack: LiveObject.Lack, on host: HostName) -> Work {
    let fields = ObjectDifference.between(nil, ObjectDifference.written(in: manifest))
    let reason =
      switch lack {
      case .nothing: "there is no \(title)"
      case .kind: "there is no \(title), and the cluster does not know its kind yet"
      case .namespace: "there is no \(title), and its namespace is not there yet"
      case .cluster: "no server answers yet"
      }
    return work(
      .create, fields, reason: reason, waitsForKind: lack == .kind || lack == .cluster, on: host)
  }

  private func work(
    _ action: Action, _ fields: [FieldChange], reason: String, disruption: String? = nil,
    waitsForKind: Bool = false, on host: HostName
  ) -> Work {
    var instructions: [Instruction] = []
    if waitsForKind { instructions.append(.wait(kindIsKnown)) }
    instructions.append(
      .feed(
        Feed(
          "apply \(title)", script: "\(ClusterDoor.shell)\nhelix_kubectl \(applyFlags) -f -",
          input: TemplateText(json + "\n"))))
    let rollout = rollout
    let until = rollout.map { " and wait until it \($0.end)" } ?? ""
    instructions += rollout?.instructions(title, within: steering.timeout) ?? []
    return Work(
      action, fields: fields, reason: reason, disruption: disruption, after: door.waits,
      steps: [
        Step(
          StepID(address, "apply"), title: "apply \(title)\(until)", host: host,
          instructions: instructions,
          timeout: 120 + (waitsForKind ? kindIsKnown.timeout : 0)
            + (rollout == nil ? 0 : steering.timeout))
      ])
  }

  /// Whoever brings the kind, a manifest before this one or a chart, may need a moment.
  private var kindIsKnown: Wait {
    Wait(
      "the cluster knows \(manifest.kind) of \(manifest.apiVersion)",
      script: "\(manifest.asking("--ignore-not-found -o name")) >/dev/null",
      timeout: steering.timeout, interval: 2)
  }

  private var isGoing: Diagnostic {
    Diagnostic(
      "\(title) is being deleted",
      reason: "what is changed of it now goes with it",
      remedy: "apply again when it is gone, or see its finalizers: kubectl get -o yaml",
      at: .resource(address))
  }
}

extension ManifestObject {
  /// POSIX sh that asks a server's kubectl for this object.
  func asking(_ flags: String) -> String {
    "\(ClusterDoor.shell)\nprintf '%s\\n' \(shellQuoted(stub)) | helix_kubectl get \(flags) -f -"
  }

  /// What kubectl needs to find it, in one line of JSON.
  var stub: String {
    let quoted = { (text: String) in JSONText.write(.text(text)) }
    let place = namespace.map { #","namespace":\#(quoted($0))"# } ?? ""
    return #"{"apiVersion":\#(quoted(apiVersion)),"kind":\#(quoted(kind)),"#
      + #""metadata":{"name":\#(quoted(name))\#(place)}}"#
  }
}

extension ObjectDifference {
  /// What a manifest says beside what the object is called.
  static func written(in manifest: ManifestObject) -> Mapping {
    var written = Mapping()
    for var entry in ManifestSteering.stripped(manifest.body).entries
    where !["apiVersion", "kind"].contains(entry.key) {
      if entry.key == "metadata", let metadata = entry.value.mapping {
        let rest = metadata.entries.filter { !["name", "namespace"].contains($0.key) }
        guard !rest.isEmpty else { continue }
        entry.value.value = .mapping(Mapping(rest))
      }
      written.set(entry)
    }
    return written
  }
}
