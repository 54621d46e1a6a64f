import HelixModel
import Testing

@testable import HelixSOPS

/// Files in memory, by path.
struct MemoryReader: SourceReader {
  var files: [String: String]

  func text(of path: String) throws(Diagnostic) -> String? { files[path] }
  func names(in folder: String) -> [String]? { nil }
}

private let alice = "age1alice"
private let bob = "age1bob"

@Suite("what .sops.yaml says")
struct SOPSConfigTests {
  private func rules(_ text: String) throws -> [CreationRule] {
    try #require(try SOPSConfig.read(text, file: ".sops.yaml").rules)
  }

  /// The mistakes of a config as `line:column summary`.
  private func mistakes(_ text: String) -> [String] {
    do {
      _ = try SOPSConfig.read(text, file: ".sops.yaml")
      return []
    } catch {
      return error.all.map { "\($0.location?.line ?? 0):\($0.location?.column ?? 0) \($0.summary)" }
    }
  }

  private func warnings(_ text: String) throws -> [String] {
    try SOPSConfig.read(text, file: ".sops.yaml").warnings.map {
      "\($0.location?.line ?? 0):\($0.location?.column ?? 0) \($0.summary) - \($0.remedy ?? "")"
    }
  }

  @Test("a rule has its keys, its selection and its place")
  func oneRule() throws {
    let rule = try #require(
      rules(
        """
        keys:
          - &alice age1alice
        stores:
          yaml: { indent: 2 }
        creation_rules:
          - path_regex: ^secrets/
            encrypted_regex: ^(data|stringData)$
            mac_only_encrypted: true
            age: >-
              age1alice,
              age1bob,
            pgp: 85D7 7543 B3D6
        """
      ).first)
    #expect(rule.pathPattern?.text == "^secrets/")
    #expect(rule.selection == .encryptedRegex("^(data|stringData)$"))
    #expect(rule.macOnlyEncrypted)
    #expect(rule.keyGroups == [KeyGroup([.age(alice), .age(bob), .pgp("85D77543B3D6")])])
    #expect(rule.location == SourceLocation(file: ".sops.yaml", line: 6, column: 5))
    #expect(rule.keyLocations[.age(bob)]?.line == 9)
    #expect(rule.shamirThreshold == nil)
  }

  @Test("keys are named in one text, in a list, or over aliases")
  func namedKeys() throws {
    let all = try rules(
      """
      keys: [&alice age1alice, &ssh "ssh-ed25519 AAAA me, myself"]
      creation_rules:
        - age: [*alice, "age1bob, age1alice"]
          kms: arn:aws:kms:eu:1:key/a+arn:aws:iam::1:role/b
          gcp_kms: projects/p
          azure_keyvault: https://v.example/keys/k/1
          hc_vault_transit_uri: https://v.example:8200/v1/sops/keys/first
          hckms: [eu:uuid]
        - age:
      """)
    #expect(
      all[0].keyGroups == [
        KeyGroup([
          .age(alice), .age(bob), .remote(kind: "kms", name: "arn:aws:kms:eu:1:key/a"),
          .remote(kind: "gcp_kms", name: "projects/p"), .remote(kind: "hckms", name: "eu:uuid"),
          .remote(kind: "azure_kv", name: "https://v.example/k/1"),
          .remote(kind: "hc_vault", name: "https://v.example:8200/sops/first"),
        ])
      ])
    #expect(all[1].keyGroups == [KeyGroup([])])
    #expect(all[1].pathPattern == nil)
    #expect(all[1].selectionRule == .standard)
  }

  @Test("groups are kept apart, merge others, and count instead of the rule's own keys")
  func groups() throws {
    let text = """
      creation_rules:
        - age: age1nobody
          shamir_threshold: 2
          key_groups:
            - &first
              age: [age1alice]
              pgp: ["0123"]
            - merge: [*first, {age: [age1bob, age1alice]}]
              kms: [{arn: "arn:a", role: r}]
              azure_keyvault: [{vaultUrl: "https://v", key: k, version: "1"}]
              hc_vault: [https://v/v1/t/keys/k]
      """
    let rule = try #require(rules(text).first)
    #expect(rule.shamirThreshold == 2)
    #expect(
      rule.keyGroups == [
        KeyGroup([.age(alice), .pgp("0123")]),
        KeyGroup([
          .age(alice), .pgp("0123"), .age(bob), .remote(kind: "kms", name: "arn:a"),
          .remote(kind: "azure_kv", name: "https://v/k/1"),
          .remote(kind: "hc_vault", name: "https://v/t/k"),
        ]),
      ])
    #expect(
      try warnings(text) == [
        "2:5 \"age\" has no effect beside \"key_groups\" - move its keys into a group, or remove it"
      ])
  }

  @Test(
    "every mistake has its place",
    arguments: [
      (
        "a: b: c",
        ["1:5 this cannot be read as YAML: mapping values are not allowed in this context"]
      ),
      ("- a", ["1:1 the file must be a mapping"]),
      ("a: 1\na: 2", ["1:1 \"a\" stands more than once in one mapping"]),
      ("creation_rules: x", ["1:17 creation_rules is a list of rules"]),
      ("creation_rules: [x]", ["1:18 a rule must be a mapping"]),
      (
        "creation_rules:\n- path_regex: a(?=b)\n- path_regex: 'x['",
        [
          "2:16 path_regex is not a pattern SOPS can read: \"(?=\" looks around, which RE2 cannot, "
            + "at character 2",
          "3:17 path_regex is not a pattern SOPS can read: the \"[\" is never closed, at character 2",
        ]
      ),
      (
        "creation_rules:\n- encrypted_regex: \"^(?!metadata)\"",
        [
          "2:22 encrypted_regex is not a pattern SOPS can read: \"(?!\" looks around, which RE2 "
            + "cannot, at character 2"
        ]
      ),
      (
        "creation_rules:\n- encrypted_regex: a\n  encrypted_suffix: b\n  unencrypted_regex: c",
        [
          "3:3 \"encrypted_suffix\" cannot stand beside \"encrypted_regex\"",
          "4:3 \"unencrypted_regex\" cannot stand beside \"encrypted_regex\"",
        ]
      ),
      ("creation_rules:\n- age: 12", ["2:8 this key reads as a number"]),
      ("creation_rules:\n- age: {a: b}", ["2:8 \"age\" takes the names of keys"]),
      ("creation_rules:\n- age: [[a]]", ["2:9 \"age\" takes the names of keys"]),
      ("creation_rules:\n- age: me@example.com", ["2:8 this is not an age recipient"]),
      (
        "creation_rules:\n- age: AGE-SECRET-KEY-1QQQ",
        ["2:8 a secret key stands where a recipient should"]
      ),
      (
        "creation_rules:\n- key_groups:\n  - age: age1a\n  - pgp: x",
        ["3:10 in a key group, \"age\" is a list", "4:10 in a key group, \"pgp\" is a list"]
      ),
      ("creation_rules:\n- key_groups: {age: []}", ["2:15 key_groups is a list of groups"]),
      ("creation_rules:\n- key_groups:\n  - merge: x", ["3:12 \"merge\" is a list of groups"]),
      ("creation_rules:\n- key_groups:\n  - kms: [{role: x}]", ["3:11 this key has no \"arn\""]),
      (
        "creation_rules:\n- shamir_threshold: 3\n  key_groups: [{age: [age1a]}, {age: [age1b]}]",
        ["2:21 3 of 2 key groups is not possible"]
      ),
      (
        "creation_rules:\n- shamir_threshold: \"2\"",
        ["2:21 \"shamir_threshold\" takes a whole number"]
      ),
      (
        "creation_rules:\n- mac_only_encrypted: maybe",
        ["2:23 \"mac_only_encrypted\" is true or false"]
      ),
      ("creation_rules:\n- path_regex: [a]", ["2:15 \"path_regex\" takes text"]),
    ])
  func mistakePlaces(text: String, expected: [String]) {
    #expect(mistakes(text) == expected)
  }

  @Test("a secret key in the wrong place is not repeated")
  func secretKeyIsNotQuoted() {
    do {
      _ = try SOPSConfig.read(
        "creation_rules:\n- age: age1a,age-secret-key-1canary\n- pgp: AGE-SECRET-KEY-1CANARY",
        file: ".sops.yaml")
    } catch {
      #expect(error.all.count == 2)
      #expect(!"\(error.all)".lowercased().contains("canary"))
    }
  }

  @Test("what SOPS passes over in silence is a warning")
  func passedOver() throws {
    #expect(
      try warnings("creation_rules:\n- encrypted_regexp: ^data$\n  age: age1a\n  zzz: 1")
        == [
          "2:3 \"encrypted_regexp\" has no effect - did you mean \"encrypted_regex\"?",
          "4:3 \"zzz\" has no effect - remove it, or move it to the top of the file",
        ])
    #expect(
      try warnings("creation-rules: []")
        == ["1:1 \"creation-rules\" has no effect - did you mean \"creation_rules\"?"])
    #expect(
      try warnings("creation_rules:\n- encrypted_regex: ''")
        == [
          "2:3 \"encrypted_regex\" is empty and has no effect - remove it, or write what it should be"
        ])
    #expect(try warnings("creation_rules:\n- shamir_threshold: 2").count == 1)
    #expect(try warnings("keys: [a]\ndestination_rules: []\nstores: {}").isEmpty)
  }

  @Test("no creation_rules is as no file, an empty list is a list")
  func noRules() throws {
    for text in ["", "# only a remark", "stores: {}", "creation_rules:", "creation_rules: ~"] {
      let config = try SOPSConfig.read(text, file: ".sops.yaml")
      #expect(config.rules == nil)
      #expect(config.decision(for: "a.yaml", workingFolder: "/w") == nil)
    }
    let config = try SOPSConfig.read("creation_rules: []", file: ".sops.yaml")
    let decision = try #require(config.decision(for: "a.yaml", workingFolder: "/w"))
    #expect(decision.rule == nil)
    #expect(decision.explanation == ["no rule is for \"a.yaml\""])
  }

  @Test("only the first document counts, and merges bring what is not there")
  func mergesAndDocuments() throws {
    let rule = try #require(
      rules(
        """
        base: &base {age: age1alice, encrypted_regex: ^a$}
        creation_rules:
          - <<: *base
            age: age1bob
        ---
        : [
        """
      ).first)
    #expect(rule.keyGroups == [KeyGroup([.age(bob)])])
    #expect(rule.selection == .encryptedRegex("^a$"))
  }

  @Test("aliases that multiply are cut off")
  func hostile() {
    var text = "a: &a0 {age: [age1a]}\n"
    for level in 1...40 {
      text += "b\(level): &a\(level) {merge: [*a\(level - 1), *a\(level - 1)]}\n"
    }
    text += "creation_rules:\n- key_groups: [*a40]\n"
    #expect(mistakes(text).first?.contains("too many values") == true)
    let deep = "creation_rules: " + String(repeating: "[", count: 5000)
    #expect(mistakes(deep).count == 1)
  }
}

@Suite("which rule is for a file")
struct RuleDecisionTests {
  private func config(at file: String = "/repo/.sops.yaml") throws -> SOPSConfig {
    try SOPSConfig.read(
      """
      creation_rules:
        - path_regex: ^secrets/.*\\.yaml$
          age: age1a
        - path_regex: repo
          age: age1b
        - age: age1c
      """, file: file)
  }

  @Test(
    "the first that matches the path below the config's folder, or the whole path elsewhere",
    arguments: [
      ("secrets/a.yaml", "/repo", 1, "secrets/a.yaml"),
      ("../secrets/a.yaml", "/repo/x", 1, "secrets/a.yaml"),
      ("/repo/secrets/a.yaml", "/", 1, "secrets/a.yaml"),
      ("./secrets//a.yaml", "/repo", 1, "secrets/a.yaml"),
      ("x/secrets/a.yaml", "/repo", 3, "x/secrets/a.yaml"), ("a.yaml", "/repo", 3, "a.yaml"),
      ("/repository/a.yaml", "/", 2, "/repository/a.yaml"), ("/else/a", "/", 3, "/else/a"),
    ])
  func firstMatch(file: String, folder: String, number: Int, path: String) throws {
    let decision = try #require(try config().decision(for: file, workingFolder: folder))
    #expect(decision.rule?.number == number)
    #expect(decision.path == path)
    #expect(decision.passedOver.count == number - 1)
  }

  @Test("says why it is this one")
  func explanation() throws {
    let decision = try #require(
      try config(at: ".sops.yaml").decision(for: "a.yaml", workingFolder: "/repo"))
    #expect(
      decision.explanation == [
        "rule 1 (.sops.yaml:2:5) is not for it: path_regex \"^secrets/.*\\.yaml$\" does not match "
          + "\"a.yaml\"",
        "rule 2 (.sops.yaml:4:5) is not for it: path_regex \"repo\" does not match \"a.yaml\"",
        "rule 3 (.sops.yaml:6:5) is for it: it has no path_regex, and so takes every file",
      ])
  }
}

@Suite("where the config is")
struct ConfigSearchTests {
  private let text = "creation_rules: [{age: age1a}]"

  private func find(
    _ files: [String], from folder: String = ".", named: String? = nil, variable: String? = nil
  ) throws -> SOPSConfig.Search {
    var contents: [String: String] = [:]
    for file in files { contents[file] = text }
    return try SOPSConfig.find(
      named: named, environment: variable.map { ["SOPS_CONFIG": $0] } ?? [:], from: folder,
      reader: MemoryReader(files: contents))
  }

  @Test(
    "the nearest above the folder",
    arguments: [
      (["/a/b/.sops.yaml", "/a/.sops.yaml"], "/a/b/c", "/a/b/.sops.yaml"),
      (["/.sops.yaml"], "/a/b", "/.sops.yaml"), ([".sops.yaml"], ".", ".sops.yaml"),
      (["../../.sops.yaml"], ".", "../../.sops.yaml"), (["../.sops.yaml"], "..", "../.sops.yaml"),
      ([".sops.yaml"], "a/b", ".sops.yaml"), (["../.sops.yaml"], "a", "../.sops.yaml"),
    ])
  func nearest(files: [String], folder: String, expected: String) throws {
    let search = try find(files, from: folder)
    #expect(search.config?.file == expected)
    #expect(search.warnings.isEmpty)
  }

  @Test("or the one that is named, before the one of the environment")
  func named() throws {
    let files = [".sops.yaml", "x.yaml", "y.yaml"]
    #expect(try find(files, named: "x.yaml", variable: "y.yaml").config?.file == "x.yaml")
    #expect(try find(files, variable: "y.yaml").config?.file == "y.yaml")
    #expect(try find(files, variable: "").config?.file == ".sops.yaml")
    #expect(throws: Diagnostics.self) { try find(files, named: "z.yaml") }
    #expect(throws: Diagnostics.self) { try find(files, variable: "z.yaml") }
  }

  @Test("and .sops.yml is nothing but a warning")
  func otherName() throws {
    let with = try find([".sops.yml", "../.sops.yaml"])
    #expect(with.config?.file == "../.sops.yaml")
    #expect(with.warnings.map(\.summary) == ["\".sops.yml\" is not read"])
    let without = try find(["/a/.sops.yml"], from: "/a/b")
    #expect(without.config == nil)
    #expect(without.warnings.count == 1)
    #expect(try find([], from: ".").config == nil)
  }
}
