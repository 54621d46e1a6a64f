/// Where k3s and its official installer keep things, so that either tool can take over from the other.
enum K3sPaths {
  static let binary = "/usr/local/bin/k3s"
  static let previousBinary = "/usr/local/bin/k3s.prev"
  /// Names the release that was put on a member and has not been seen well there.
  static let trial = "/var/lib/helix-infra/k3s-trial"
  static let config = "/etc/rancher/k3s/config.yaml"
  /// Files laid over the config by name; they belong to the user.
  static let configFolder = "/etc/rancher/k3s/config.yaml.d"
  static let registries = "/etc/rancher/k3s/registries.yaml"
  static let token = "/etc/rancher/k3s/token"
  static let kubeconfig = "/etc/rancher/k3s/k3s.yaml"
  static let nodePassword = "/etc/rancher/node/password"

  static let data = "/var/lib/rancher/k3s"
  /// The token a server lives with, in the full form, whatever form it was given.
  static let serverToken = "\(data)/server/token"
  static let serverCA = "\(data)/server/tls/server-ca.crt"
  static let agentCA = "\(data)/agent/server-ca.crt"
  static let etcdMember = "\(data)/server/db/etcd/member"
  static let sqlite = "\(data)/server/db/state.db"

  /// With it an agent asks about its own node.
  static let kubeletConfig = "\(data)/agent/kubelet.kubeconfig"

  static let killScript = "/usr/local/bin/k3s-killall.sh"

  static func unit(_ role: K3sRoleOfNode) -> String {
    "/etc/systemd/system/\(role.service).service"
  }

  static func environment(_ role: K3sRoleOfNode) -> String { "\(unit(role)).env" }

  static func uninstallScript(_ role: K3sRoleOfNode) -> String {
    "/usr/local/bin/\(role.service)-uninstall.sh"
  }
}

/// What a node is to its cluster, in k3s's words.
enum K3sRoleOfNode: String, Sendable, Hashable, CaseIterable {
  case server, agent

  /// The systemd service, as the official installer names it.
  var service: String { self == .server ? "k3s" : "k3s-agent" }

  init?(service: String) {
    guard let role = Self.allCases.first(where: { $0.service == service }) else { return nil }
    self = role
  }
}
