/// The Linode pools as `inventory/linode.yaml` declares them.
package struct LinodeSpec: Sendable {
  package struct Pool: Sendable {
    package var name: Located<String>
    package var region: Located<String>
    /// Linode's word for the size: `g6-nanode-1`.
    package var type: Located<String>
    package var image: Located<String>
    package var minimum: Int
    package var maximum: Int
    package var labels: [String: String]
    package var taints: [String]

    package init(
      name: Located<String>, region: Located<String>, type: Located<String>,
      image: Located<String>, minimum: Int, maximum: Int, labels: [String: String] = [:],
      taints: [String] = []
    ) {
      self.name = name
      self.region = region
      self.type = type
      self.image = image
      self.minimum = minimum
      self.maximum = maximum
      self.labels = labels
      self.taints = taints
    }
  }

  package var token: Located<SecretName>
  package var pools: [Pool]

  package init(token: Located<SecretName>, pools: [Pool]) {
    self.token = token
    self.pools = pools
  }
}

/// The AWS failover targets as `inventory/aws.yaml` declares them.
package struct AWSSpec: Sendable {
  /// What a target runs.
  package enum Platform: String, Sendable, CaseIterable {
    /// The same k3s on EC2, started from an etcd snapshot.
    case ec2
    /// EKS, restored with Velero.
    case eks
    /// Single services on ECS.
    case ecs
  }

  package struct Target: Sendable {
    package var name: Located<String>
    package var region: Located<String>
    /// EC2's word for the size: `t3.large`.
    package var instanceType: Located<String>
    package var servers: Int
    package var agents: Int
    /// The bucket that holds etcd snapshots.
    package var snapshotBucket: Located<String>?
    /// The bucket that holds Velero's backups.
    package var veleroBucket: Located<String>?
    package var platform: Platform
    /// The Kubernetes minor of an EKS target; nil means the cluster's own k3s.
    package var version: Located<String>?

    package init(
      name: Located<String>, region: Located<String>, instanceType: Located<String>,
      servers: Int, agents: Int, snapshotBucket: Located<String>? = nil,
      veleroBucket: Located<String>? = nil, platform: Platform = .ec2,
      version: Located<String>? = nil
    ) {
      self.name = name
      self.region = region
      self.instanceType = instanceType
      self.servers = servers
      self.agents = agents
      self.snapshotBucket = snapshotBucket
      self.veleroBucket = veleroBucket
      self.platform = platform
      self.version = version
    }
  }

  package var targets: [Target]
  /// The account that may be changed; nil means whichever the credentials belong to.
  package var account: Located<String>?

  package init(targets: [Target], account: Located<String>? = nil) {
    self.targets = targets
    self.account = account
  }
}
