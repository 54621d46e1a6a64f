import Foundation
import TestSupport
import Testing

/// What files and cluster.yaml say of objects and nodes, in a cluster that others work on, too.
extension OnRealMachines {
  @Suite("objects in the cluster", .serialized)
  struct ObjectsTests {
    private static let playbook = "playbooks/objects.yaml"
    private static let shop = """
      apiVersion: example.org/v1
      kind: Lamp
      metadata: { name: hall, namespace: shop }
      spec: { colour: green }
      ---
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: web, namespace: shop }
      spec:
        replicas: 2
        selector: { matchLabels: { app: web } }
        template:
          metadata: { labels: { app: web } }
          spec:
            containers: [{ name: web, image: registry.invalid/web }]
      ---
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop }
      ---
      apiVersion: apiextensions.k8s.io/v1
      kind: CustomResourceDefinition
      metadata: { name: lamps.example.org }
      spec:
        group: example.org
        scope: Namespaced
        names: { kind: Lamp, plural: lamps, singular: lamp, listKind: LampList }
        versions:
          - name: v1
            served: true
            storage: true
            schema:
              openAPIV3Schema:
                type: object
                properties:
                  spec: { type: object, properties: { colour: { type: string } } }
      """
    private static let settings = """
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: settings, namespace: shop }
      data: { greeting: hello, tone: kind }
      """
    private let lab: Lab
    private let estate: Estate

    init() throws {
      lab = try Lab.up()
      estate = try Estate(lab)
      try estate.apply()
      try estate.declare { $0 += "\nmanifests:\n  files: [manifests]\n" }
      try estate.write(
        """
        - hosts: k3s_cluster
          become: true
          roles: [helix.infra.manifests]

        """, to: Self.playbook)
      try estate.write(Self.shop, to: "manifests/shop.yaml")
      try estate.write(Self.settings, to: "manifests/settings.yaml")
    }

    @Test("come in the order they need, stay as written, and go when they left the files")
    func fromFilesToCluster() throws {
      try estate.apply(Self.playbook)
      #expect(try told("-n shop get lamp hall -o jsonpath={.spec.colour}") == "green")
      #expect(
        try told("-n shop get deployment web -o jsonpath={.status.availableReplicas}") == "2")
      try expectNothingToDo()

      try kubectl(
        "-n shop patch configmap settings --type merge -p '{\"data\":{\"greeting\":\"go away\"}}'")
      let plan = try estate.helix("plan", "--detailed-exitcode", Self.playbook)
      #expect(plan.status == 2, "\(plan.all)")
      #expect(plan.output.contains("object:configmap/shop/settings"), "\(plan.all)")
      #expect(plan.output.contains("go away"), "\(plan.all)")
      #expect(!plan.output.contains("object:deployment"), "\(plan.all)")
      try estate.apply(Self.playbook)
      #expect(
        try told("-n shop get configmap settings -o jsonpath={.data.greeting}") == "hello")

      try estate.write(
        Self.settings.replacingOccurrences(of: ", tone: kind", with: ""),
        to: "manifests/settings.yaml")
      try estate.apply(Self.playbook)
      #expect(try told("-n shop get configmap settings -o jsonpath={.data.tone}") == "")

      try FileManager.default.removeItem(
        at: estate.folder.appendingPathComponent("manifests/settings.yaml"))
      try estate.apply(Self.playbook)
      #expect(try told("-n shop get configmaps -o name").contains("settings") == false)
      #expect(try told("-n shop get lamp hall -o jsonpath={.spec.colour}") == "green")
      try expectNothingToDo()

      try estate.declare { $0 = $0.replacingOccurrences(of: "[manifests]", with: "[]") }
      try estate.apply(Self.playbook)
      #expect(try told("get namespaces -o name").contains("shop") == false)
    }

    @Test("a field that somebody else has set is not taken: who set it is named")
    func conflict() throws {
      try estate.apply(Self.playbook)
      let other = Self.settings.replacingOccurrences(of: "hello", with: "good day")
      try kubectl("apply --server-side --force-conflicts --field-manager=gardener -f -", other)
      let refused = try estate.helix("apply", "--auto-approve", Self.playbook)
      #expect(refused.status == 4, "\(refused.all)")
      #expect(refused.all.contains("gardener"), "\(refused.all)")
      #expect(refused.all.contains("greeting"), "\(refused.all)")
      #expect(
        try told("-n shop get configmap settings -o jsonpath={.data.greeting}") == "good day")
      try estate.write(
        Self.settings.replacingOccurrences(
          of: "namespace: shop }",
          with: #"namespace: shop, annotations: { helix.infra/force-conflicts: "true" } }"#),
        to: "manifests/settings.yaml")
      try estate.apply(Self.playbook)
      #expect(
        try told("-n shop get configmap settings -o jsonpath={.data.greeting}") == "hello")
      try expectNothingToDo()
    }

    @Test("labels and taints of living nodes follow cluster.yaml, and those of others stay")
    func marksOfNodes() throws {
      try kubectl("label node worker-1 example.org/owner=anna --overwrite")
      let plain = "  config:                         # every node's config.yaml\n"
      try estate.declare { text in
        text = text.replacingOccurrences(
          of: plain,
          with: plain + "    node-label: [example.org/site=cellar]\n"
            + "    node-taint: [\"example.org/damp=yes:PreferNoSchedule\"]\n")
      }
      try estate.apply()
      let labels = #"-o jsonpath="{.metadata.labels['example\.org/site']} "#
      let owner = #"{.metadata.labels['example\.org/owner']} {.spec.taints[*].key}""#
      #expect(try told("get node worker-1 \(labels)\(owner)") == "cellar anna example.org/damp")
      try estate.expectNothingToDo()
      try kubectl("label node worker-1 example.org/site=attic --overwrite")
      let plan = try estate.helix("plan", "--detailed-exitcode")
      #expect(plan.status == 2, "\(plan.all)")
      #expect(plan.output.contains("attic"), "\(plan.all)")
      try estate.declare { text in
        text = text.split(separator: "\n", omittingEmptySubsequences: false)
          .filter { !$0.hasPrefix("    node-label") && !$0.hasPrefix("    node-taint") }
          .joined(separator: "\n")
      }
      try estate.apply()
      #expect(try told("get node worker-1 \(labels)\(owner)") == " anna ")
      try estate.expectNothingToDo()
    }

    private func expectNothingToDo() throws {
      let plan = try estate.helix("plan", "--detailed-exitcode", Self.playbook)
      #expect(plan.status == 0, "\(plan.all)")
    }

    private func kubectl(_ words: String, _ input: String = "") throws {
      let ran = try lab.inside("master-1", "k3s kubectl \(words) <<'END'\n\(input)\nEND\n")
      try #require(ran.status == 0, "\(ran.all)")
    }

    private func told(_ words: String) throws -> String {
      let ran = try lab.inside("master-2", "k3s kubectl \(words)")
      try #require(ran.status == 0, "\(ran.all)")
      return ran.output
    }
  }
}
