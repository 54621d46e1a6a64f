import Testing

@testable import HelixSOPS

@Suite("a file's format")
struct SOPSFormatTests {
  @Test(
    "comes from its name, and is binary where the name says nothing",
    arguments: [
      ("a.yaml", SOPSFormat.yaml), ("b.yml", .yaml), ("c.json", .json), ("d.env", .dotenv),
      (".env", .dotenv), ("e.ini", .ini), ("f.yaml.sops", .binary), (".env.local", .binary),
      ("secrets.env.enc", .binary), ("g.YAML", .binary),
    ])
  func byName(path: String, format: SOPSFormat) {
    #expect(SOPSFormat(path: path) == format)
  }
}
