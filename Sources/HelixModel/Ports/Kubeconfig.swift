/// Lays one cluster's kubeconfig into a file that may speak of others.
package protocol KubeconfigMerging: Sendable {
  /// The whole text of the file after the merge; what it says of other clusters stays as it is.
  ///
  /// - Throws: a `Diagnostic` when either text is no kubeconfig.
  func merge(_ incoming: String, into existing: String?) throws(Diagnostic) -> String
}
