import HelixModel
import HelixPlan

/// The admin's kubeconfig on the machine that runs helix-infra.
///
/// Every server has its own admin certificate, so the file is right when it holds what any living
/// server would give. In a merged file only the four values that make the entry work are compared.
struct ClusterKubeconfig: Resource {
  let cluster: K3sCluster
  let spec: KubeconfigSpec

  var address: Address { Address(.cluster, kind: "kubeconfig") }
  var location: SourceLocation? { spec.path.location }

  var mayAwait: [Address] { cluster.managedServers.map { ClusterSurvey.service($0.host) } }

  private var rewrite: KubeconfigRewrite? {
    (cluster.endpointURL ?? cluster.servers.first.map(cluster.url)).map {
      KubeconfigRewrite(server: $0, name: cluster.name)
    }
  }

  private var kept: Fact<KubeconfigContent?> {
    KubeconfigContent.kept(at: spec.path.value, name: cluster.name)
  }

  var questions: [Question] {
    let served = rewrite.map { rewrite in
      cluster.servers.map { Question(KubeconfigContent.served(rewrite), on: $0.host) }
    }
    return cluster.facts.survey + (served ?? []) + [Question(kept, on: .controller)]
  }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let survey = try ClusterSurvey.read(cluster, &sight)
    let local = try sight.read(kept, on: .controller)
    guard let rewrite, let source = source(survey) else {
      return .heldBack(
        Diagnostic("no server of \(cluster.name) can give a kubeconfig yet", at: spec.path.location)
      )
    }
    if let local, !spec.merge, local.clusters > 1 || !local.namesOurs {
      return .refused(holdsOthers)
    }
    if let local, try isCurrent(local, rewrite, survey, &sight) {
      return .unchanged(reason: "\(spec.path.value) leads to \(cluster.name)")
    }
    return .change(work(local, rewrite, source))
  }

  /// Where the file is taken from: a server that lives, or the one that begins the cluster.
  private func source(_ survey: ClusterSurvey) -> HostName? {
    switch survey.standing {
    case .living: survey.living.first?.host
    case .asleep: survey.holders.first?.host
    case .new: cluster.servers.first?.host
    case .unseen, .unclear: nil
    }
  }

  private func isCurrent(
    _ local: KubeconfigContent, _ rewrite: KubeconfigRewrite, _ survey: ClusterSurvey,
    _ sight: inout Sight
  ) throws(Diagnostic) -> Bool {
    guard local.mode == "600" else { return false }
    for server in survey.living {
      let served = try sight.read(KubeconfigContent.served(rewrite), on: server.host)
      guard let served, !served.values.isEmpty else { continue }
      if spec.merge ? served.values.isSubset(of: local.values) : served.values == local.values {
        return true
      }
    }
    return false
  }

  private func work(
    _ local: KubeconfigContent?, _ rewrite: KubeconfigRewrite, _ source: HostName
  ) -> Work {
    let fetch = Fetch(
      script: rewrite.script, localPath: spec.path.value,
      disposal: spec.merge ? .mergeKubeconfig : .replace)
    let waits = cluster.managed.contains(source) ? [ClusterSurvey.service(source)] : []
    return Work(
      local == nil ? .create : .update,
      fields: [
        FieldChange(
          spec.path.value, before: local.map { _ in "another certificate, address or mode" },
          after: "\(cluster.name) at \(rewrite.server)")
      ],
      reason: local == nil
        ? "there is no \(spec.path.value)" : "\(spec.path.value) holds other values", after: waits,
      steps: [
        Step(
          StepID(address, "fetch"), title: "fetch the kubeconfig from \(source)", host: source,
          instructions: [.fetch(fetch)])
      ])
  }

  private var holdsOthers: Diagnostic {
    Diagnostic(
      "\(spec.path.value) holds other clusters",
      reason: "it would be replaced by a file with \(cluster.name) alone",
      remedy: "set merge: true under kubeconfig, or choose another path", at: spec.path.location)
  }
}
