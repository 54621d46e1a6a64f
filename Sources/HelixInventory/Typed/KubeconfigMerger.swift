package import HelixModel
internal import Yams

/// Lays one kubeconfig into another, as `kubectl config view --flatten` would.
package struct KubeconfigMerger: KubeconfigMerging {
  package init() {}

  /// Entries of the incoming file replace those of the same name; all others stay.
  ///
  /// - Throws: a `Diagnostic` when either text is no kubeconfig; neither is quoted, since both hold
  ///   private keys.
  package func merge(
    _ incoming: String, into existing: String?
  ) throws(Diagnostic) -> String {
    let new = try config(incoming, called: "the cluster's kubeconfig")
    guard let existing, existing.contains(where: { !$0.isWhitespace }) else { return incoming }
    var merged = try config(existing, called: "the existing kubeconfig")
    for list in ["clusters", "contexts", "users"] {
      merged[Yams.Node(list)] = merge(new[Yams.Node(list)], into: merged[Yams.Node(list)])
    }
    if merged["current-context"]?.string?.isEmpty ?? true {
      merged["current-context"] = new["current-context"]
    }
    guard let text = try? Yams.serialize(node: .mapping(merged)) else {
      throw Diagnostic("the merged kubeconfig cannot be written as YAML")
    }
    return text
  }

  private func config(
    _ text: String, called name: String
  ) throws(Diagnostic) -> Yams.Node.Mapping {
    guard let node = try? Yams.compose(yaml: text), let mapping = node.mapping,
      mapping["kind"]?.string == "Config"
    else {
      throw Diagnostic(
        "\(name) is not a kubeconfig", reason: "it is no YAML mapping of kind Config",
        remedy: "move the file away, or name another one under kubeconfig.path")
    }
    return mapping
  }

  private func merge(_ incoming: Yams.Node?, into existing: Yams.Node?) -> Yams.Node {
    let new = incoming?.sequence.map(Array.init) ?? []
    let names = Set(new.compactMap { $0["name"]?.string })
    let kept = (existing?.sequence.map(Array.init) ?? []).filter { entry in
      entry["name"]?.string.map { !names.contains($0) } ?? true
    }
    return Yams.Node(kept + new)
  }
}
