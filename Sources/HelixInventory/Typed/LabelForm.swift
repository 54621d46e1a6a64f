/// Kubernetes's rules for labels and taints.
enum LabelForm {
  private static let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"]

  /// `name` or `prefix/name`.
  static func isKey(_ text: some StringProtocol) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard let name = parts.last, parts.count <= 2, isWord(name), !name.isEmpty else { return false }
    return parts.count == 1 || NodeNames.isName(String(parts[0]))
  }

  static func isValue(_ text: some StringProtocol) -> Bool { text.isEmpty || isWord(text) }

  /// `key=value:Effect` or `key:Effect`.
  static func isTaint(_ text: String) -> Bool {
    guard let colon = text.lastIndex(of: ":"),
      effects.contains(String(text[text.index(after: colon)...]))
    else { return false }
    let parts = text[..<colon].split(
      separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    return isKey(parts[0]) && (parts.count == 1 || isValue(parts[1]))
  }

  /// Labels that the API server's NodeRestriction lets no kubelet set on itself.
  static func isReserved(_ key: some StringProtocol) -> Bool {
    let parts = key.split(separator: "/")
    guard parts.count == 2 else { return false }
    let prefix = parts[0]
    let isKubernetes =
      ["kubernetes.io", "k8s.io"].contains { prefix == $0 || prefix.hasSuffix(".\($0)") }
    guard isKubernetes else { return false }
    let open = ["kubelet.kubernetes.io", "node.kubernetes.io"]
    let known = [
      "kubernetes.io/hostname", "kubernetes.io/os", "kubernetes.io/arch",
      "topology.kubernetes.io/zone", "topology.kubernetes.io/region",
      "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region",
      "beta.kubernetes.io/os", "beta.kubernetes.io/arch", "beta.kubernetes.io/instance-type",
    ]
    return !known.contains(String(key))
      && !open.contains { prefix == $0 || prefix.hasSuffix(".\($0)") }
  }

  private static func isWord(_ text: some StringProtocol) -> Bool {
    guard text.count <= 63, let first = text.unicodeScalars.first,
      let last = text.unicodeScalars.last, isAlphanumeric(first), isAlphanumeric(last)
    else { return false }
    return text.unicodeScalars.allSatisfy {
      isAlphanumeric($0) || $0 == "-" || $0 == "_" || $0 == "."
    }
  }

  private static func isAlphanumeric(_ scalar: Unicode.Scalar) -> Bool {
    ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
  }
}
