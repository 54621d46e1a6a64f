import HelixModel

extension K3sNode {
  /// The settings the node should have, as it takes part in the cluster.
  ///
  /// `addresses` are the host's own; empty when they could not be told.
  func settings(_ entry: Entry, addresses: [String]) -> ConfigSettings {
    var settings = role == .server ? cluster.serverSettings : cluster.agentSettings
    settings["token-file"] = .text(K3sPaths.token)
    settings["node-name"] = .text(name)
    if settings["node-ip"] == nil, let address = ownAddress(among: addresses) {
      settings["node-ip"] = .text(address)
    }
    if role == .server, let endpoint = cluster.endpoint {
      var names = settings["tls-san"]?.texts ?? []
      if !names.contains(endpoint) { names.append(endpoint) }
      settings["tls-san"] = .list(names)
    }
    switch entry.tie {
    case .begins: settings["cluster-init"] = .text("true")
    case .joins(let url): settings["server"] = .text(url)
    case .alone: break
    }
    return settings
  }

  /// The inventory's address, when it is an IP address that the host itself has: behind address
  /// translation it is not.
  private func ownAddress(among addresses: [String]) -> String? {
    let address = member.address
    guard isIPAddress(address), !address.hasPrefix("127."), address != "::1" else { return nil }
    return addresses.isEmpty || addresses.contains(address) ? address : nil
  }
}

/// Whether text is an IP address; good enough to tell one from a name.
func isIPAddress(_ text: String) -> Bool {
  if text.contains(":") { return text.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." } }
  let parts = text.split(separator: ".", omittingEmptySubsequences: false)
  return parts.count == 4 && parts.allSatisfy { (UInt8($0) != nil) }
}
