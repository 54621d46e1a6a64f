/// Whom a file's data key is wrapped for.
package enum MasterKey: Hashable, Sendable {
  /// An age recipient: `age1…`, `age1pq1…`, `ssh-ed25519 …` or `ssh-rsa …`.
  case age(String)
  /// The fingerprint of a PGP key.
  case pgp(String)
  /// A key in a cloud's or vault's keeping, which is passed on untouched; the kind is the name of
  /// its list, such as `kms` or `hc_vault`.
  case remote(kind: String, name: String)
}

/// Keys of which a file needs one, or of several groups a threshold.
package struct KeyGroup: Hashable, Sendable {
  package var keys: [MasterKey]
  package init(_ keys: [MasterKey]) { self.keys = keys }
}
