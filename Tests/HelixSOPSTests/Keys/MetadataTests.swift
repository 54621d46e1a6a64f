import Testing

@testable import HelixSOPS

extension MetadataValue {
  /// A block with age recipients and whatever else.
  static func block(_ others: [Field], recipients: [String] = ["age1a"]) -> MetadataValue {
    .fields(
      [
        Field("lastmodified", .text("2023-12-25T10:31:01Z")),
        Field("age", .list(recipients.map { .entry(recipient: $0) })),
      ] + others)
  }

  static func entry(recipient: String) -> MetadataValue {
    .fields([Field("recipient", .text(recipient)), Field("enc", .text("x"))])
  }
}

@Suite("a file's metadata")
struct MetadataTests {
  private typealias Field = MetadataValue.Field

  @Test("is read as the flat formats have it, too")
  func flat() throws {
    let metadata = try SOPSMetadata(
      .block([
        Field("shamir_threshold", .text("2.000000")), Field("mac_only_encrypted", .text("true")),
        Field("encrypted_regex", .text("^a$")), Field("mac", .text("ENC[")),
      ]))
    #expect(metadata.threshold == 2)
    #expect(metadata.macOnlyEncrypted)
    #expect(metadata.rule == .encryptedRegex("^a$"))
    #expect(metadata.mac == "ENC[")
    #expect(metadata.recipients == [KeyGroup([.age("age1a")])])
  }

  @Test("has the standard rule when it names none, or an empty one")
  func standardRule() throws {
    let metadata = try SOPSMetadata(.block([Field("encrypted_suffix", .text(""))]))
    #expect(metadata.rule == .standard)
    #expect(metadata.mac == nil)
  }

  @Test("names the keys of every kind")
  func kinds() throws {
    func list(_ name: String, _ fields: [(String, String)]) -> Field {
      Field(name, .list([.fields(fields.map { Field($0.0, .text($0.1)) })]))
    }
    let metadata = try SOPSMetadata(
      .block([
        list("kms", [("arn", "arn:1"), ("enc", "x"), ("role", "r")]),
        list(
          "azure_kv", [("vault_url", "https://v"), ("name", "n"), ("version", "1"), ("enc", "")]),
        list("hc_vault", [("vault_address", "h"), ("engine_path", "e"), ("key_name", "k")]),
        list("pgp", [("fp", "AB CD"), ("enc", "x")]), list("new_kms", [("id", "7"), ("enc", "x")]),
        Field("gcp_kms", .null), Field("later", .list([.text("no key")])),
      ]))
    #expect(
      metadata.recipients == [
        KeyGroup([
          .age("age1a"), .remote(kind: "kms", name: "arn:1"),
          .remote(kind: "azure_kv", name: "https://v/n/1"),
          .remote(kind: "hc_vault", name: "h/e/k"), .pgp("AB CD"),
          .remote(kind: "new_kms", name: "7"),
        ])
      ])
  }

  @Test("is refused when it makes no sense")
  func refused() {
    let cases: [(MetadataValue, MetadataProblem)] = [
      (.text(""), .notFields), (.fields([]), .field("lastmodified")),
      (.fields([Field("lastmodified", .text("now"))]), .field("lastmodified")),
      (.fields([Field("lastmodified", .text("2023-12-25T10:31:01Z"))]), .noKeys),
      (.block([Field("mac", .integer(1))]), .field("mac")),
      (
        .block([Field("encrypted_regex", .text("a")), Field("encrypted_suffix", .text("b"))]),
        .severalRules(["encrypted_suffix", "encrypted_regex"])
      ),
      (.block([Field("pgp", .list([.text("x")]))]), .field("pgp")),
      (.block([Field("pgp", .text("x"))]), .field("pgp")),
      (.block([Field("shamir_threshold", .text("x"))]), .field("shamir_threshold")),
    ]
    for (value, problem) in cases {
      #expect(throws: problem) { try SOPSMetadata(value) }
    }
  }

  @Test("keeps order, unknown fields and the fields of others when keys change")
  func keeping() throws {
    var metadata = try SOPSMetadata(
      .block([
        Field("kms", .list([])), Field("zone", .text("kept")),
        Field(
          "hc_vault", .list([.fields([Field("enc", .text("v")), Field("extra", .text("e"))])])),
      ]))
    let kept = metadata.groups[0]
    metadata.setGroups(
      [kept + [.pgp("AB", wrapped: "w", at: Moment(secondsSince1970: 0))]], threshold: nil)
    metadata.stamp("M", at: Moment(secondsSince1970: 0))
    #expect(
      metadata.fields.map(\.name) == [
        "lastmodified", "age", "kms", "mac", "pgp", "version", "zone", "hc_vault",
      ])
    #expect(metadata.fields["kms"] == .list([]))
    #expect(metadata.fields["hc_vault"]?.list?.first?.fields?["extra"] == .text("e"))
    #expect(metadata.fields["version"] == .text("3.11.0"))
    #expect(metadata.fields["lastmodified"] == .text("1970-01-01T00:00:00Z"))
  }

  @Test("moves keys into groups and back")
  func groups() throws {
    var metadata = try SOPSMetadata(.block([]))
    let one = metadata.groups[0]
    metadata.setGroups([one, [.age("age1b", wrapped: "x")]], threshold: nil)
    #expect(metadata.fields["age"] == nil)
    #expect(metadata.fields["shamir_threshold"] == .integer(2))
    let reread = try SOPSMetadata(.fields(metadata.fields))
    #expect(reread.recipients == [KeyGroup([.age("age1a")]), KeyGroup([.age("age1b")])])
    metadata.setGroups([one], threshold: nil)
    #expect(metadata.fields.map(\.name) == ["age", "lastmodified"])
  }

  @Test("keeps a version that is one")
  func version() throws {
    for (text, kept) in [
      ("3.7.3", "3.7.3"), ("3.14.0-rc.1", "3.14.0-rc.1"), ("", "3.11.0"), ("x", "3.11.0"),
    ] {
      var metadata = try SOPSMetadata(.block([Field("version", .text(text))]))
      metadata.stamp("M", at: Moment(secondsSince1970: 0))
      #expect(metadata.fields["version"] == .text(kept))
    }
  }

  @Test("knows a key however it is written")
  func canonical() {
    #expect(MasterKey.pgp("ab cd").canonical == MasterKey.pgp("ABCD").canonical)
    #expect(
      MasterKey.age("ssh-ed25519 AAAA me@here").canonical
        == MasterKey.age("ssh-ed25519 AAAA").canonical)
    #expect(MasterKey.age("age1a").canonical != MasterKey.age("age1b").canonical)
  }
}
