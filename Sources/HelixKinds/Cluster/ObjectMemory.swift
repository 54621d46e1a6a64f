import HelixModel
import HelixPlan

/// The ConfigMap that remembers what was applied; an object's name is in it before the object is
/// made, so that a run that breaks off leaves nothing that nobody knows of.
struct ObjectMemory: Resource {
  static let kind = "manifests"
  static let address = Address(.cluster, kind: kind)
  let door: ClusterDoor
  let objects: [ManifestObject]
  let prune: Bool
  let location: SourceLocation?

  var address: Address { Self.address }
  var mayAwait: [Address] { door.waits }

  var fact: Fact<AppliedObjects> {
    AppliedObjects.fact(wanted: objects.map(AppliedObjects.key).sorted())
  }

  var questions: [Question] {
    let fact = fact
    return door.questions + door.cluster.servers.map { Question(fact, on: $0.host) }
  }

  /// What is remembered, and where to ask; nil while no server answers.
  func applied(
    _ sight: inout Sight
  ) throws(Diagnostic) -> (objects: AppliedObjects, host: HostName)? {
    guard case .open(let host) = try door.way(&sight) else { return nil }
    return (try sight.read(fact, on: host), host)
  }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    switch try door.way(&sight) {
    case .closed(let why): return .heldBack(why)
    case .opening(let host):
      return .change(work(from: AppliedObjects(entries: [:], stale: [:]), on: host))
    case .open(let host):
      let applied = try sight.read(fact, on: host)
      let work = work(from: applied, on: host)
      return work.fields.isEmpty ? .unchanged(reason: "it remembers the same") : .change(work)
    }
  }

  private func work(from applied: AppliedObjects, on host: HostName) -> Work {
    var wanted = Dictionary(
      objects.map { (AppliedObjects.key(of: $0), AppliedObjects.value(of: $0)) },
      uniquingKeysWith: { first, _ in first })
    var fields: [FieldChange] = []
    for (key, value) in wanted.sorted(by: { $0.key < $1.key }) where applied.entries[key] != value {
      fields.append(
        FieldChange("remembers", before: applied.entries[key].map(shown), after: shown(value)))
    }
    for (key, value) in applied.entries.sorted(by: { $0.key < $1.key }) where wanted[key] == nil {
      switch applied.stale[key] {
      case .gone: fields.append(FieldChange("forgets, for it is gone", before: shown(value)))
      case .others:
        fields.append(
          FieldChange("forgets, for somebody else manages it now", before: shown(value)))
      case .ours, nil: wanted[key] = value
      }
    }
    return Work(
      applied.entries.isEmpty ? .create : .update, fields: fields,
      reason: "it is told before anything is applied", after: door.waits,
      steps: [
        Step(
          StepID(address, "remember"), title: "remember what is applied", host: host,
          instructions: [.feed(feed(wanted))])
      ])
  }

  /// `Deployment shop/web`, from what is remembered.
  private func shown(_ value: String) -> String {
    guard let object = AppliedObjects.object(value) else { return value }
    return "\(object.kind) \(object.namespace.map { "\($0)/" } ?? "")\(object.name)"
  }

  private func feed(_ entries: [String: String]) -> Feed {
    let quoted = { (text: String) in JSONText.write(.text(text)) }
    let data = entries.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
    let json =
      #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"\#(AppliedObjects.name)","#
      + #""namespace":"\#(AppliedObjects.namespace)"},"data":{\#(data.joined(separator: ","))}}"#
    return Feed(
      "remember what is applied",
      script: """
        \(ClusterDoor.shell)
        helix_kubectl apply --server-side --force-conflicts --field-manager=\(LiveObject.manager) -f -
        """,
      input: TemplateText(json + "\n"))
  }
}

/// Finds what was applied earlier and is in no file any more.
struct ObjectPruning: Resource {
  static let address = Address(.cluster, kind: "pruning")
  let memory: ObjectMemory

  var address: Address { Self.address }
  var location: SourceLocation? { memory.location }
  /// Nothing is deleted before all that replaces it is there.
  var after: [Address] { [memory.address] + memory.objects.map(ClusterObject.address) }
  var mayAwait: [Address] { memory.mayAwait }
  var questions: [Question] { memory.questions }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let stale = try stale(&sight).objects
    guard !stale.isEmpty else { return .unchanged(reason: "nothing has left the files") }
    let names = stale.map { ClusterObject.address(of: $0).name }.joined(separator: ", ")
    return .unchanged(
      reason: memory.prune
        ? "\(stale.count) left the files" : "no longer in the files, and left there: \(names)")
  }

  func found(_ sight: inout Sight) throws(Diagnostic) -> [any Resource] {
    let (objects, host) = try stale(&sight)
    guard memory.prune, let host else { return [] }
    var later: [Int: [Address]] = [:]
    var found: [any Resource] = []
    for object in objects {
      let phase = ApplyPhase(of: object).rawValue
      // What was applied last goes first.
      let before = later.filter { $0.key > phase }.flatMap(\.value).sorted()
      let goner = ObjectRemoval(
        memory: memory, object: object, host: host, after: [address] + before)
      later[phase, default: []].append(goner.address)
      found.append(goner)
    }
    return found
  }

  private func stale(
    _ sight: inout Sight
  ) throws(Diagnostic) -> (objects: [ManifestObject], host: HostName?) {
    guard let (applied, host) = try memory.applied(&sight) else { return ([], nil) }
    let keys = applied.stale.filter { $0.value == .ours }.keys.sorted()
    let objects = keys.compactMap { applied.entries[$0].flatMap(AppliedObjects.object) }
    let inOrder = objects.enumerated().sorted { left, right in
      let phases = (ApplyPhase(of: left.element), ApplyPhase(of: right.element))
      return phases.0 == phases.1 ? left.offset < right.offset : phases.0 > phases.1
    }
    return (inOrder.map(\.element), host)
  }
}

/// One object that was applied earlier and is to go.
struct ObjectRemoval: Resource {
  let memory: ObjectMemory
  let object: ManifestObject
  let host: HostName
  let after: [Address]

  var address: Address { ClusterObject.address(of: object) }
  var location: SourceLocation? { memory.location }
  var questions: [Question] { memory.questions }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    _ = try memory.applied(&sight)
    return .change(
      Work(
        .delete, reason: "it was applied earlier and is in no file any more",
        disruption: disruption, after: memory.door.waits,
        steps: steps))
  }

  var steps: [Step] {
    [
      Step(
        StepID(address, "delete"), title: "delete \(title)", host: host,
        instructions: [.run(script: deletion), .wait(isGone), .run(script: forgetting)],
        timeout: 120 + isGone.timeout)
    ]
  }

  private var title: String {
    "\(object.kind) \(object.namespace.map { "\($0)/" } ?? "")\(object.name)"
  }

  private var disruption: String? {
    switch (object.group, object.kind) {
    case ("", "Namespace"): "deletes all that is in the namespace \(object.name) with it"
    case ("apiextensions.k8s.io", "CustomResourceDefinition"):
      "deletes all objects of the kind \(object.name) with it"
    case ("", "PersistentVolumeClaim"):
      "deletes the data of the volume with it, unless its storage class keeps it"
    case ("apps", _), ("batch", _): "ends the pods of \(title)"
    case ("helm.cattle.io", "HelmChart"): "uninstalls the chart \(object.name)"
    default: nil
    }
  }

  /// Asked once more on the spot: an object that somebody took over in between stays.
  private var deletion: String {
    let words = AppliedObjects.value(of: object).split(separator: " ").map {
      shellQuoted(String($0))
    }
    return """
      # delete \(title)
      \(ClusterDoor.shell)
      \(AppliedObjects.standing)
      set -- \(words.joined(separator: " "))
      case $(helix_standing "$@") in
      ours) helix_stub "$@" | helix_kubectl delete --ignore-not-found --wait=false -f - ;;
      others|gone) ;;
      *) echo "the API does not tell what became of it" >&2; exit 1 ;;
      esac
      """
  }

  private var isGone: Wait {
    let words = AppliedObjects.value(of: object).split(separator: " ").map {
      shellQuoted(String($0))
    }
    return Wait(
      "\(title) is gone",
      script: """
        \(ClusterDoor.shell)
        \(AppliedObjects.standing)
        set -- \(words.joined(separator: " "))
        helix_now=$(helix_standing "$@")
        echo "$helix_now"
        [ "$helix_now" = gone ] || [ "$helix_now" = others ]
        """,
      timeout: 300, interval: 2)
  }

  private var forgetting: String {
    let key = JSONText.write(.text(AppliedObjects.key(of: object)))
    return """
      # forget \(title)
      \(ClusterDoor.shell)
      helix_kubectl -n \(AppliedObjects.namespace) patch configmap \(AppliedObjects.name) \\
        --type=merge --field-manager=\(LiveObject.manager) -p \(shellQuoted(#"{"data":{\#(key):null}}"#))
      """
  }
}
