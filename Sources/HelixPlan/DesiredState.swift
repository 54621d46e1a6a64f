package import HelixModel

/// What should be so, in the order of the playbooks.
package struct DesiredState: Sendable {
  package var stages: [Stage]

  package init(stages: [Stage]) { self.stages = stages }

  /// Every question the resources ask, by host, each once, in order.
  package var questions: [HostName: [FactRequest]] {
    var seen: Set<Question> = []
    var questions: [HostName: [FactRequest]] = [:]
    for resource in resources {
      for question in resource.questions where seen.insert(question).inserted {
        questions[question.host, default: []].append(question.request)
      }
    }
    return questions
  }

  /// The release files whose checksums the plan needs, given what the hosts answered.
  package func artifacts(
    _ observation: Observation, fingerprints: any Fingerprinter
  ) -> Set<ArtifactReference> {
    var sight = Sight(observation: observation, fingerprints: fingerprints)
    return Set(resources.flatMap { $0.artifacts(&sight) })
  }

  /// Whether a resource depends on what the age identities of this machine open.
  package var needsIdentityProof: Bool { resources.contains { $0.needsIdentityProof } }

  /// All resources in order.
  package var resources: some Sequence<any Resource> {
    stages.lazy.flatMap(\.items).flatMap(\.resources)
  }
}

/// One play: a stage begins only when everything of the stage before it has ended.
package struct Stage: Sendable {
  package var title: String
  package var items: [Item]

  package init(title: String, items: [Item]) {
    self.title = title
    self.items = items
  }

  /// One line of a play; on each host it waits for the line before it on that host.
  package struct Item: Sendable {
    package var resources: [any Resource]

    package init(resources: [any Resource]) { self.resources = resources }
  }
}
