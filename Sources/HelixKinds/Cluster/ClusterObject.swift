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
  /// What the project's files say of the object's kind.
  let definition: ManifestObject?
  let steering: ManifestSteering
  /// What the API is given: the manifest without what only steers us.
  let json: String

  init(
    door: ClusterDoor, manifest: ManifestObject, after: [Address] = [],
    definition: ManifestObject? = nil
  ) {
    self.door = door
    self.manifest = manifest
    self.after = after
    self.definition = definition
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

  /// The namespace counts even where the text leaves it to the reader; and an object that says
  /// nothing gets an annotation, for nobody manages what holds no field of theirs.
  static func applied(_ manifest: ManifestObject) -> Mapping {
    var body = ManifestSteering.stripped(manifest.body)
    let node = { (value: Value) in Node(value, at: manifest.location) }
    func entry(_ key: String, _ value: Value) -> Mapping.Entry {
      .init(key: key, keyLocation: manifest.location, value: node(value))
    }
    var metadata = body["metadata"]?.mapping ?? Mapping()
    if let namespace = manifest.namespace { metadata.set(entry("namespace", .text(namespace))) }
    if !ObjectDifference.saysSomething(ObjectDifference.written(in: body)) {
      metadata.set(
        entry("annotations", .mapping(Mapping([entry(LiveObject.mark, .text("true"))]))))
    }
    body.set(entry("metadata", .mapping(metadata)))
    return body
  }

  private var fact: Fact<LiveObject> { LiveObject.fact(self) }

  private var definitionFact: Fact<LiveObject>? {
    definition.map { LiveObject.fact(ClusterObject(door: door, manifest: $0)) }
  }

  var questions: [Question] {
    let facts = [fact, definitionFact].compactMap(\.self)
    return door.questions
      + door.cluster.servers.flatMap { server in facts.map { Question($0, on: server.host) } }
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
        let refusal = ApplyRefusal(object: self, live: live, words: words)
        guard case .refused = refusal.verdict, refusal.conflicts.isEmpty,
          try changesDefinition(&sight, on: host)
        else { return refusal.verdict }
        // The dry run met the old definition.
        return live == nil
          ? .change(creation(.nothing, and: "its kind is changed first", on: host))
          : .heldBack(refusal.behindDefinition)
      }
    }
  }

  private func changesDefinition(
    _ sight: inout Sight, on host: HostName
  ) throws(Diagnostic) -> Bool {
    guard let definitionFact,
      case .there(let live, let after) = try sight.read(definitionFact, on: host)
    else { return false }
    return !ObjectDifference.between(
      ObjectDifference.meaning(of: live), ObjectDifference.meaning(of: after)
    ).isEmpty
  }

  private var asWritten: String { "it is as written" }

  private func comparison(_ live: Mapping, _ after: Mapping, on host: HostName) -> Verdict {
    if LiveObject.isGoing(live) { return .heldBack(isGoing) }
    var fields = ObjectDifference.between(
      ObjectDifference.meaning(of: live), ObjectDifference.meaning(of: after))
    // Of some objects nothing can be managed; applying them again would not change that.
    let isOurs = LiveObject.isOurs(live) || !LiveObject.isOurs(after)
    guard !fields.isEmpty || !isOurs else { return .unchanged(reason: asWritten) }
    if !isOurs {
      let others = LiveObject.managers(of: live).joined(separator: ", ")
      fields.append(
        FieldChange(
          "managed by", before: others.isEmpty ? nil : others, after: LiveObject.manager))
    }
    let replacesPods =
      manifest.group == "apps" && fields.contains { $0.name.hasPrefix("spec.template") }
    let hands = LiveObject.hands(on: live, after: after).joined(separator: " and ")
    let differs = hands.isEmpty ? "it differs" : "somebody has changed it with \(hands)"
    return .change(
      work(
        .update, fields, reason: fields.count == 1 && !isOurs ? "it is not ours yet" : differs,
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

  /// POSIX sh with `helix_apply FLAG…`: applies what `helix_manifest` prints, for a dry run and for good.
  ///
  /// What somebody has changed by hand is drift, which the plan shows and an apply takes back. What
  /// another program has set is a conflict, unless the object is told to take it over.
  var applyShell: String {
    let force = steering.forcesConflicts ? "--force-conflicts " : ""
    return """
      helix_apply_so() {
        helix_manifest | helix_kubectl apply --server-side --field-manager=\(LiveObject.manager) "$@" -f -
      }
      helix_conflicts() {
        printf '%s\\n' "$helix_words" | sed -n 's/.*conflicts\\{0,1\\} with "\\([^"]*\\)".*/\\1/p'
      }
      helix_apply() {
        { helix_words=$(helix_apply_so \(force)"$@" 2>&1 >&3); } 3>&1 && return
        if [ -n "$(helix_conflicts)" ] &&
          ! helix_conflicts | grep -vqx \(LiveObject.hands.map { "-e \($0)" }.joined(separator: " "))
        then helix_apply_so --force-conflicts "$@"
        else printf '%s\\n' "$helix_words" >&2; return 1; fi
      }
      """
  }

  /// What to wait for after an apply; nil for kinds of which nothing is known, or when it is not
  /// wanted.
  private var rollout: ObjectRollout? {
    steering.waits ? ObjectRollout(of: manifest) : nil
  }

  private func creation(
    _ lack: LiveObject.Lack, and more: String? = nil, on host: HostName
  ) -> Work {
    let fields = ObjectDifference.between(
      nil, ObjectDifference.written(in: Self.applied(manifest)))
    let reason =
      switch lack {
      case .nothing: "there is no \(title)" + (more.map { ", and \($0)" } ?? "")
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
          "apply \(title)",
          script: """
            \(ClusterDoor.shell)
            \(applyShell)
            helix_input=$(cat)
            helix_manifest() { printf '%s\\n' "$helix_input"; }
            helix_apply
            """,
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
  /// What an object says beside what it is called.
  static func written(in body: Mapping) -> Mapping {
    var written = Mapping()
    for var entry in body.entries where !["apiVersion", "kind"].contains(entry.key) {
      if entry.key == "metadata", let metadata = entry.value.mapping {
        let rest = metadata.entries.filter { !["name", "namespace"].contains($0.key) }
        guard !rest.isEmpty else { continue }
        entry.value.value = .mapping(Mapping(rest))
      }
      written.set(entry)
    }
    return written
  }

  /// Whether there is a value in it, however deep.
  static func saysSomething(_ mapping: Mapping) -> Bool {
    mapping.entries.contains { saysSomething($0.value) }
  }

  private static func saysSomething(_ node: Node) -> Bool {
    switch node.value {
    case .mapping(let mapping): saysSomething(mapping)
    case .list(let elements): elements.contains(where: saysSomething)
    case .null: false
    case .bool, .integer, .number, .text, .hidden: true
    }
  }
}
