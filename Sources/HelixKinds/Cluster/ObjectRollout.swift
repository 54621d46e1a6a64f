import HelixModel
import HelixPlan

/// What tells that the cluster has made of an object what it says; known for the usual kinds.
struct ObjectRollout {
  /// How the wait ends, in words: `is rolled out`.
  let end: String
  /// The object that is looked at: for a chart, the Job that installs it.
  private let subject: ManifestObject
  /// Shell variables and the jsonpaths they are read from, the last one of free text.
  private let cells: [(name: String, path: String)]
  /// Shell conditions on the variables.
  private let isSo: String
  private let hasFailed: String?
  /// What the variables say, for whoever waits in vain.
  private let story: String

  /// Waits for the end of a failure, too: it is then told at once.
  func instructions(_ title: String, within timeout: Int) -> [Instruction] {
    let over = hasFailed.map { "{ \($0); } || { \(isSo); }" } ?? isSo
    let wait = Wait(
      "\(title) \(end)", script: "\(reading)\necho \"\(story)\"\n\(over)", timeout: timeout,
      interval: 2)
    guard let hasFailed else { return [.wait(wait)] }
    let check = "\(reading)\nif \(hasFailed); then\n  echo \"\(story)\" >&2\n  exit 1\nfi"
    return [.wait(wait), .run(script: "# \(title) \(end)\n\(check)")]
  }

  private var reading: String {
    let paths = cells.map { "{\($0.path)}" }.joined(separator: "|")
    return """
      \(ClusterDoor.shell)
      helix_state=$(printf '%s\\n' \(shellQuoted(subject.stub)) |
        helix_kubectl get -f - -o jsonpath=\(shellQuoted(paths))) || exit 1
      IFS='|' read -r \(cells.map(\.name).joined(separator: " ")) <<HELIX_STATE
      $helix_state
      HELIX_STATE
      """
  }
}

extension ObjectRollout {
  /// Nil for a kind that is as it should be once it is stored.
  init?(of manifest: ManifestObject) {
    let spec = manifest.body["spec"]?.mapping
    switch (manifest.group, manifest.kind) {
    case ("apps", "Deployment"): self = Self.deployment(manifest)
    case ("apps", "DaemonSet") where !Self.isOnDelete(spec): self = Self.daemonSet(manifest)
    case ("apps", "StatefulSet") where !Self.isOnDelete(spec):
      self = Self.statefulSet(manifest, isStaged: Self.partition(spec) > 0)
    case ("batch", "Job") where spec?["suspend"]?.value != .bool(true):
      self = Self.job(manifest, subject: manifest, end: "is complete")
    case ("helm.cattle.io", "HelmChart"):
      var installer = manifest
      (installer.apiVersion, installer.kind) = ("batch/v1", "Job")
      installer.name = "helm-install-\(manifest.name)"
      self = Self.job(manifest, subject: installer, end: "is installed")
    case ("apiextensions.k8s.io", "CustomResourceDefinition"): self = Self.definition(manifest)
    case ("", "Namespace"):
      self.init(
        end: "is active", subject: manifest, cells: [("phase", ".status.phase")],
        isSo: #"[ "$phase" = Active ]"#, hasFailed: nil, story: "${phase:-no phase yet}")
    default: return nil
    }
  }

  /// Its pods are replaced when somebody deletes them, and not before.
  private static func isOnDelete(_ spec: Mapping?) -> Bool {
    spec?["updateStrategy"]?.mapping?["type"]?.text == "OnDelete"
  }

  private static func partition(_ spec: Mapping?) -> Int {
    let rolling = spec?["updateStrategy"]?.mapping?["rollingUpdate"]?.mapping
    guard case .integer(let number) = rolling?["partition"]?.value else { return 0 }
    return number
  }

  private static let seen = #"[ "${seen:-0}" -ge "$generation" ]"#
  private static let generations = [
    (name: "generation", path: ".metadata.generation"),
    (name: "seen", path: ".status.observedGeneration"),
  ]

  private static func deployment(_ manifest: ManifestObject) -> ObjectRollout {
    let progressing = #".status.conditions[?(@.type=="Progressing")]"#
    return ObjectRollout(
      end: "is rolled out", subject: manifest,
      cells: generations + [
        ("wanted", ".spec.replicas"), ("updated", ".status.updatedReplicas"),
        ("all", ".status.replicas"), ("available", ".status.availableReplicas"),
        ("reason", "\(progressing).reason"), ("message", "\(progressing).message"),
      ],
      isSo: #"\#(seen) && [ "${updated:-0}" -ge "${wanted:-1}" ] &&"#
        + #" [ "${all:-0}" -le "${updated:-0}" ] && [ "${available:-0}" -ge "${updated:-0}" ]"#,
      hasFailed: #"\#(seen) && [ "$reason" = ProgressDeadlineExceeded ]"#,
      story: "of ${wanted:-1} pods ${updated:-0} are of this version, ${available:-0} available;"
        + " $message")
  }

  private static func daemonSet(_ manifest: ManifestObject) -> ObjectRollout {
    ObjectRollout(
      end: "is rolled out", subject: manifest,
      cells: generations + [
        ("wanted", ".status.desiredNumberScheduled"),
        ("updated", ".status.updatedNumberScheduled"), ("available", ".status.numberAvailable"),
      ],
      isSo: #"\#(seen) && [ "${updated:-0}" -ge "${wanted:-0}" ] &&"#
        + #" [ "${available:-0}" -ge "${wanted:-0}" ]"#,
      hasFailed: nil,
      story: "of ${wanted:-0} pods ${updated:-0} are of this version, ${available:-0} available")
  }

  private static func statefulSet(
    _ manifest: ManifestObject, isStaged: Bool
  ) -> ObjectRollout {
    let isUpdated =
      isStaged
      ? "" : #" && { [ "$now" = "$next" ] || [ "${updated:-0}" -ge "${wanted:-1}" ]; }"#
    return ObjectRollout(
      end: "is rolled out", subject: manifest,
      cells: generations + [
        ("wanted", ".spec.replicas"), ("updated", ".status.updatedReplicas"),
        ("ready", ".status.readyReplicas"), ("now", ".status.currentRevision"),
        ("next", ".status.updateRevision"),
      ],
      isSo: #"\#(seen) && [ "${ready:-0}" -ge "${wanted:-1}" ]\#(isUpdated)"#,
      hasFailed: nil,
      story: "of ${wanted:-1} pods ${updated:-0} are of this version, ${ready:-0} ready")
  }

  private static func job(
    _ manifest: ManifestObject, subject: ManifestObject, end: String
  ) -> ObjectRollout {
    let failed = #".status.conditions[?(@.type=="Failed")]"#
    return ObjectRollout(
      end: end, subject: subject,
      cells: [
        ("complete", #".status.conditions[?(@.type=="Complete")].status"#),
        ("failed", "\(failed).status"), ("reason", "\(failed).reason"),
        ("message", "\(failed).message"),
      ],
      isSo: #"[ "$complete" = True ]"#, hasFailed: #"[ "$failed" = True ]"#,
      story: "the Job \(subject.name): ${reason:-not complete} $message")
  }

  private static func definition(_ manifest: ManifestObject) -> ObjectRollout {
    let names = #".status.conditions[?(@.type=="NamesAccepted")]"#
    return ObjectRollout(
      end: "is established", subject: manifest,
      cells: [
        ("established", #".status.conditions[?(@.type=="Established")].status"#),
        ("accepted", "\(names).status"), ("message", "\(names).message"),
      ],
      isSo: #"[ "$established" = True ]"#, hasFailed: #"[ "$accepted" = False ]"#,
      story: "established: ${established:-not yet}; $message")
  }
}
