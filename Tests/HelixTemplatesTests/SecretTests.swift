import HelixModel
import Testing

@testable import HelixTemplates

@Suite("secrets in templates")
struct SecretTests {
  private static let place = SourceLocation(file: "vars.sops.yaml", line: 3, column: 5)

  private var variables: Variables {
    let password = Node(.hidden("\(secret: SecretName("pw"))"), at: Self.place)
    let keys = Node(
      .list([password, Node(.hidden("\(secret: SecretName("key"))"), at: Self.place)]),
      at: Self.place)
    let entries: [(String, Node)] = [
      ("pw", password), ("keys", keys), ("user", Node(.text("web"), at: Self.place)),
      ("url", Node(.text("https://{{ user }}:{{ pw | urlencode }}@db/"), at: Self.place)),
      (
        "db",
        Node(
          .mapping(
            Mapping([
              .init(key: "password", keyLocation: Self.place, value: password),
              .init(
                key: "port", keyLocation: Self.place, value: Node(.integer(5432), at: Self.place)),
            ])), at: Self.place)
      ),
    ]
    return Variables(
      Mapping(entries.map { Mapping.Entry(key: $0, keyLocation: Self.place, value: $1) }))
  }

  private func render(_ text: String) throws -> Value {
    try Template(text, origin: .file("t.j2")).render(variables).value
  }

  @Test(
    "stay named through what only joins and codes them",
    arguments: [
      ("{{ pw }}", "‹secret pw›"), ("a {{ pw }} b\n", "a ‹secret pw› b\n"),
      ("{{ pw }}\n", "‹secret pw›\n"),
      ("{{ user ~ ':' ~ pw }}", "web:‹secret pw›"),
      ("{{ user + ':' + pw + pw }}", "web:‹secret pw›‹secret pw›"),
      ("{{ pw | b64encode }}", "‹secret pw|b64encode›"),
      ("{{ pw | b64decode }}", "‹secret pw|b64decode›"),
      ("{{ pw | trim | quote }}", "‹secret pw|trim|quote›"),
      ("{{ url }}", "https://web:‹secret pw|urlencode›@db/"),
      ("{{ (user ~ ':' ~ pw) | b64encode }}", "‹web:‹secret pw›|b64encode›"),
      (
        "{{ (user ~ ':' ~ pw) | b64encode | urlencode }}", "‹‹web:‹secret pw›|b64encode›|urlencode›"
      ),
      ("{{ keys | join(',') }}", "‹secret pw›,‹secret key›"),
      ("{{ [user, 1] | join(pw) }}", "web‹secret pw›1"),
      ("{{ keys[1] }}", "‹secret key›"), ("{{ keys | first }}", "‹secret pw›"),
      ("{{ (keys + [user]) | last }}", "web"),
      ("{{ keys | length }}", "2"), ("{{ db.password }}", "‹secret pw›"),
      ("{{ db['port'] + 1 }}", "5433"),
      ("{{ 'password' in db }}", "True"), ("{{ pw is defined }}", "True"),
      ("{{ pw is none }}", "False"),
      ("{{ pw | default('x') }}", "‹secret pw›"), ("{{ nothing | default(pw) }}", "‹secret pw›"),
      ("{{ pw | string }}", "‹secret pw›"), ("{{ 'a' if keys else 'b' }}", "a"),
      ("{{ {'u': user, 'p': pw} | to_json }}", #"{"u": "web", "p": ‹secret pw|to_json›}"#),
      ("{{ [pw, none, 1.5] | to_json }}", "[‹secret pw|to_json›, null, 1.5]"),
      ("{{ ('x' ~ pw) | to_json }}", "‹x‹secret pw›|to_json›"),
    ])
  func named(text: String, shown: String) throws {
    #expect(try render(text).templateText == shown)
  }

  @Test(
    "and whatever needs to know them is refused at its place",
    arguments: [
      ("{{ pw == 'x' }}", 4), ("{{ 'x' in pw }}", 4), ("{{ pw in ['x'] }}", 4),
      ("{{ 'x' in keys }}", 4),
      ("{{ keys == [] }}", 4), ("{{ pw < 'x' }}", 4), ("{{ not pw }}", 8), ("{{ pw and user }}", 4),
      ("{{ pw or user }}", 4), ("{{ user if pw else '' }}", 12), ("{{ pw | length }}", 9),
      ("{{ pw | int }}", 9),
      ("{{ pw | bool }}", 9), ("{{ pw | upper }}", 9), ("{{ user | replace('w', pw) }}", 11),
      ("{{ pw | trim('x') }}", 9), ("{{ user | trim(pw) }}", 11), ("{{ pw | first }}", 9),
      ("{{ pw | join }}", 9),
      ("{{ pw | basename }}", 9), ("{{ keys | sort }}", 11), ("{{ keys | unique }}", 11),
      ("{{ pw[0] }}", 4),
      ("{{ pw * 2 }}", 4), ("{{ -pw }}", 4), ("{{ pw + 1 }}", 4), ("{{ db[pw] }}", 4),
      ("{{ {pw: 1} }}", 5),
      ("a{{ keys }}", 5), ("{{ keys ~ '' }}", 4), ("{{ keys | string }}", 11),
      ("{{ [keys] | join }}", 13),
      ("{{ pw | default('x', true) }}", 4), ("{{ user | default('x', pw) }}", 24),
      ("{{ (user ~ pw) | length }}", 18), ("{{ keys | quote }}", 11),
      ("{{ keys | urlencode }}", 11),
    ])
  func refused(text: String, column: Int) throws {
    #expect {
      let value = try render(text)
      Issue.record("\(value.templateText)")
    } throws: { error in
      guard let problem = error as? Diagnostic else { return false }
      return problem.location?.column == column
        && (problem.summary.hasPrefix("this needs the value of the secret pw")
          || problem.summary.hasPrefix("urlencode is supported"))
    }
  }

  @Test("text as it would be written is told only where that can be known")
  func written() throws {
    #expect(try render("{{ keys }}").written == nil)
    #expect(try render("{{ pw }}").written == "\(secret: SecretName("pw"))")
    #expect(try render("{{ db.port }}").written == "5432")
  }
}
