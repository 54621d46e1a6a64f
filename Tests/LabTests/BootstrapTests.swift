import Foundation
import TestSupport
import Testing

extension OnRealMachines {
  @Suite("secrets come from the repository to the cluster", .serialized)
  struct BootstrapTests {
    private static let manifest = """
      apiVersion: v1
      kind: Secret
      metadata:
        name: github
        namespace: flux-system
        labels: { app: flux }
      stringData:
        token: canary-c0ffee-of-github
      """
    private let lab: Lab
    private let estate: Estate

    init() throws {
      lab = try Lab.up()
      estate = try Estate(lab)
    }

    @Test(
      "identities and Secrets are planted after they were proven, and then there is nothing to do")
    func bootstrap() throws {
      try estate.apply()
      _ = try lab.inside("master-1", "k3s kubectl delete namespace flux-system --ignore-not-found")
      let recipient = try prepare()
      let watch = ProcessWatch(for: "canary-c0ffee-of-github")
      let applied = try estate.helix("secrets", "bootstrap", "--auto-approve")
      watch.end()
      try #require(applied.status == 0, "\(applied.all)")
      #expect(watch.looks > 0)
      #expect(watch.seen.isEmpty)
      #expect(applied.output.contains("‹secret age identities›: \(recipient), opens 1 file"))
      #expect(try secret("github", "{.data.token}|base64 -d") == "canary-c0ffee-of-github")
      #expect(try secret("github", "{.metadata.labels.app}") == "flux")
      #expect(try secret("sops-age", "{.data.age\\.agekey}|base64 -d").contains(try identity()))
      #expect(!applied.all.contains("canary-c0ffee"))
      #expect(!applied.all.contains(try identity()))
      for name in ["github", "sops-age"] {
        #expect(try secret(name, "{.metadata.annotations}").isEmpty)
      }
      let again = try estate.helix("secrets", "bootstrap", "--auto-approve")
      #expect(again.status == 0, "\(again.all)")
      #expect(again.output.contains("No changes."), "\(again.all)")
      let doctor = try estate.helix("secrets", "doctor")
      #expect(doctor.status == 0, "\(doctor.all)")
      #expect(doctor.output.contains("flux-system/sops-age age.agekey: \(recipient)\n"))
    }

    @Test("what somebody changed in the cluster shows in the plan, and is mended")
    func drift() throws {
      try estate.apply()
      _ = try prepare()
      let first = try estate.helix("secrets", "bootstrap", "--auto-approve")
      try #require(first.status == 0, "\(first.all)")
      let changed = try lab.inside(
        "master-1",
        """
        k3s kubectl -n flux-system patch secret github --type merge \
          -p '{"stringData":{"token":"other"}}'
        k3s kubectl -n flux-system annotate secret github \
          kubectl.kubernetes.io/last-applied-configuration='{}'
        """)
      try #require(changed.status == 0, "\(changed.all)")
      let applied = try estate.helix("secrets", "bootstrap", "--auto-approve")
      #expect(applied.status == 0, "\(applied.all)")
      #expect(applied.output.contains("‹another value›"), "\(applied.all)")
      #expect(try secret("github", "{.data.token}|base64 -d") == "canary-c0ffee-of-github")
      #expect(try secret("github", "{.metadata.annotations}").isEmpty)
    }

    @Test("an identity that does not open what it should is not planted")
    func unproven() throws {
      try estate.apply()
      _ = try prepare()
      try FileManager.default.removeItem(at: file(".age.key"))
      let other = try estate.helix("secrets", "keygen")
      try #require(other.status == 0, "\(other.all)")
      let refused = try estate.helix("secrets", "bootstrap", "--auto-approve")
      #expect(refused.status == 4, "\(refused.all)")
      #expect(refused.errors.contains("no rule of"), "\(refused.all)")
      let doctor = try estate.helix("secrets", "doctor")
      #expect(doctor.output.contains("1 unknown here"), "\(doctor.all)")
    }
  }
}

extension OnRealMachines.BootstrapTests {
  /// Makes an identity, a rule and an encrypted Secret; gives the public key.
  private func prepare() throws -> String {
    let cluster = file("inventory/cluster.yaml")
    let text = try String(contentsOf: cluster, encoding: .utf8)
    try estate.write(
      text + """

        secrets:
          identity: .age.key
          bootstrap:
            namespace: flux-system
            name: sops-age
            secrets: [bootstrap/github.sops.yaml]
        """, to: "inventory/cluster.yaml")
    let made = try estate.helix("secrets", "keygen")
    // As a user has it: the key beside the repository's files, and ignored.
    try estate.write(".age.key\n.lab\nsecrets\n.helix-infra\n", to: ".gitignore")
    _ = try run("/usr/bin/git", ["init", "-q"], in: estate.folder)
    try #require(made.status == 0, "\(made.all)")
    let recipient = made.output.trimmingCharacters(in: .newlines)
    try estate.write(
      """
      creation_rules:
        - path_regex: bootstrap/.*\\.sops\\.yaml$
          encrypted_regex: ^(data|stringData)$
          age: \(recipient)
      """, to: ".sops.yaml")
    try estate.write(Self.manifest, to: "bootstrap/github.sops.yaml")
    let sealed = try estate.helix("secrets", "encrypt", "-i", "bootstrap/github.sops.yaml")
    try #require(sealed.status == 0, "\(sealed.all)")
    return recipient
  }

  private func file(_ path: String) -> URL { estate.folder.appendingPathComponent(path) }

  /// The line of the identity in its file.
  private func identity() throws -> String {
    let lines = try String(contentsOf: file(".age.key"), encoding: .utf8).split(separator: "\n")
    return String(try #require(lines.last))
  }

  /// What a part of a Secret is, by the cluster's own kubectl; behind "|" it goes through a program.
  private func secret(_ name: String, _ part: String) throws -> String {
    let parts = part.split(separator: "|").map(String.init)
    let pipe = parts.count > 1 ? "| \(parts[1])" : ""
    let told = try lab.inside(
      "master-2",
      "k3s kubectl -n flux-system get secret \(name) -o jsonpath='\(parts[0])' \(pipe)")
    try #require(told.status == 0, "\(told.all)")
    return told.output
  }
}
